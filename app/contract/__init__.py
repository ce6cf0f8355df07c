"""What training and the service share: the artifact's format, the exact ranking, and the rule for aliases.

Needs only NumPy and the standard library; training may import this package and nothing else of `app`.
"""
