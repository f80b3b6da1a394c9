"""Trains the tagger and parser of spacy-jptdp without spaCy: jptdp.py TRAIN MODEL RESULT."""

import importlib.util
import json
import sys
import types
from argparse import Namespace

# The package imports spaCy, which its network does not need.
package = types.ModuleType("spacy_jptdp")
package.__path__ = list(importlib.util.find_spec("spacy_jptdp").submodule_search_locations)
sys.modules["spacy_jptdp"] = package

from spacy_jptdp import learner, utils  # noqa: E402

train, model, result = sys.argv[1:]
words, w2i, c2i, tags, relations = utils.vocab(train)
options = Namespace(
    activation="tanh",
    blstmFlag=True,
    labelsFlag=True,
    costaugFlag=True,
    bibiFlag=True,
    lstm_dims=16,
    wembedding_dims=16,
    cembedding_dims=8,
    pembedding_dims=8,
    lstm_layers=2,
    hidden_units=16,
)
tags, relations = list(tags), list(relations)
parser = learner.jPosDepLearner(words, tags, relations, w2i, c2i, options)


def accuracies(parser):
    """The share of right tags, and of right heads."""
    entries = [e for sentence in parser.Predict(train) for e in sentence[1:]]
    right_tags = sum(e.pos == e.pred_pos for e in entries)
    return right_tags / len(entries), [(e.pred_pos, int(e.pred_parent_id), e.pred_relation) for e in entries]


before, _ = accuracies(parser)
for _ in range(4):
    parser.Train(train)
after, predictions = accuracies(parser)
parser.Save(model)
again = learner.jPosDepLearner(words, tags, relations, w2i, c2i, options)
again.Load(model)
same = accuracies(again)[1] == predictions
with open(result, "w") as file:
    json.dump({"before": before, "after": after, "same": same, "predictions": predictions}, file)
