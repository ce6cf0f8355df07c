"""The project's version; no other file says it."""

VERSION = "1.0.0"
