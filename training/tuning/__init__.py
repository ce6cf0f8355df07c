"""The search for better parameters on validation, kept on disk and in MLflow.

Which values may be tried stands beside each parameter in `models`.
"""
