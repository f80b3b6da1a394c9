"""Losses of one example, of a vector or of the columns of a matrix; a batch stays a batch."""

from dynet.losses.classes import binary_cross_entropy as binary_cross_entropy
from dynet.losses.classes import binary_focal as binary_focal
from dynet.losses.classes import cross_entropy as cross_entropy
from dynet.losses.classes import focal as focal
from dynet.losses.classes import margin as margin
from dynet.losses.classes import perplexity as perplexity
from dynet.losses.distances import contrastive as contrastive
from dynet.losses.distances import gaussian_kl as gaussian_kl
from dynet.losses.distances import huber as huber
from dynet.losses.distances import info_nce as info_nce
from dynet.losses.distances import kl_divergence as kl_divergence
from dynet.losses.distances import mae as mae
from dynet.losses.distances import mse as mse
from dynet.losses.distances import triplet as triplet

__all__ = [
    "binary_cross_entropy",
    "binary_focal",
    "contrastive",
    "cross_entropy",
    "focal",
    "gaussian_kl",
    "huber",
    "info_nce",
    "kl_divergence",
    "mae",
    "margin",
    "mse",
    "perplexity",
    "triplet",
]
