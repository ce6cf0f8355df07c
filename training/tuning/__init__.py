"""Searches for better parameters on validation; keeps the attempts on disk and in MLflow.

Which values may be tried stands beside each parameter in `models`.
"""
