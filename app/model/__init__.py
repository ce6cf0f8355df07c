"""The loaded version, or why there is none: its artifact, catalogue and similarity, and the choice of items for a user.

HTTP, MLflow and metrics are elsewhere.
"""
