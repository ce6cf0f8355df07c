"""What the service tells its operators: metrics, log lines and traces.

It counts and writes, and never changes an answer.
"""
