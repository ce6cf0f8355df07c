"""Runs the pipeline on a schedule, and shows Prometheus how that goes.

What a run does is the pipeline's; this room only starts, times and stops `dvc repro`.
"""
