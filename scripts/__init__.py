"""What a person runs from the Makefile or a shell."""
