"""The benchmark programs: each task once for the DyNet packages and once for PyTorch."""
