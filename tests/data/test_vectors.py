"""Files of word vectors, also those that other readers get wrong."""

import collections
import gzip
import io

import numpy as np
import pytest

import dynet as dy


def vectors(content, *args, **options):
    content = content.encode() if isinstance(content, str) else content
    return dy.data.read_vectors(io.BufferedReader(io.BytesIO(content)), *args, **options)


def as_dict(read):
    return {word: read[word].tolist() for word in read}


def binary(*words, count=None, end=b"\n"):
    rows = [word.encode() + b" " + np.array(numbers, "<f4").tobytes() + end for word, *numbers in words]
    return f"{len(words) if count is None else count} {len(words[0]) - 1}\n".encode() + b"".join(rows)


@pytest.mark.parametrize(
    "content",
    [
        "2 3\nthe 1 2 3\n. . . 4 5 6\n",
        "the 1 2 3\n. . . 4 5 6\n",
        "\ufeffthe 1 2 3\n. . . 4 5 6",
        "\ufeff2 3\r\nthe\t1 2 3 \r\n. . . 4 5 6\r\n",
    ],
    ids=["word2vec", "glove", "mark", "spaces and returns"],
)
def test_words_with_spaces_marks_and_headers(content):
    read = vectors(content)
    assert as_dict(read) == {"the": [1, 2, 3], ". . .": [4, 5, 6]}
    assert read.array.dtype == np.float32 and read.array.shape == (2, 3) and len(read) == 2


@pytest.mark.parametrize("end", [b"\n", b""])
def test_the_binary_format(end):
    words = [
        ("the", 1, 2.5, 3),
        ("na\u00efve\u2028", 4, 0, 6),
        *((f"w{i}", i, 2 * i, 3 * i) for i in range(9)),
    ]
    content = binary(*words, end=end)
    assert as_dict(vectors(content)) == {word: list(numbers) for word, *numbers in words}
    assert as_dict(vectors(content, ["w3", "none"])) == {"w3": [3, 6, 9]}
    for cut in range(len(content) - len(end) - 1, 5, -1):
        with pytest.raises(ValueError, match=r"read_vectors: the file, word \d+ of 11: .*(cut off|UTF-8)"):
            vectors(content[:cut], binary=True)
    with pytest.raises(ValueError, match="word 10 of 10: the file goes on after the last word"):
        vectors(content.replace(b"11 3", b"10 3", 1))


def test_rows_that_come_twice_and_rows_of_zeros_are_told():
    read = vectors("5 2\na 1 2\nb 0 0\na 3 4\na 5 6\nnan 7 8\n")
    assert as_dict(read) == {"a": [1, 2], "b": [0, 0], "nan": [7, 8]}
    assert read.duplicates == 2 and read.zeros == ["b"]
    assert "2 duplicates left out, 1 rows of zeros" in repr(read)


def test_only_the_words_that_are_wanted_are_kept():
    text = "a 1 2\nb 3 4\nc 5 6\nb 7 8\n"
    vocabulary = dy.data.Vocabulary(["b", "z"])
    assert as_dict(vectors(text, vocabulary)) == as_dict(vectors(text, ["b"])) == {"b": [3, 4]}
    assert vectors(text, vocabulary).duplicates == 1
    assert vectors(text, []).array.shape == (0, 2)


def test_many_rows_without_a_header(tmp_path):
    numbers = np.random.default_rng(1).normal(size=(500, 7)).astype(np.float32)
    lines = [f"w{i} " + " ".join(map(repr, map(float, row))) + "\n" for i, row in enumerate(numbers)]
    lines[0] = "at. 3 " + lines[0].partition(" ")[2]
    with gzip.open(tmp_path / "v.txt.gz", "wt") as file:
        file.writelines(lines)
    read = dy.data.read_vectors(tmp_path / "v.txt.gz")
    assert (read.array == numbers).all() and read.words[0] == "at. 3" and read.words[499] == "w499"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("a 1 2\nb 3\nc 4 5\n", "line 2: 1 numbers after 'b'; 2 are needed"),
        ("a 1 2\nb 3.5 4 5\nc 4 5\n", "line 2: 3 numbers after 'b'; 2 are needed. If the word is 'b 3.5'"),
        ("a 1 2\nb 3 x\nc 4 5\n", "line 2: 'x' stands where a number is needed"),
        ("a 1 2\nb 3 nan\nc 4 5\n", "line 2: 'nan' is not finite"),
        ("a 1 2\nb 3 1e99\nc 4 5\n", "line 2: '1e99' is not finite"),
        ("3 2\na 1 2\nb 3 4\n", "line 1: the header says 3 words; the file has 2"),
        ("1 2\na 1 2\nb 3 4\n", "line 1: the header says 1 words; the file has 2"),
        ("2 3\na 1 2\nb 3 4\n", "line 2: 2 numbers after 'a'; 3 are needed"),
        ("", "line 1: the file is empty"),
        ("a\nb\n", "line 1: 'a\\n' is no word with its numbers"),
        (b"a\xff 1 2\n", "line 1: this is not UTF-8"),
    ],
)
def test_files_that_do_not_tell_the_truth(content, what):
    with pytest.raises(ValueError) as told:
        vectors(content)
    assert str(told.value).startswith(f"read_vectors: the file, {what}"), told.value


def test_a_size_that_is_given_decides():
    assert as_dict(vectors("a 1 2\nb 3.5 4 5\n", size=2)) == {"a": [1, 2], "b 3.5": [4, 5]}
    assert as_dict(vectors("5 7\n6 8\n", size=1)) == {"5": [7], "6": [8]}
    with pytest.raises(ValueError, match="the header says 2 numbers a word; size is 3"):
        vectors("1 2\na 1 2\n", size=3)
    with pytest.raises(ValueError, match="size is 0"):
        vectors("a 1\n", size=0)
    with pytest.raises(TypeError, match="words is 'abc'"):
        vectors("a 1\n", "abc")


def test_a_header_of_many_words_takes_no_memory():
    with pytest.raises(ValueError, match="line 1: the header says 999999999999 words; the file has 1"):
        vectors("999999999999 2\na 1 2\n")
    with pytest.raises(ValueError, match="word 2 of 999999999999: the file ends here"):
        vectors(binary(("a", 1, 2), count=999999999999))
    with pytest.raises(ValueError, match=r"word 1 of 1: .*cut off"):
        vectors(b"1 999999999\na 1234", binary=True)


class Series:
    """As of pandas: `in` looks at the labels, which are numbers here."""

    def __init__(self, words):
        self.words = words

    def __iter__(self):
        return iter(self.words)

    def __contains__(self, label):
        return label in range(len(self.words))


def test_words_may_be_of_any_kind_that_gives_them():
    text = "a 1 2\nb 3 4\nc 5 6\n"
    for kind in (Series, np.array, collections.deque, dict.fromkeys, iter, set, frozenset):
        assert as_dict(vectors(text, kind(["b", "z"]))) == {"b": [3, 4]}, kind
    for wrong in (b"ab", 3, [3], [["a"]], {"a", 1}):
        with pytest.raises(TypeError, match=r"read_vectors: .*words.*; a list of words is needed"):
            vectors(text, wrong)


def test_padding_is_no_part_of_a_word():
    assert as_dict(vectors("2 2\na  1 2\nb c   3 4\n")) == {"a": [1, 2], "b c": [3, 4]}
    assert as_dict(vectors("2 2\n   1 2\nb 3 4\n")) == {"  ": [1, 2], "b": [3, 4]}


@pytest.mark.parametrize("wrong", ["1_0", "\u0661", "1\u00a0"])
def test_numbers_that_only_python_takes_for_ones(wrong):
    with pytest.raises(ValueError, match=r"line 3: '.*' stands where a number is needed"):
        vectors(f"2 2\na 1 2\nb {wrong} 2\n")


def test_words_that_are_not_utf8():
    text, content = b"2 1\na\xff 1\nb 2\n", binary(("ab", 1.0), ("b", 2.0)).replace(b"ab", b"a\xff")
    with pytest.raises(ValueError, match=r"word 1 of 2: b'a.*' is not UTF-8: .* errors='replace' reads it"):
        vectors(content)
    for given in (text, content):
        assert as_dict(vectors(given, errors="replace")) == {"a\ufffd": [1], "b": [2]}
    for wrong in ("none", 3):
        with pytest.raises(ValueError, match="read_vectors: errors is"):
            vectors(text, errors=wrong)


def test_the_binary_format_is_seen_in_every_file_that_can_be_wound_back():
    content = binary(("a", 1.0, 2.0), ("b", 3.0, 4.0))
    assert as_dict(dy.data.read_vectors(io.BytesIO(content))) == {"a": [1, 2], "b": [3, 4]}
    assert as_dict(dy.data.read_vectors(io.StringIO("a 1 2\nb 3 4\n"))) == {"a": [1, 2], "b": [3, 4]}
