"""Structured models: chains of tags, segments, alignments and trees, summed over, decoded and sampled."""

from dynet.structured.alignments import Alignment as Alignment
from dynet.structured.alignments import Assignment as Assignment
from dynet.structured.alignments import EditLattice as EditLattice
from dynet.structured.alignments import edit_distance as edit_distance
from dynet.structured.chains import LinearChain as LinearChain
from dynet.structured.chains import Segments as Segments
from dynet.structured.constraints import TagConstraints as TagConstraints
from dynet.structured.constraints import tag_constraints as tag_constraints
from dynet.structured.ctc import CTC as CTC
from dynet.structured.ctc import ctc_decode as ctc_decode
from dynet.structured.distribution import Distribution as Distribution
from dynet.structured.distribution import best_of_all as best_of_all
from dynet.structured.trees import BinaryTrees as BinaryTrees
from dynet.structured.trees import ProjectiveTrees as ProjectiveTrees
from dynet.structured.trees import SpanningTrees as SpanningTrees

__all__ = [
    "CTC",
    "Alignment",
    "Assignment",
    "BinaryTrees",
    "Distribution",
    "EditLattice",
    "LinearChain",
    "ProjectiveTrees",
    "Segments",
    "SpanningTrees",
    "TagConstraints",
    "best_of_all",
    "ctc_decode",
    "edit_distance",
    "tag_constraints",
]
