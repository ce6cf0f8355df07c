"""From an alias in MLflow, or a folder, to verified files on disk, and following it while the service runs.

What a loaded version answers is decided in `model`, not here.
"""
