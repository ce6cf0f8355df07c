"""The whole deployment on a real Docker engine; run by `make test-compose`, not by `make test`."""
