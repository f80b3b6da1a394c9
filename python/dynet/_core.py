"""Chooses the extension: numbers are floats, or doubles where DYNET_REAL=double."""

import importlib
import os
import sys

REAL = os.environ.get("DYNET_REAL", "float")

if REAL == "double":
    # Everything else imports dynet._dynet.
    sys.modules["dynet._dynet"] = importlib.import_module("dynet._dynet_double")
elif REAL != "float":
    raise ImportError(f"DYNET_REAL is {REAL!r}; 'float' or 'double' is needed")
