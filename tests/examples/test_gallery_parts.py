"""The parts of the newer examples that are easy to get wrong: formulas, parses, scores, baselines."""

import random

import numpy as np
import pytest

import dynet as dy


def test_formulas_of_molecules_are_read_as_graphs(example):
    molecule = example("smiles").Molecule
    acid = molecule("CC(=O)[O-]")
    assert acid.atoms == ["C", "C", "O", "O-"]
    assert acid.bonds == [(0, 1, "-"), (1, 2, "="), (1, 3, "-")]
    pyrrole = molecule("c1cc[nH]c1-c2ccccc2")
    assert pyrrole.atoms == ["c", "c", "c", "nH", *"ccccccc"]
    assert pyrrole.bonds.count((0, 4, ":")) == 1  # the ring is closed
    assert (4, 5, "-") in pyrrole.bonds  # which is all that joins the two rings
    assert sum(kind == ":" for *_, kind in pyrrole.bonds) == 11
    assert molecule("[C@@H](Cl)(Br)C#N").atoms == ["C", "Cl", "Br", "C", "N"]
    salt = molecule("[Na+].C%12CC%12")
    assert sorted(salt.bonds) == [(1, 2, "-"), (1, 3, "-"), (2, 3, "-")]
    for table in molecule("C1=CC1").neighbours().values():
        assert (table == table.T).all()
        assert not table.diagonal().any()


def test_the_order_of_atoms_does_not_change_the_score(example):
    smiles, network = example("smiles"), example("molecules").GraphNetwork
    dy.reset_random_seed(3)
    atoms = dy.data.Vocabulary(["C", "O", "N", "="])
    scorer = network(atoms, dy.ParameterCollection(), size=8).eval()
    scores = dy.npvalues([scorer(smiles.Molecule(text)) for text in ("NCC(=O)O", "OC(=O)CN", "OCC(=O)N")])
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    assert scores[0] != pytest.approx(scores[2], rel=1e-5)


def test_simple_methods_of_molecules(example):
    molecules, molecule = example("molecules"), example("smiles").Molecule
    training = [(molecule("CCC"), True), (molecule("CCO"), False)]
    odds = molecules.naive_bayes(training)
    assert odds(molecule("CCCC")) > 0 > odds(molecule("OCO"))
    told = molecules.report([1.0, -1.0, 2.0, 0.5], [(None, True), (None, False), (None, True), (None, False)])
    assert told == "75.0% right, area under the curve 1.000"


def test_questions_are_parsed_and_answered(example):
    questions = example("questions")
    kind, phrase = questions.parse(
        ["what", "colour", "the", "square", "left", "of", "a", "red", "thing", "above", "a", "circle"]
    )
    assert kind == "colour"
    assert (phrase.words, phrase.relation, phrase.other.words) == (["square"], "left of", ["red"])
    assert (phrase.other.relation, phrase.other.other) == ("above", questions.Phrase(["circle"]))
    things = {
        (0, 0): ("green", "square"),
        (0, 1): ("red", "square"),
        (1, 1): ("blue", "circle"),
        (2, 2): ("red", "circle"),
    }
    assert questions.places(phrase, things) == {(0, 0)}
    assert questions.places(questions.parse(["how", "many", "are", "there", "circle"])[1], things) == {
        (1, 1),
        (2, 2),
    }


def test_made_up_answers_are_right(example):
    questions, draw = example("questions"), random.Random(5)
    for _ in range(100):
        depth = draw.randrange(3)
        picture, words, answer = questions.question(draw, depth)
        assert picture.shape == (108, 9)
        kind, phrase = questions.parse(words)
        told = {"exists": ["yes", "no"], "count": list("0123456789")}
        assert answer in told.get(kind, questions.COLOURS + questions.SHAPES)
        for _ in range(depth):
            phrase = phrase.other
        assert phrase.other is None


def test_lines_of_digits_are_cut_where_no_ink_is(example):
    ctc = example("ctc")
    one, bar = np.zeros((8, 8), dtype=np.float32), np.zeros((8, 8), dtype=np.float32)
    one[:, 3:5] = 1
    bar[3:5, 2:7] = 1
    assert ctc.inked(one).shape == (8, 2)
    cutter = ctc.Cutter([(one, 1), (bar, 2)])
    paper = np.concatenate([one, bar, one], axis=1)
    assert cutter.read([paper]) == [[1, 2, 1]]
    lines = [(paper, [1, 2, 1]), (paper, [1, 2])]
    assert ctc.errors(lines, [[1, 2, 1], [2]]) == (1 / 5, 1 / 2)
    draw = random.Random(4)
    for _ in range(20):
        picture, written = ctc.line([(one, 1), (bar, 2)], draw)
        assert picture.shape[1] >= 2 * len(written)  # so that blanks fit between digits that are the same


def test_marks_belong_to_the_word_before_them(example):
    punctuation = example("punctuation")
    [piece] = punctuation.pieces([["In", "it", ",", "Paul", "is", "?"], ["“", "No", "!"]])
    assert [word for word, _, _ in piece] == ["in", "it", "paul", "is", "no"]
    assert [mark for _, mark, _ in piece] == ["", ",", "", "?", "!"]
    assert [capital for _, _, capital in piece] == [True, False, True, False, True]
    usual = punctuation.Usual([piece])
    [found] = usual.restore([["it", "paul", "is", "no", "new"]])
    assert found == [(",", False), ("", True), ("?", False), ("!", True), ("", True)]
    assert punctuation.f1(usual, [piece]) == [1, 1]
    assert punctuation.written(["it", "paul"], found[:2]) == "it, Paul"


def test_actors_are_judged_by_what_critics_promise(example):
    policy = example("policy_gradient")
    dy.reset_random_seed(1)
    player = policy.Player(dy.ParameterCollection(), size=8)
    starts = example("dqn").games()[:3]
    played = player.play(starts, policy.by_chance)
    assert [len(seen) for seen in played] == [6, 6, 6]
    for seen in played:
        assert [reward for *_, reward, _ in seen[:-1]] == [0] * 5
        losses = list(policy.ActorCritic().losses(player, seen))
        promises = [player.promise(dy.inputTensor(state.picture())).value() for state, *_ in seen]
        goals = [seen[-1][3]]
        for promise in promises[:0:-1]:
            goals.append(0.2 * promise + 0.8 * goals[-1])
        squares = [(goal - promise) ** 2 for goal, promise in zip(goals, promises[::-1], strict=True)]
        assert [loss.value() for loss in losses[1::2]] == pytest.approx(squares, rel=1e-4, abs=1e-6)
        chances = [row.npvalue()[move] for _, row, move, _, _ in seen[::-1]]
        policies = [-c * (g - p) for c, g, p in zip(chances, goals, promises[::-1], strict=True)]
        assert [loss.value() for loss in losses[::2]] == pytest.approx(policies, rel=1e-4, abs=1e-6)
    reinforce = policy.Reinforce()
    reward = played[0][-1][3]
    assert reinforce.losses(player, played[0])[0].value() == pytest.approx(
        -played[0][0][1].npvalue()[played[0][0][2]] * reward, rel=1e-5
    )
    assert reinforce.usual == pytest.approx(0.02 * reward)
