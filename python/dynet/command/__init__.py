"""What `python -m dynet` does: a module for each command."""
