"""Everything around a request: middleware, keys, limits, error answers, shutdown, JSON lists and the front door.

Which routes exist is said in `routes`, which films a list holds in `model`.
"""
