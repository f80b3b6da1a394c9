"""Readers on any text: what they read is right, or they say ValueError; nothing else comes of a file."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynet as dy

ROW = "\t".join(["1", "a", *"____", "0", "root", "_", "_"])
PIECES = [
    *(
        "1",
        "2",
        "1-2",
        "1.1",
        "0",
        "_",
        "a",
        "ὁ",
        "#",
        "# a = b = c",
        "=",
        "|",
        ":",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        " ",
    ),
    *(
        "\ufeff",
        "\u2028",
        "\u00a0",
        "\x85",
        "\x0c",
        "(",
        ")",
        "(S ",
        "1.5",
        "-2e3",
        "nan",
        "2 1",
        "a 1\n",
        "\0",
    ),
    *(ROW, f"{ROW}\n", f"{ROW}\n\n", ROW.replace("1", "2", 1) + "\n", ROW.replace("root", "a=b") + "\r\n"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def opened(text):
    return io.BufferedReader(io.BytesIO(text.encode()))


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_conllu_comes_back_or_is_refused(text):
    try:
        sentences = list(dy.data.read_conllu(opened(text)))
    except ValueError as error:
        assert str(error).startswith("read_conllu: the file, line ")
        return
    if sentences:
        assert "".join(map(str, sentences)) == text
        for sentence in sentences:
            assert len(sentence) == len(list(sentence)) and all(len(token) == 10 for token in sentence.tokens)
            for token in sentence.tokens:
                assert isinstance(token.features, dict) and token.relations is not None
    else:
        assert not text.strip("\ufeff \t\r\n")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_trees_come_back_or_are_refused(text):
    try:
        trees = list(dy.data.read_trees(opened(text)))
    except ValueError as error:
        assert str(error).startswith("read_trees: the file, line ")
        return
    again = list(dy.data.read_trees(opened("\n".join(map(str, trees)))))
    assert again == trees and text.count("(") == text.count(")")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_columns_come_back_or_are_refused(text):
    try:
        sentences = list(dy.data.read_columns(opened(text)))
    except ValueError as error:
        assert str(error).startswith("read_columns: the file, line ")
        return
    written = io.StringIO(newline="")
    if sentences and sentences[0][0][0].startswith("\ufeff"):  # would be taken for a byte-order mark
        with pytest.raises(ValueError, match=r"write_columns: sentence 1: .* byte-order mark"):
            dy.data.write_columns(written, sentences)
        return
    dy.data.write_columns(written, sentences)
    assert list(dy.data.read_columns(opened(written.getvalue()))) == sentences


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.booleans())
def test_vectors_are_read_or_refused(text, binary):
    try:
        vectors = dy.data.read_vectors(opened(text), binary=binary)
    except ValueError as error:
        assert str(error).startswith("read_vectors: the file, ")
        return
    assert vectors.array.shape[0] == len(vectors) > 0 and np.isfinite(vectors.array).all()
    assert len(set(vectors.words)) == len(vectors)


def test_what_another_library_writes_is_read(tmp_path):
    gensim_models = pytest.importorskip("gensim.models")
    words = ["the", "naïve", "ὁ", "a.b", "3"]
    numbers = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    vectors = gensim_models.KeyedVectors(4)
    vectors.add_vectors(words, numbers)
    for name, binary in (("v.txt", False), ("v.vec.gz", False), ("v.bin", True), ("v.bin.gz", True)):
        vectors.save_word2vec_format(str(tmp_path / name), binary=binary)
        read = dy.data.read_vectors(tmp_path / name)
        assert read.words == vectors.index_to_key and np.allclose(read.array, vectors.vectors, atol=1e-6)
