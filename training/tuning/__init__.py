"""Searching for better parameters of a family on the validation split: `python -m training tune`."""
