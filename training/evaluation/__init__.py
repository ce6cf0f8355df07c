"""Ranking held-out users with an artifact, and the figures that come of it.

The formulas are in `metrics`.
"""
