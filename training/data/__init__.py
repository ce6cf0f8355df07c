"""Turns raw files into prepared interactions: sources, checks, the simulated sample, splits, the data set in memory.

It knows nothing of models.
"""
