"""The metrics and their statistics, each a function of arrays with its formula and source.

No file is read or written here.
"""
