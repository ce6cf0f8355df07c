"""Fits a family to a data set: the data that it may learn from, validation, the fold-in encoder, the artifact.

The algorithms are in `models`.
"""
