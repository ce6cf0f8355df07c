"""Whether lists please: what people were shown and liked, in figures with honest intervals.

`trials` defines a success; the store of events holds what was shown.
"""
