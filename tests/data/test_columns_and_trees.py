"""Files of columns, and trees in brackets."""

import io

import pytest

import dynet as dy

ENGLISH = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects\tVBZ I-VP O
a\u00a0b\u2028c NN I-NP O

# # O O
"""


def rows(text, *args, **options):
    return list(dy.data.read_columns(io.StringIO(text, newline=""), *args, **options))


def test_sentences_of_columns():
    read = rows(ENGLISH, ["text", "pos", "chunk", "entity"])
    assert [[word.text for word in words] for words in read] == [["EU", "rejects", "a\u00a0b\u2028c"], ["#"]]
    assert read[0][0].entity == "I-ORG"
    assert rows(ENGLISH)[0][1] == ("rejects", "VBZ", "I-VP", "O")
    assert len(rows(ENGLISH, document=None)) == 3
    assert rows("\ufeffa\tb c\r\n# x\r\n\r\n", separator="\t", comment="#") == [[("a", "b c")]]


def test_columns_that_are_wrong():
    with pytest.raises(ValueError, match=r"read_columns: the file, line 3: 4 columns in .*; 3 are needed"):
        rows(ENGLISH, ["text", "pos", "chunk"])
    with pytest.raises(ValueError, match=r"read_columns: columns is .*duplicate"):
        rows(ENGLISH, ["text", "text"])
    with pytest.raises(ValueError, match="the file, line 2: 1 columns in 'b'; 2 are needed"):
        rows("a X\nb\n")
    with pytest.raises(ValueError, match="is it a comment"):
        rows("a X\n# note on b\n")
    with pytest.raises(TypeError, match=r"read_columns: columns is 'text'"):
        rows("a X\n", "text")


def test_columns_are_written(tmp_path):
    read = rows(ENGLISH)
    dy.data.write_columns(tmp_path / "a.tsv.gz", read)
    assert list(dy.data.read_columns(tmp_path / "a.tsv.gz", separator="\t")) == read
    for wrong in ("", "a\tb", "a\nb"):
        with pytest.raises(ValueError, match="write_columns: a column is"):
            dy.data.write_columns(io.StringIO(), [[("a", wrong)]])
    with pytest.raises(TypeError, match="a row is 'ab'"):
        dy.data.write_columns(io.StringIO(), [["ab"]])


@pytest.mark.parametrize(
    ("sentences", "options", "what"),
    [
        ([[("a", "b")], [("a",)]], {}, "sentence 2: 1 columns in"),
        ([[("a", "b"), ("c", "d", "e")]], {}, "sentence 1: 3 columns in .*; 2 are needed"),
        ([[()]], {}, "sentence 1: 0 columns"),
        ([[("a", None)]], {}, "a column is None"),
        ([[("a", "b\r")]], {}, "a column is 'b.r'"),
        ([[("a", "b c")]], {}, "a column is 'b c', with a space; give separator="),
        ([[("a",)], [("-DOCSTART-",)]], {}, "sentence 2: .*document=None has it kept"),
        ([[("a",)], []], {}, "sentence 2: it has no rows"),
        ([[(" ", " ")]], {"separator": "\t"}, "would be an empty line"),
        ([[("\ufeffa",)]], {}, "byte-order mark"),
        ([[("a",)]], {"separator": ""}, "separator is ''"),
    ],
)
def test_columns_that_would_not_be_read_back_are_refused(sentences, options, what):
    with pytest.raises(ValueError, match=f"write_columns: .*{what}"):
        dy.data.write_columns(io.StringIO(), sentences, **options)


@pytest.mark.parametrize("options", [{"separator": "\t"}, {"document": None}, {"separator": "|"}])
def test_columns_come_back_with_the_same_options(options):
    rows_ = [[("a b", "c")]] if "separator" in options else [[("-DOCSTART-", "O")], [("a", 1)]]
    file = io.StringIO(newline="")
    dy.data.write_columns(file, rows_, **options)
    assert rows(file.getvalue(), **options) == [[tuple(map(str, row)) for row in each] for each in rows_]


def trees(text):
    return list(dy.data.read_trees(io.StringIO(text)))


def test_trees_as_of_the_treebank():
    text = """( (S (NP-SBJ (PRP I))
        (VP (VBP am) (-LRB- -LRB-) (NP (-NONE- *T*-1)))
        (. .)) )
    (3 (2 It) (4 works))(X a\u00a0b)"""
    first, second, third = trees(text)
    assert str(first) == "(S (NP-SBJ (PRP I)) (VP (VBP am) (-LRB- -LRB-) (NP (-NONE- *T*-1))) (. .))"
    assert first.leaves() == ["I", "am", "-LRB-", "*T*-1", "."]
    assert first.tagged()[:2] == [("I", "PRP"), ("am", "VBP")]
    assert [tree.label for tree in first.nodes()][:4] == ["S", "NP-SBJ", "PRP", "VP"]
    assert second == trees(str(second))[0] and second.children[1].is_preterminal
    assert third.leaves() == ["a\u00a0b"]
    assert [str(tree) for tree in trees("((S (A b)) (T c))")] == ["( (S (A b)) (T c))"]


def test_a_deep_tree_is_no_trouble():
    text = "(A " * 30000 + "b" + ")" * 30000
    (tree,) = trees(text)
    assert str(tree) == text and tree.leaves() == ["b"] and sum(1 for _ in tree.nodes()) == 30000


def test_deep_trees_are_compared_and_hashed():
    text = "(A " * 100_000 + "b" + ")" * 100_000
    (one,), (two,), (other,) = trees(text), trees(text), trees(text.replace("b", "c"))
    assert [one == two, one != other, one != two, one == other] == [True, True, False, False]
    assert hash(one) == hash(two) != hash(other) and len({one, two, other}) == 2


def test_trees_are_equal_to_tuples_of_the_same_contents():
    tree, *others = trees("(S (A a) b (C (D d) (E e)) f) (S (A a) b (C (D d) (E e))) (S (A a) b (C (D d)) f)")
    plain = ("S", (("A", ("a",)), "b", ("C", (("D", ("d",)), ("E", ("e",)))), "f"))
    assert tree == plain and plain == tree and hash(tree) == hash(plain) and (tree != plain) is False
    assert all(tree != other and other != plain for other in (*others, "S", None, plain[:1]))
    assert hash(dy.data.Tree("A", ())) == hash(("A", ()))


def test_every_word_has_the_label_above_it():
    (tree,) = trees("(S (NP New York) is (ADJP (JJ big)))")
    assert tree.tagged() == [("New", "NP"), ("York", "NP"), ("is", "S"), ("big", "JJ")]
    assert tree.leaves() == ["New", "York", "is", "big"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("(S a)\n\n(S (A b)", "line 3: the file ends before this bracket is closed"),
        ("(S a))", r"line 1: '\)' stands outside"),
        ("word (S a)", "line 1: 'word' stands outside"),
        ("(S (A))", r"line 1: \(A\) has no words"),
        ("()", r"line 1: \(\) has no words"),
    ],
)
def test_brackets_that_do_not_fit(text, what):
    with pytest.raises(ValueError, match=f"read_trees: the file, {what}"):
        trees(text)
