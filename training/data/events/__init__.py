"""What users have said to the service: reads it from the event store, and merges it with the ratings.

What an event means is the contract's rule. How the service takes events in is not here.
"""
