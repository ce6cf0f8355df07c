"""The recommendation service: `main` puts it together from settings, errors and the rooms below.

Each room has one concern; tests/test_architecture.py lists which room may import which.
"""
