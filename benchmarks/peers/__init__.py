"""The same job, done with other servers in a few plain lines."""
