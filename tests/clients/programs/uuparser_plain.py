"""Runs uuparser with no dropout, so that only rounding can make two runs differ: arguments of uuparser."""

from uuparser import bilstm
from uuparser.parser import main

initialize = bilstm.BiLSTM.__init__


def without_dropout(self, in_dim, out_dim, model, dropout_rate=None):
    initialize(self, in_dim, out_dim, model, 0.0)


bilstm.BiLSTM.__init__ = without_dropout
main()
