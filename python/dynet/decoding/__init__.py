"""Decoding: beam search and sampling with any step function, many hypotheses and sentences in one
evaluation."""

from dynet.decoding.beam import beam_search as beam_search
from dynet.decoding.beam import beam_searches as beam_searches
from dynet.decoding.beam import greedy as greedy
from dynet.decoding.hypotheses import Hypothesis as Hypothesis
from dynet.decoding.sampling import sample as sample
from dynet.decoding.sampling import samples as samples

__all__ = ["Hypothesis", "beam_search", "beam_searches", "greedy", "sample", "samples"]
