"""The embedded sample: real films, simulated viewers."""
