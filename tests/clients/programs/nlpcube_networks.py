"""Trains or loads networks of NLP-Cube, and predicts: nlpcube_networks.py CONLLU FOLDER RESULT [load]."""

import builtins
import json
import pathlib
import random
import sys

TREEBANK, FOLDER, RESULT = map(pathlib.Path, sys.argv[1:4])
LOADS = sys.argv[4:] == ["load"]
sys.argv[1:] = []

import numpy as np  # noqa: E402
from cube.generic_networks import character_embeddings  # noqa: E402

# Modules that still import by their former place, and a name of Python 2.
sys.modules["cube.character_embeddings"] = character_embeddings
sys.path.append(str(pathlib.Path(character_embeddings.__file__).parents[1]))
builtins.unicode = lambda text, _encoding=None: text

from cube.generic_networks.lemmatizers import BDRNNLemmatizer, FSTLemmatizer  # noqa: E402
from cube.generic_networks.ner import GDBNer  # noqa: E402
from cube.generic_networks.parsers import BDRNNParser  # noqa: E402
from cube.generic_networks.taggers import BDRNNTagger  # noqa: E402
from cube.generic_networks.token_expanders import CompoundWordExpander  # noqa: E402
from cube.io_utils import config  # noqa: E402
from cube.io_utils.conll import Dataset  # noqa: E402
from cube.io_utils.embeddings import WordEmbeddings  # noqa: E402
from cube.io_utils.encodings import Encodings  # noqa: E402

SENTENCES, BATCH, EPOCHS = 10, 5, 2
EXPRESSION = "VID"  # the kind of expression that the second and third word of each sentence make

random.seed(1)
np.random.seed(1)
data = Dataset(str(TREEBANK))
encodings = Encodings(verbose=False)
encodings.compute(data, data, "label", word_cutoff=2, char_cutoff=1)
embeddings = WordEmbeddings(verbose=False)
embeddings.load_dummy_embeddings()


def small(made):
    """A configuration with narrow layers."""
    made.layers, made.input_size, made.presoftmax_mlp_layers = [20] * len(made.layers), 20, [20]
    return made


def arcs(network, sentence):
    return [(tag.head, tag.label) for tag in network.tag(sentence)]


def tagged(network, sentence):
    return network.tag(sentence)


def shorter(network, sentence):
    """Untrained, it goes on for long."""
    return network.tag(sentence[:3])


def expanded(network, sentence):
    return [network.tag_token(entry.word) for entry in sentence]


NETWORKS = {
    "tagger": (BDRNNTagger, small(config.TaggerConfig()), tagged),
    "parser": (BDRNNParser, small(config.ParserConfig()), arcs),
    "transducer": (FSTLemmatizer, config.LemmatizerConfig(), shorter),
    "lemmatizer": (BDRNNLemmatizer, config.LemmatizerConfig(), shorter),
    "expander": (CompoundWordExpander, config.CompoundWordConfig(), expanded),
    "expressions": (GDBNer, config.GDBConfig(), tagged),
}


def train(network):
    """The loss of each epoch."""
    losses = []
    for _ in range(EPOCHS):
        loss = 0
        for first in range(0, SENTENCES, BATCH):
            network.start_batch()
            for sentence in data.sequences[first : first + BATCH]:
                network.learn(sentence)
            loss += network.end_batch()
        losses.append(float(loss))
    return losses


results = {}
for name, (kind, settings, predict) in NETWORKS.items():
    if name == "expressions":
        encodings.label2int[EXPRESSION] = len(encodings.labels)
        encodings.labels.append(EXPRESSION)
        for sequence in data.sequences:
            for place, entry in enumerate(sequence):
                entry.label = {1: f"1:{EXPRESSION}", 2: "1"}.get(place, "*")
    path = str(FOLDER / name)
    network = kind(settings, encodings, embeddings, runtime=LOADS)
    losses = None
    if LOADS:
        network.load(path)
    else:
        losses = train(network)
        network.save(path)
    results[name] = {"losses": losses, "predicted": str(predict(network, data.sequences[SENTENCES]))}
RESULT.write_text(json.dumps(results))
