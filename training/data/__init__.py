"""From raw files to prepared interactions: sources, checks, the simulated sample, splits and the data set in memory.

Nothing here knows of models.
"""
