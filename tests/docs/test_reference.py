"""Every public name of the package is on one page of the reference, and what is known of it is right."""

import pathlib

import code_blocks
import public_names
import pytest

import dynet as dy

PAGES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def known():
    return public_names.by_module()


def written(page):
    """The arguments of the directives of a page, and the names that they leave out."""
    fences = code_blocks.fences(page.read_text(encoding="utf-8"))
    for fence in fences:
        if fence.kind.startswith("{dynet} "):
            without = [
                line.removeprefix(":without:") for line in fence.text.splitlines() if ":without:" in line
            ]
            yield fence.kind.split()[1:], " ".join(without).split()


def test_every_name_is_on_one_page(known):
    names = [
        f"{module}.{each.name}"
        for page in PAGES.glob("**/*.md")
        for arguments, without in written(page)
        for module, each in public_names.chosen(arguments, without, known)
    ]
    assert public_names.misplaced(names, known) == ""
    assert {f"dynet.{name}" for name in dy.__all__} <= set(names)


def test_what_is_missing_is_told(known):
    names = [f"{module}.{each.name}" for module, listed in known.items() for each in listed]
    assert public_names.misplaced(names, known) == ""
    assert public_names.misplaced([*names[1:], names[2]], known) == (
        f"on no page of the reference: {names[0]}; on two pages of the reference: {names[2]}"
    )
    with pytest.raises(ValueError, match="nonsense is no public name"):
        public_names.chosen(["nonsense"], [], known)
    with pytest.raises(ValueError, match="nonsense: no public name"):
        public_names.chosen(["dynet"], ["nonsense"], known)


def test_what_is_known_of_a_name(known):
    names = {each.name: each for each in known["dynet"]}
    assert names["tanh"].file == "dynet/ops/map.h"
    assert names["tanh"].signatures == ["(x: Expression) -> Expression"]
    assert names["AdamTrainer"].bases == ["Trainer"]
    assert names["AdamTrainer"].file == "python/src/trainers.cc"
    assert "alpha: float = 0.001" in names["AdamTrainer"].signatures[0]
    assert names["save"].file == "python/dynet/io.py"
    methods = {member.name: member for member in names["Expression"].members}
    assert methods["shape"].kind == "property" and methods["shape"].text.startswith("The sizes")
    assert methods["value"].signatures[0].startswith("(recalculate: bool = False) -> ")
    assert "tanh" not in methods  # It is there to say that it is not.


def test_every_operation_has_a_header(known):
    files = {each.name: each.file for each in known["dynet"]}
    assert {name for name in dy.ops() if name in dy.__all__ and files[name].startswith("dynet/ops/")} == {
        name for name in dy.ops() if name in dy.__all__
    }
