"""The results of a run for people: the comparison report, its plots, and the runs logged to MLflow.

It shows results and decides nothing.
"""
