"""Docstrings become Markdown with their words as they are, and names become links."""

import public_names
import pytest

pytest.importorskip("sphinx")
import sphinx_dynet

TEXT = """y = a * b_1 + <unk>, see `dy.tanh()` and `other`.

    h = step(x)

    return h

such as

    y = 2 ∘ x

* first [1]
* second

>>> print(1)
1"""


def test_markdown():
    assert sphinx_dynet.markdown(TEXT, {"tanh"}) == (
        "y = a \\* b\\_1 + \\<unk\\>, see {py:obj}`dy.tanh() <dynet.tanh>` and `other`.\n\n"
        "```python\nh = step(x)\n\nreturn h\n```\n\nsuch as\n\n"
        "```text\ny = 2 ∘ x\n```\n\n"
        "* first \\[1\\]\n* second\n\n"
        "```pycon\n>>> print(1)\n1\n```"
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("From 0.5 on, e.g. 1.0\nmore. Two.", "From 0.5 on, e.g. 1.0 more."),
        ("No end\n\nNext.", "No end"),
    ],
)
def test_first_sentence(text, first):
    assert sphinx_dynet.first_sentence(text) == first


def test_described():
    member = public_names.Name("size", "property", [], "How many.", "a.py", [], [])
    name = public_names.Name("A", "class", ["(x: int)", "()"], "An A.", "a.py", ["_Base"], [member])
    lines = sphinx_dynet.described("dynet", name, set()).splitlines()
    assert [line.lstrip("`") for line in lines if line.startswith("``")] == [
        *("{py:class} A()", "", "{py:class} A(x: int)"),
        *("{py:property} size", "", ""),
    ]
    assert ":no-index:" in lines
    assert "Has also the methods of {py:obj}`Base <dynet._Base>`." in lines
    assert "*Declared in* `a.py`" in lines
