"""Lists for everybody: each user's best items as files, for a mailing or another system.

The ranking is the service's own; nothing is trained or measured here.
"""
