"""The store of events, which are what people say about items; the way in, and what they change in the next answer.

What an event means is in `contract`; the requests that bring events are in `http`, `schemas` and `routes`.
"""
