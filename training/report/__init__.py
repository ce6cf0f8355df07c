"""What a run has found, for people: the comparison report, its figures, and the runs logged to MLflow.

It shows results and decides nothing.
"""
