"""The results of a run for people: the comparison report, its figures, and the runs logged to MLflow.

It shows results and decides nothing.
"""
