"""How good recommendations are: per user (ranking) and over all lists (catalogue)."""
