"""Modules of a program: their parts, names and files; embeddings with vectors."""

import itertools

import numpy as np
import pytest
from layer_laws import close

import dynet as dy


class Network(dy.nn.Module):
    """A program's own, with parts in containers."""

    def __init__(self, sizes, words, model, dropout=0.1):
        super().__init__(model)
        self.words = dy.nn.Embedding(words, sizes[0], self.model)
        self.layers = [dy.nn.Linear(a, b, self.model) for a, b in itertools.pairwise(sizes)]
        self.others = {"norm": dy.nn.LayerNorm(sizes[-1], self.model), "lstm": (dy.nn.Dropout(dropout),)}

    def __call__(self, words):
        x = self.words(words)
        for layer in self.layers:
            x = layer(x)
        return self.others["lstm"][0](self.others["norm"](x))


class Failing(dy.nn.Module):
    def __init__(self, model):
        super().__init__(model)
        self.layer = dy.nn.Linear(3, 4, self.model)
        raise KeyError("no")


class Modelless(dy.nn.Module):
    def __init__(self, collection):
        super().__init__(collection)


WORDS = dy.data.Vocabulary(["a", "b"])


def test_a_network_is_saved(tmp_path):
    network = Network([3, 4, 2], WORDS, dy.ParameterCollection(), dropout=0.5)
    dy.save(tmp_path / "network", [network])
    [again] = dy.load(tmp_path / "network", dy.ParameterCollection())
    assert type(again) is Network and again.words.vocabulary.words == WORDS.words
    assert again.others["lstm"][0].p == 0.5
    with network.evaluating(), again.evaluating():
        close(again(["a", "c"]).npvalue(), network(["a", "c"]).npvalue(), 0)


def test_parts_are_found():
    network = Network([3, 4, 2], WORDS, dy.ParameterCollection())
    kinds = [type(part).__name__ for part in network.parts()]
    assert kinds == ["Embedding", "Linear", "Linear", "LayerNorm", "Dropout"]
    network.eval()
    assert not any(part.training for part in network.parts())
    network.layers[0].train()
    with network.evaluating():
        assert not network.layers[0].training
    assert network.layers[0].training and not network.training


def test_names_are_readable():
    model = dy.ParameterCollection()
    network = Network([3, 4, 2], WORDS, model)
    names = [p.name() for p in model.parameters_list()]
    assert names[:3] == ["/network/linear/weight", "/network/linear/bias", "/network/linear_1/weight"]
    assert network.words.table.name() == "/network/embedding/table"
    encoder = dy.nn.TransformerEncoder(1, 4, 2, 8, model)
    first = encoder.layers[0].attention.query.weight
    assert (
        first.name()
        == "/transformer-encoder/transformer-encoder-layer/multi-head-attention/query/linear/weight"
    )


def test_what_fails_half_way_adds_nothing():
    model = dy.ParameterCollection()
    with pytest.raises(KeyError):
        Failing(model)
    assert not model.parameters_list()


def test_what_cannot_be_saved_says_why(tmp_path):
    model = dy.ParameterCollection()
    with pytest.raises(TypeError, match="Modelless: its __init__ has no argument `model`"):
        dy.save(tmp_path / "network", [Modelless(model)])
    layer = dy.nn.MLP([3, 4], model, activation=lambda x: x)
    with pytest.raises(TypeError, match="could not be loaded again"):
        dy.save(tmp_path / "network", [layer])


def test_layers_and_export_have_a_class_of_one_name(tmp_path):
    model = dy.ParameterCollection()
    layers = [
        dy.nn.TransformerEncoderLayer(4, 2, 6, model),
        dy.export.TransformerEncoderLayer(4, 2, 6, model),
    ]
    dy.save(tmp_path / "layers", layers)
    again = dy.load(tmp_path / "layers", dy.ParameterCollection())
    assert [type(each) for each in again] == [type(each) for each in layers]


def test_embeddings_take_vectors():
    vectors = dy.data.WordVectors(["b", "z"], np.array([[1, 2], [3, 4]], np.float32))
    model = dy.ParameterCollection()
    embedding = dy.nn.Embedding(WORDS, 2, model, vectors=vectors, frozen=True)
    close(embedding("b").npvalue(), [1, 2])
    close(embedding(["b", "b"]).npvalue(), [[1, 1], [2, 2]])
    dy.sum_elems(embedding(["a", "b"])).backward()
    dy.SimpleSGDTrainer(model).update()
    close(embedding.table.as_array()[WORDS["b"]], [1, 2])
    assert "vectors" not in dict(embedding.spec) and repr(embedding).startswith("Embedding(words=Vocab")


def test_embeddings_refuse():
    embedding = dy.nn.Embedding(5, 2, dy.ParameterCollection())
    for wrong, error, text in (
        (lambda: embedding(5), IndexError, "Embedding: row 5 of a table of 5"),
        (lambda: embedding([0, -1]), IndexError, "Embedding: row -1"),
        (lambda: embedding("word"), TypeError, "without a Vocabulary numbers are needed"),
        (lambda: embedding([]), ValueError, "words is empty"),
        (lambda: embedding([1.5]), TypeError, "1.5 was given"),
        (lambda: dy.nn.Embedding(5, 2, dy.ParameterCollection(), vectors=1), ValueError, "need a Vocabulary"),
    ):
        with pytest.raises(error, match=text):
            wrong()
    assert embedding(np.int64(3)).shape == (2,) and embedding(np.array([1, 2])).shape == (2, 2)


def test_importing_loads_no_layers():
    import subprocess
    import sys

    code = "import dynet, sys; print([m for m in sys.modules if m.startswith(('dynet.nn', 'dynet.optim'))])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
