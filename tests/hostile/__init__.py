"""Attacks, chance and breakage, bounded and seeded: `make test-hostile`."""
