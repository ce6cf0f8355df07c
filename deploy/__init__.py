"""Programs and settings of the deployment, apart from the service and the pipeline."""
