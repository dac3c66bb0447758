"""A program of several modules, with a pool of processes; start it with ``python -m survey FOLDER``."""
