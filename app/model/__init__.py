"""The loaded model version: its artifact, catalogue and similarity, and the choice of films for a user.

HTTP, MLflow and metrics stay outside.
"""
