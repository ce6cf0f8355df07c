"""Fits a family to a data set: what it may learn from, validation, the fold-in encoder, kept fits, the artifact.

The algorithms are in `models`.
"""
