"""The endpoints, one file per noun; `main` lists the files.

What several endpoints share is in `http`.
"""
