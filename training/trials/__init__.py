"""Trials: reads who was shown which version and what they said, and judges which of the two people like better.

How users are split is the contract's rule. MLflow is reached through `tracking`.
"""
