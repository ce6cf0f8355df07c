"""Whether a new version replaces the live one: the recipes compared, the gate, and how a registration is told.

MLflow itself is reached through `tracking`.
"""
