"""Whether lists please: what people were shown and liked, in figures with honest intervals.

What a success is, is that of `trials`; what was shown is in the store of events.
"""
