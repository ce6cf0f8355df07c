"""MLflow: connection, runs, model versions and aliases.

The only room of training that imports mlflow.
"""
