"""What the service tells its operators: metrics, log lines and traces.

Nothing here changes an answer.
"""
