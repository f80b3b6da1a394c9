"""nagisa 0.2.11, a tagger of Japanese: the same words and tags as with DyNet 2, and models that both load."""

import json

import pytest
from toolkits import DYNET_2, OURS, TOOLKITS

pytestmark = [pytest.mark.client, pytest.mark.timeout(1800)]


def content(model):
    """Names, shapes and numbers of a text model, without our checksums and the sizes that count them in."""
    lines = model.read_text().splitlines()
    return [line.split()[:3] if line[:1] == "#" else line.partition("crc32:")[0].split() for line in lines]


def test_tags_are_those_of_dynet_2(program, japanese, tmp_path):
    results = {}
    for toolkit in TOOLKITS:
        program(toolkit, "nagisa_tag.py", japanese, tmp_path / toolkit)
        results[toolkit] = json.loads((tmp_path / toolkit).read_text())
    ours, theirs = results[OURS], results[DYNET_2]
    assert ours["dynet"] != theirs["dynet"]
    assert len(ours["tagged"]) >= 2000
    assert ours["tagged"] == theirs["tagged"]
    for toolkit, result in results.items():
        speed = len(result["tagged"]) / result["seconds"]
        print(f"{toolkit}: {speed:.0f} sentences/s, the 40 MB model loads in {1000 * result['load']:.0f} ms")
    assert ours["seconds"] < theirs["seconds"]
    assert ours["load"] < theirs["load"] / 4
    first, second = (content(tmp_path / f"{toolkit}.model") for toolkit in TOOLKITS)
    assert first == second


@pytest.mark.parametrize("trainer, other", [(OURS, DYNET_2), (DYNET_2, OURS)])
def test_models_it_trains_are_loaded_by_both(program, tmp_path, trainer, other):
    sentences = [["これ", "は", "犬", "です"], ["それ", "は", "猫", "です"], ["猫", "が", "いる"]]
    tags = {"は": "助詞", "が": "助詞", "です": "助動詞", "いる": "動詞", "これ": "代名詞", "それ": "代名詞"}
    lines = ["".join(f"{w}\t{tags.get(w, '名詞')}\n" for w in s) + "EOS\n" for s in sentences * 10]
    (tmp_path / "train.txt").write_text("".join(lines), encoding="utf-8")
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(["".join(s) for s in sentences]))
    program(trainer, "nagisa_fit.py", tmp_path / "train.txt", tmp_path / "model")
    files = [tmp_path / f"model.{part}" for part in ("vocabs", "params", "hp")]
    tagged = []
    for toolkit in (trainer, other):
        program(toolkit, "nagisa_tag.py", texts, tmp_path / "result", *files)
        tagged.append(json.loads((tmp_path / "result").read_text())["tagged"])
    assert tagged[0] == tagged[1]
    assert [words for words, _ in tagged[0]] == sentences
