"""What each command of `python -m training` does: a function, of which the first line is the command's help.

Each imports only what it needs: MLflow and the model libraries take seconds.
"""
