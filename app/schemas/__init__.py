"""What clients send and get, as Pydantic models: queries, items, and the state of the service.

No behaviour lives here; routes and the OpenAPI document use them.
"""
