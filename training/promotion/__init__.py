"""Decides whether a new version replaces the live one: the results compared, the gate, and the summary.

MLflow itself is reached through `tracking`.
"""
