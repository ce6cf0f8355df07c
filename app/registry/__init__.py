"""Follows an alias in MLflow, or a folder: polls it, downloads its version, and has `model` verify and load the files.

The choice of items is in `model`, not here.
"""
