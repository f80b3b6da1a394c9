"""Vocabularies, their files, and tables that grow with them."""

import json

import numpy as np
import pytest

import dynet as dy
from dynet.data import Vocabulary

TEXT = ["the", "cat", "saw", "the", "dog", "and", "the", "dog", "saw", "a", "cat"]


def test_words_are_ordered_by_how_often_they_came():
    vocabulary = Vocabulary(TEXT, special=["<s>"])
    assert vocabulary.words == ["<unk>", "<s>", "the", "cat", "saw", "dog", "and", "a"]
    assert vocabulary["the"] == 2 and vocabulary["cow"] == 0 and "cow" not in vocabulary
    assert vocabulary.rows(["the", "cow"]) == [2, 0] and vocabulary.counts["dog"] == 2
    assert len(vocabulary) == 8 and list(vocabulary) == vocabulary.words


def test_rare_words_have_no_row_until_they_are_frequent():
    vocabulary = Vocabulary(TEXT, minimum_count=2)
    assert vocabulary.words == ["<unk>", "the", "cat", "saw", "dog"] and vocabulary.counts["and"] == 1
    assert "2 rare ones" in repr(vocabulary)
    assert vocabulary.add(["and", "cow", "cow", "cow", "the"]) == 2
    assert vocabulary.words[5:] == ["cow", "and"] and vocabulary.counts["the"] == 4
    assert vocabulary.add([]) == 0


def test_tags_have_no_unknown():
    tags = Vocabulary(["N", "V"], unknown=None)
    assert tags.words == ["N", "V"] and tags["V"] == 1
    with pytest.raises(KeyError, match="'X' is not in the vocabulary, which has no unknown word"):
        tags["X"]


def test_what_is_no_word_is_refused():
    with pytest.raises(TypeError, match="is this a list of sentences"):
        Vocabulary([["a", "b"]])
    with pytest.raises(TypeError, match="'ab' was given; a list of words"):
        Vocabulary("ab")
    with pytest.raises(TypeError, match="special is 'ab'"):
        Vocabulary(special="ab")
    with pytest.raises(ValueError, match="minimum_count is 0"):
        Vocabulary(minimum_count=0)
    vocabulary = Vocabulary(["a"])
    with pytest.raises(TypeError):
        vocabulary.add(["b", 3])
    assert vocabulary == Vocabulary(["a"])  # nothing of what failed was added


def test_a_file_of_its_own(tmp_path):
    vocabulary = Vocabulary([*TEXT, "ὁ", "\ud800"], minimum_count=2, special=["<s>"])
    vocabulary.add(["and", "zebra"])
    vocabulary.save(tmp_path / "v.json")
    again = Vocabulary.load(tmp_path / "v.json")
    assert again == vocabulary and again.words == vocabulary.words and again.counts == vocabulary.counts
    content = (tmp_path / "v.json").read_bytes()
    for wrong in (b"", b"[]", b"{}", content[:-5], content.replace(b'"the"', b'"cat"'), b"[" * 99999):
        (tmp_path / "wrong.json").write_bytes(wrong)
        with pytest.raises(ValueError, match=r"load: .*wrong.json is no vocabulary"):
            Vocabulary.load(tmp_path / "wrong.json")
    with pytest.raises(TypeError, match="load: 0 was given; the name of a file"):
        Vocabulary.load(0)
    changed = json.loads(content) | {"minimum_count": "x"}
    (tmp_path / "wrong.json").write_text(json.dumps(changed))
    with pytest.raises(ValueError, match="is no vocabulary"):
        Vocabulary.load(tmp_path / "wrong.json")


def test_the_model_file_takes_it(tmp_path):
    model = dy.ParameterCollection()
    vocabulary = Vocabulary(TEXT, minimum_count=2)
    table = model.add_lookup_parameters((len(vocabulary), 3))
    dy.save(tmp_path / "m", [vocabulary, table])
    again, loaded = dy.load(tmp_path / "m", dy.ParameterCollection())
    assert again == vocabulary and (loaded.as_array() == table.as_array()).all()


def trained(table, trainer, rows):
    dy.renew_cg()
    dy.esum([dy.squared_norm(table[row] - dy.ones(3)) for row in rows]).backward()
    trainer.update()


def test_a_table_grows_and_trains_as_if_it_had_always_been_so():
    """Old rows, the state of the trainer and names stay."""
    tables = []
    for grows in (True, False):
        model = dy.ParameterCollection()
        vocabulary = Vocabulary(["a", "b"])
        size = 3 if grows else 5
        table = model.add_lookup_parameters((size, 3), init=0.5, name="words")
        trainer = dy.AdamTrainer(model, 0.1)
        for _ in range(5):
            trained(table, trainer, [1, 2])
        if grows:
            assert vocabulary.add(["c", "d"]) == 2 and vocabulary.grow(table, 0.5) == 2
            assert vocabulary.grow(table) == 0
        for _ in range(3):
            trained(table, trainer, [1, 2, 4])
        assert table.shape() == (5, 3) and table.name() == "/words"
        tables.append(table.as_array())
    assert (tables[0] == tables[1]).all()


def test_rows_are_filled_from_vectors(tmp_path):
    (tmp_path / "v.txt").write_text("a 1 2 3\nb 4 5 6\nz 0 0 1\n")
    vocabulary = Vocabulary(["a", "c"])
    vectors = dy.data.read_vectors(tmp_path / "v.txt")
    table = dy.ParameterCollection().add_lookup_parameters((3, 3), init=0.25)
    assert vocabulary.fill(table, vectors) == 1
    assert table.as_array().tolist() == [[0.25] * 3, [1, 2, 3], [0.25] * 3]
    table[1] = [9, 9, 9]
    vocabulary.add(["b", "y"])
    with pytest.raises(ValueError, match=r"fill: /.* has 3 rows; the vocabulary has 5 words; grow"):
        vocabulary.fill(table, vectors)
    assert vocabulary.grow(table, 0.25, vectors) == 2
    assert table.as_array()[1:].tolist() == [[9] * 3, [0.25] * 3, [4, 5, 6], [0.25] * 3]
    narrow = dy.ParameterCollection().add_lookup_parameters((3, 2))
    with pytest.raises(ValueError, match=r"grow: a row of .* has .2,. numbers; those of vectors have .3,."):
        vocabulary.grow(narrow, vectors=vectors)
    assert narrow.shape() == (3, 2)
    with pytest.raises(ValueError, match="has 9 rows; the vocabulary has 5 words"):
        vocabulary.grow(dy.ParameterCollection().add_lookup_parameters((9, 3)))
    with pytest.raises(TypeError, match="fill: vectors is 3; what read_vectors gives is needed"):
        vocabulary.fill(table, 3)
    with pytest.raises(TypeError, match="lookup parameters are needed"):
        vocabulary.grow(np.zeros((3, 3)))


def test_a_dictionary_has_the_counts():
    counts = {word: TEXT.count(word) for word in TEXT}
    assert Vocabulary(counts, minimum_count=2) == Vocabulary(TEXT, minimum_count=2)
    vocabulary = Vocabulary(["cat"], minimum_count=3)
    assert vocabulary.add({"cat": np.int64(2), "cow": 2}) == 1 and vocabulary.counts["cow"] == 2
    for wrong in (0, -1, 1.5, True, "x", None):
        with pytest.raises((TypeError, ValueError), match=r"the count of 'cow' is .*list\(dictionary\)"):
            vocabulary.add({"dog": 5, "cow": wrong})
    assert "dog" not in vocabulary
