"""Functions of one example that ask for values in the middle, run for many examples in turns."""
