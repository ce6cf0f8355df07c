"""The embedded sample: real films, simulated users."""
