"""The training pipeline: one module per DVC stage."""
