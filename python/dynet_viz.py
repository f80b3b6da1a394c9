"""The name under which DyNet 2 drew graphs; every graph can be drawn, so it is dynet itself."""

from dynet import *  # noqa: F403
from dynet import __version__ as __version__
