"""What the deployment runs beside the service and the pipeline."""
