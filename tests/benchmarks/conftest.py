"""The modules of benchmarks/ are importable; they come last, as examples/ has a data.py too."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))
