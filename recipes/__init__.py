"""One script per published model: `python -m recipes.<name>`; its docstring is its command line."""
