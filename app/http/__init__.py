"""Everything around a request: middleware, keys, limits, error answers, shutdown, JSON lists and the front door.

The endpoints are in `routes`, and the choice of items is in `model`.
"""
