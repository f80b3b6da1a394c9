"""What bad input gets: an error at the line that says what was given and what would fit; nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

import dynet as dy

S = dy.structured


def zeros(*shape):
    return dy.inputTensor(np.zeros(shape))


def wrong():
    """Calls that fail, each with the error and a part of its text."""
    yield lambda: S.LinearChain(zeros(3, 4), zeros(4, 4)), ValueError, r"transitions of shape \{4,4\}"
    yield lambda: S.LinearChain(zeros(3, 4), zeros(3, 3), zeros(2)), ValueError, "start of shape"
    yield lambda: S.LinearChain([], zeros(3, 3)), ValueError, "empty list"
    yield (
        lambda: S.LinearChain(zeros(3, 4), zeros(3, 3), allowed=np.ones((4, 3), bool)),
        ValueError,
        "allowed",
    )
    yield lambda: S.LinearChain(zeros(3, 4), zeros(3, 3)).nll([0, 1]), ValueError, "2 tags for 4"
    yield lambda: S.LinearChain(zeros(3, 4), zeros(3, 3)).nll([0, 1, 3, 0]), IndexError, "index 3"
    yield lambda: S.LinearChain(zeros(3, 4), zeros(3, 3)).k_best(0), ValueError, "0 best"
    yield lambda: S.LinearChain(zeros(3, 4), zeros(3, 3)).marginals(2), IndexError, "argument 2 of 2"
    yield lambda: S.Segments(zeros(2, 3)).score([(0, 3, 0)]), ValueError, "words together"
    yield lambda: S.Segments(zeros(2, 3, 4)).score([(0, 4, 0)]), ValueError, "length 4"
    yield lambda: S.Segments(zeros(2, 3, 4)).score([(1, 4, 0)]), ValueError, "from 1 to 4"
    yield lambda: S.CTC(zeros(3, 4), [3]), IndexError, "index 3"
    yield lambda: S.CTC(zeros(3, 4), [0]), ValueError, "blank"
    yield lambda: S.CTC(zeros(3, 4), [1], blank=3), ValueError, "blank is 3 of 3"
    yield lambda: S.CTC(zeros(3, 2), [1, 2, 1]).loss(), ValueError, "3 labels for 2 frames"
    yield lambda: S.CTC(zeros(3, 4), [1]).score([0, 1, 0, 1]), ValueError, "not the 1"
    yield lambda: S.ctc_decode(zeros(3, 4), beam=2, k=3), ValueError, "3 best of a beam of 2"
    yield lambda: S.Alignment(zeros(2, 2)).score([(0, 0)]), ValueError, "first cell to the last"
    yield lambda: S.Alignment(zeros(2, 3)).score([(0, 0), (1, 2)]), ValueError, "a step from cell"
    yield lambda: S.EditLattice(zeros(2, 2), zeros(2), zeros(3)), ValueError, "insert of shape"
    yield lambda: S.EditLattice(zeros(1, 1), zeros(1), zeros(1)).score([("swap", 0, 0)]), ValueError, "swap"
    yield lambda: S.BinaryTrees(zeros(2, 3)), ValueError, "spans of shape"
    yield lambda: S.BinaryTrees(zeros(3, 3)).score([(0, 2, 0)] * 5), ValueError, "binary tree"
    yield lambda: S.ProjectiveTrees(zeros(3, 3)), ValueError, "arcs of shape"
    yield lambda: S.ProjectiveTrees(zeros(4, 3)).nll([0, 0, 1]), ValueError, "2 words hang on the root"
    yield lambda: S.ProjectiveTrees(zeros(5, 4)).nll([0, 4, 1, 1]), ValueError, "cross"
    yield lambda: S.SpanningTrees(zeros(4, 3)).nll([0, 3, 2]), ValueError, "lead back"
    yield lambda: S.Assignment(zeros(2, 2)).score([0, 0]), ValueError, "two rows"
    yield lambda: S.tag_constraints(["O", "X-PER"]), ValueError, "'X-PER' is no tag of BIO"
    yield lambda: S.tag_constraints(["O"], "BILOU"), ValueError, "scheme 'BILOU'"


@pytest.mark.parametrize("number", range(len(list(wrong()))))
def test_wrong_calls(number):
    dy.renew_cg()
    kept = dy.inputTensor(np.array([1.0, 2.0]))
    call, error, message = list(wrong())[number]
    with pytest.raises(error, match=message):
        call()
    np.testing.assert_array_equal((kept * 2).npvalue(), [2, 4])


def test_numbers_that_are_none():
    chain = S.LinearChain(dy.inputTensor([[np.nan, 0], [0, 0]]), zeros(2, 2))
    assert np.isnan(chain.log_partition().value())
    for ask in (chain.best, chain.sample):
        with pytest.raises(ValueError, match="NaN"):
            ask()


def test_what_does_not_fit_has_an_infinite_loss_and_no_gradient():
    for zero_infinity, expected in ((False, np.inf), (True, 0.0)):
        dy.renew_cg()
        x = dy.inputTensor(np.zeros((2, 3)))
        loss = S.CTC(x, [1, 1, 1]).loss(zero_infinity)
        assert loss.value() == expected
        loss.backward(full=True)
        assert (np.asarray(x.gradient()) == 0).all()


def test_tag_constraints():
    tags = ["O", "B-X", "I-X", "B-Y", "I-Y"]
    rules = S.tag_constraints(tags)
    for to, of in (("I-X", "B-X"), ("I-X", "I-X"), ("B-Y", "I-X"), ("O", "I-X")):
        assert rules.transitions[tags.index(to), tags.index(of)]
    for to, of in (("I-X", "O"), ("I-X", "B-Y"), ("I-Y", "I-X")):
        assert not rules.transitions[tags.index(to), tags.index(of)]
    random = np.random.default_rng(1)
    for _ in range(20):
        dy.renew_cg()
        scores = dy.inputTensor(random.normal(size=(5, 6)))
        found = [tags[t] for t in S.LinearChain(scores, zeros(5, 5), constraints=rules).best()]
        for before, tag in zip(["O", *found], found, strict=False):
            assert tag[0] != "I" or before[2:] == tag[2:]


def test_a_batch_is_a_loop():
    random = np.random.default_rng(2)
    emissions, tags = random.normal(size=(3, 4, 5)), random.integers(0, 3, (5, 4)).tolist()
    steps = dy.inputTensor(random.normal(size=(3, 3)))
    together = S.LinearChain(dy.inputTensor(emissions, batched=True), steps)
    alone = [S.LinearChain(dy.inputTensor(emissions[..., b]), steps) for b in range(5)]
    assert together.best() == [c.best() for c in alone] == S.best_of_all(alone)
    losses = [c.nll(y).value() for c, y in zip(alone, tags, strict=True)]
    assert together.nll(tags).npvalue().ravel().tolist() == losses


def test_long_sentences():
    """1,000 words and scores of 1e4: the marginals of a chain that is all but certain."""
    random = np.random.default_rng(3)
    right = random.integers(0, 4, 1000)
    emissions = np.full((4, 1000), -1e4)
    emissions[right, np.arange(1000)] = 1e4
    chain = S.LinearChain(dy.inputTensor(emissions), dy.inputTensor(random.normal(size=(4, 4)) * 100))
    assert chain.best() == right.tolist()
    assert chain.nll(right.tolist()).value() == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(chain.marginals().npvalue()[right, np.arange(1000)], 1, atol=1e-6)
    path = [1, 2] * 100
    log_probs = dy.log_softmax(dy.inputTensor(random.normal(size=(5, 1000)) * 10))
    assert np.isfinite(S.CTC(log_probs, path).loss().value())


def test_gradients_of_marginals_and_entropy_flow():
    model = dy.ParameterCollection()
    arcs = model.add_parameters((5, 4), init="normal")
    for trees in (S.SpanningTrees, S.ProjectiveTrees):
        dy.renew_cg()
        d = trees(arcs)
        loss = d.entropy() + dy.sum_elems(dy.square(d.marginals()))
        assert dy.check_grad(model, loss) or dy.__precision__ == "float32"


def test_edit_distance():
    assert S.edit_distance("", "abc") == 3
    assert S.edit_distance(["a", "b"], ["b", "a"]) == 2
    assert S.edit_distance("sunday", "saturday") == 3


def test_what_is_no_expression_is_told_by_the_class():
    numbers = np.zeros((2, 3))
    with pytest.raises(TypeError, match=r"LinearChain: a ndarray was given; scores are expressions"):
        dy.structured.LinearChain(numbers, dy.zeros((2, 2)))
    with pytest.raises(TypeError, match=r"best_of_all: an int is in the list"):
        dy.structured.best_of_all([5])
    chain = dy.structured.LinearChain(dy.zeros((2, 3)), dy.zeros((2, 2)))
    with pytest.raises(TypeError, match=r"best_of_all: one distribution was given"):
        dy.structured.best_of_all(chain)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: S.LinearChain(zeros(3, 4), zeros(3, 3)).nll([0, 1]), ValueError, "LinearChain.nll: 2 tags"),
        (lambda: S.LinearChain(zeros(3, 4), zeros(4, 4)), ValueError, "LinearChain: transitions of shape"),
        (lambda: S.EditLattice(zeros(2, 2), zeros(2), zeros(3)), ValueError, "EditLattice: insert of shape"),
        (lambda: S.Assignment(zeros(2, 2)).score([0, 0]), ValueError, "Assignment.score: a column"),
        (lambda: S.Assignment(zeros(2, 2)).entropy(), ValueError, "Assignment.entropy: no sum"),
        (lambda: S.BinaryTrees(zeros(2, 3)), ValueError, "BinaryTrees: spans of shape"),
        (lambda: S.SpanningTrees(zeros(4, 3)).nll([0, 3, 2]), ValueError, "SpanningTrees.nll: the heads"),
        (lambda: S.ProjectiveTrees(zeros(3, 3)), ValueError, "ProjectiveTrees: arcs of shape"),
        (lambda: S.Segments(zeros(2, 3, 4)).score([(0, 4, 0)]), ValueError, "Segments.score: a segment"),
        (lambda: S.Alignment(zeros(2, 2)).marginals(1), IndexError, "Alignment.marginals: argument 1 of 1"),
        (lambda: S.CTC(zeros(3, 4), [1]).score([0, 1, 0, 1]), ValueError, "CTC.score: a path"),
        (lambda: S.CTC(zeros(4, 3), [3, 2, 5]), IndexError, r"CTC: .*index 5"),
        (lambda: S.CTC(zeros(4, 8), [3, 2, 5]), IndexError, r"\(4, 8\), \(labels, frames\): transposed\?"),
        (lambda: S.LinearChain(zeros(3, 4), zeros(3, 3)).nll("abc"), TypeError, "nll: element 0 of a list"),
    ],
)
def test_errors_name_the_class(call, error, text):
    with pytest.raises(error, match=text):
        call()


def batch_of_frames():
    random = np.random.default_rng(5)
    return [random.normal(size=(4, 6)) for _ in range(3)]


def test_each_element_of_a_batch_has_its_target():
    frames, targets = batch_of_frames(), [[1, 2, 3], [], [3, 3]]
    ours = S.CTC(dy.log_softmax(dy.inputTensor(np.stack(frames, -1), batched=True)), targets)
    alone = [
        S.CTC(dy.log_softmax(dy.inputTensor(x)), target) for x, target in zip(frames, targets, strict=True)
    ]
    for ask in ("loss", "log_partition", "entropy"):
        values = getattr(ours, ask)().npvalue().ravel().tolist()
        assert values == [getattr(each, ask)().value() for each in alone]
    together = ours.marginals().npvalue(batched=True)
    for number, each in enumerate(alone):
        np.testing.assert_array_equal(together[..., number], each.marginals().npvalue())
    best = ours.best()
    assert best == [each.best() for each in alone]
    assert ours.nll(best).npvalue().ravel().tolist() == [
        each.nll(path).value() for each, path in zip(alone, best, strict=True)
    ]
    for path, target in zip(ours.sample(), targets, strict=True):
        kept = [label for at, label in enumerate(path) if at == 0 or label != path[at - 1]]
        assert [label for label in kept if label] == target


def test_targets_of_another_number_or_with_a_blank_are_refused():
    x = dy.inputTensor(np.stack(batch_of_frames(), -1), batched=True)
    with pytest.raises(ValueError, match="CTC: 2 targets for a mini-batch of 3"):
        S.CTC(x, [[1], [2]])
    with pytest.raises(ValueError, match="CTC: the target has the blank"):
        S.CTC(x, [[1], [2, 0], [3]])
    with pytest.raises(ValueError, match=r"CTC\.loss: a target of 7 labels for 6 frames"):
        S.CTC(x, [[1], [2] * 7, [3]]).loss()
    finite = S.CTC(x, [[1], [2] * 7, [3]]).loss(zero_infinity=True).npvalue().ravel()
    assert finite[1] == 0 and (finite[[0, 2]] != 0).all()


def test_what_is_not_a_number_is_in_every_sum():
    dy.renew_cg()
    scores = dy.inputTensor([[0.0, np.nan, 1.0], [1.0, 0.0, 0.0]])
    chain = dy.structured.LinearChain(scores, dy.zeros((2, 2)))
    for asked in (chain.log_partition(), chain.entropy(), chain.marginals(), chain.nll([0, 0, 0])):
        assert np.isnan(asked.npvalue()).all()
    with pytest.raises(ValueError, match="not a number"):
        chain.best()


@pytest.mark.parametrize(
    "edits",
    [
        [("delete", 0, 0), ("delete", 1, 0)],
        [("delete", -1, 0)],
        [("match", 0, 1), ("insert", 1, 0)],
        [("insert", 0, -1), ("insert", 0, 0)],
        [("match", 0, 0)],
    ],
)
def test_edits_that_cannot_be(edits):
    dy.renew_cg()
    lattice = dy.structured.EditLattice(dy.ones((1, 2)), dy.ones(1), dy.ones(2))
    with pytest.raises(ValueError, match="EditLattice: edit"):
        lattice.score(edits)


def test_structures_of_a_batch_have_one_size():
    dy.renew_cg()
    batch = dy.inputTensor(np.zeros((2, 3, 2)), batched=True)
    chain = dy.structured.LinearChain(batch, dy.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"structures of \[2, 4\] parts"):
        chain.score([[1, 1], [1, 0, 0, 0]])
    one = chain.score(tag for tag in (0, 1, 1)).npvalue()
    np.testing.assert_array_equal(one, chain.score([[0, 1, 1], [0, 1, 1]]).npvalue())
    trees = dy.structured.BinaryTrees(dy.inputTensor(np.ones((2, 2, 1, 3)), batched=True))
    spans = [(0, 0, 0), (1, 1, 0), (0, 1, 0)]
    np.testing.assert_array_equal(trees.score(spans).npvalue(), trees.score([spans] * 3).npvalue())


def test_a_word_under_itself_is_ignored_whatever_it_scores():
    dy.renew_cg()
    for kind in (dy.structured.SpanningTrees, dy.structured.ProjectiveTrees):
        scores = np.array([[0.0, 1.0], [np.nan, 2.0], [3.0, np.nan]])
        plain = np.where(np.isnan(scores), 0, scores)
        for asked in ("log_partition", "entropy"):
            values = [getattr(kind(dy.inputTensor(each)), asked)().value() for each in (scores, plain)]
            assert values[0] == values[1]
        assert kind(dy.inputTensor(scores)).best() == kind(dy.inputTensor(plain)).best()
        forbidden = dy.inputTensor([[0.0, -np.inf], [np.nan, -np.inf], [0.0, np.nan]])
        assert kind(forbidden).log_partition().value() == -np.inf
