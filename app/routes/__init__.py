"""The endpoints, one file per noun.

What several of them share lives in `http`.
"""
