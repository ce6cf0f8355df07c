"""What clients send and get, as Pydantic models: queries, items, and the state of the service.

Routes and the OpenAPI document use these models; they hold no behaviour.
"""
