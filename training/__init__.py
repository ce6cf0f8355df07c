"""The DVC pipeline: one file per stage of dvc.yaml, and the rooms below that they use.

`python -m training` runs a stage; tests/test_architecture.py lists which room may import which.
"""
