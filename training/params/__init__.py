"""params.yaml as frozen models: a file per section, so that a stage imports only the sections that it reads.

`load_params` in `whole` reads the file; only `__main__`, `commands` and what runs after `refit` may import it.
"""
