"""Ranks the test users with an artifact and computes every figure of the evaluation.

The formulas are in `metrics`.
"""
