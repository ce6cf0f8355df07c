"""Everything that talks to MLflow; nothing else in `training` imports it. Works with MLflow 2.22 and 3.x."""
