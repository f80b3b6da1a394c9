"""The sweep over the table of operations: each law for each entry.

It runs in single or in double precision, whichever extension is loaded (DYNET_REAL=double); gradients are
compared closely in double precision.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import CASES, ELSEWHERE
from table import DOUBLE, GRADIENT_TOLERANCE, VALUE_TOLERANCE, Case, assert_close, label, loss_of, weights

import dynet as dy

POLICIES = ("single", "depth", "agenda")
COPIES = 4

RANDOM_CASES = [c for c in CASES if c.ref is None]
KNOWN_CASES = [c for c in CASES if c.ref is not None]
# These take the class of one example; their forms with a list of classes are cases of their own.
ONE_EXAMPLE = {"hinge", "pickneglogsoftmax"}
BATCH_CASES = [c for c in KNOWN_CASES if c.inputs and not c.mixes_batch and c.name not in ONE_EXAMPLE]


def each(cases: list[Case]):
    return pytest.mark.parametrize("case", cases, ids=[label(c) for c in cases])


def numbers(e) -> np.ndarray:
    return np.asarray(e.npvalue(), dtype=np.float64)


def renew(autobatching: bool = True, policy: str = "agenda") -> None:
    dy.set_batching_policy(policy)
    dy.renew_cg(autobatching=autobatching)


@pytest.fixture(autouse=True)
def defaults():
    yield
    renew()


def run(
    case: Case, copies: int, autobatching: bool, policy: str, shared: bool = False, unused: int | None = None
) -> list[np.ndarray]:
    """Values and input gradients of several copies of a case in one graph.

    The copies have inputs of their own, or share them; the loss does not depend on the unused one.
    """
    dy.reset_random_seed(7)
    renew(autobatching, policy)
    built = [case.build(case.arrays(salt)) for salt in range(copies)]
    if shared:
        xs = built[0][0]
        built = [(xs, case.call(*xs, **case.attributes)) for _ in range(copies)]
    loss = dy.esum([loss_of(y) * (1 + 0.3 * i) for i, (_, y) in enumerate(built) if i != unused])
    values = [numbers(y) for _, y in built]
    loss.value()
    loss.backward(full=True)
    return values + [np.asarray(x.gradient()) for xs, _ in built for x in xs]


def assert_same(actual, expected, what: str) -> None:
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=what)


@each(KNOWN_CASES)
def test_value(case: Case) -> None:
    renew()
    arrays = case.arrays()
    _, y = case.build(arrays)
    actual, expected = numbers(y), case.expected(arrays)
    assert actual.shape == expected.shape
    assert_close(actual, expected, case.tolerance * VALUE_TOLERANCE)


def central_differences(case: Case, arrays: list[np.ndarray], at: int, w: np.ndarray) -> np.ndarray:
    step = 1e-5
    slopes = np.zeros_like(arrays[at])

    def loss(changed: np.ndarray) -> float:
        y = case.differentiable([*arrays[:at], changed, *arrays[at + 1 :]])
        return float(np.sum(np.where(np.isfinite(y), w * np.where(np.isfinite(y), y, 0), 0)))

    for place in np.ndindex(slopes.shape):
        up, down = arrays[at].copy(), arrays[at].copy()
        up[place] += step
        down[place] -= step
        slopes[place] = (loss(up) - loss(down)) / (2 * step)
    return slopes


@each([c for c in KNOWN_CASES if c.inputs])
def test_gradient(case: Case) -> None:
    renew()
    arrays = case.arrays()
    xs, y = case.build(arrays)
    loss = loss_of(y)
    loss.value()
    loss.backward(full=True)
    shape, batch = y.dim()
    w = weights(shape + ((batch,) if batch > 1 else ()))
    for i, x in enumerate(xs):
        expected = central_differences(case, arrays, i, w)
        assert_close(np.asarray(x.gradient()), expected, case.tolerance * GRADIENT_TOLERANCE)


@each(BATCH_CASES)
def test_batch_law(case: Case) -> None:
    """A minibatch is a loop over its elements, bit for bit."""
    arrays = case.arrays(batch=3)
    renew()
    xs, y = case.build(arrays, batched=True)
    loss = dy.sum_batches(dy.sum_elems(dy.cmult(y, dy.inputTensor(weights(y.dim()[0])))))
    values = numbers(y)
    loss.value()
    loss.backward(full=True)
    gradients = [np.asarray(x.gradient()) for x in xs]
    for b in range(3):
        renew()
        single_xs, single_y = case.build([a[..., b] for a in arrays])
        loss = loss_of(single_y)
        assert_same([numbers(single_y)], [values[..., b]], "value")
        loss.value()
        loss.backward(full=True)
        for x, gradient in zip(single_xs, gradients, strict=True):
            assert_same([np.asarray(x.gradient())], [gradient[..., b]], "gradient")


@each([c for c in BATCH_CASES if len(c.inputs) > 1])
def test_shared_argument(case: Case) -> None:
    """An argument without a batch is one for all elements, and gets the sum of their gradients."""
    for shared in range(len(case.inputs)):
        batched, single = case.arrays(batch=3), case.arrays()
        renew()
        xs = [
            dy.inputTensor(single[i]) if i == shared else dy.inputTensor(a, batched=True)
            for i, a in enumerate(batched)
        ]
        y = case.call(*xs, **case.attributes)
        loss = dy.sum_batches(dy.sum_elems(dy.cmult(y, dy.inputTensor(weights(y.dim()[0])))))
        values = numbers(y)
        loss.value()
        loss.backward(full=True)
        gradient = np.asarray(xs[shared].gradient())
        total = np.zeros_like(gradient)
        for b in range(3):
            renew()
            arrays = [single[i] if i == shared else a[..., b] for i, a in enumerate(batched)]
            one_xs, one_y = case.build(arrays)
            loss = loss_of(one_y)
            assert_same([numbers(one_y)], [values[..., b]], "value")
            loss.value()
            loss.backward(full=True)
            total += np.asarray(one_xs[shared].gradient())
        assert_close(gradient, total, 1e-11 if DOUBLE else 1e-4)
        if len(case.inputs) > 8:
            break


@each(CASES)
def test_schedule_law(case: Case) -> None:
    """Any schedule gives the same bits, random operations included."""
    expected = run(case, COPIES, autobatching=False, policy="agenda")
    for policy in POLICIES:
        assert_same(run(case, COPIES, True, policy), expected, policy)


@each([c for c in CASES if c.inputs])
def test_gradients_of_shared_inputs(case: Case) -> None:
    """What several consumers add to one gradient is added in one order, whatever the schedule."""
    for copies in (2, COPIES):
        expected = run(case, copies, autobatching=False, policy="agenda", shared=True)
        for policy in POLICIES:
            assert_same(run(case, copies, True, policy, shared=True), expected, policy)


@each(CASES)
def test_loss_of_some_copies(case: Case) -> None:
    """Of nodes that ran together only some may lead to the loss."""
    expected = run(case, COPIES, autobatching=False, policy="agenda", unused=2)
    assert_same(run(case, COPIES, True, "agenda", unused=2), expected, "some")


def steps(case: Case, copies: int) -> int:
    renew()
    dy.forward([dy.exp(case.build(case.arrays(salt))[1]) for salt in range(copies)])
    return dy.cg().step_count()


@each(CASES)
def test_copies_run_together(case: Case) -> None:
    """What reads them runs too, so that there is a step even where a leaf or a view needs none."""
    assert steps(case, COPIES) == steps(case, 1) > 0


def rivals() -> list[list[Case]]:
    """Cases of one operation whose inputs have equal shapes but whose attributes differ."""
    groups: dict[object, list[Case]] = {}
    for c in KNOWN_CASES:
        groups.setdefault((c.name, tuple(c.inputs)), []).append(c)
    return [group for group in groups.values() if len(group) > 1]


@pytest.mark.parametrize("group", rivals(), ids=lambda group: group[0].name)
def test_attributes_are_kept_apart(group: list[Case]) -> None:
    alone = [run(c, 1, autobatching=False, policy="single") for c in group]
    renew()
    built = [c.build(c.arrays()) for c in group]
    loss = dy.esum([loss_of(y) for _, y in built])
    loss.value()
    loss.backward(full=True)
    for (xs, y), expected in zip(built, alone, strict=True):
        assert_same([numbers(y), *(np.asarray(x.gradient()) for x in xs)], expected, "together")


@pytest.mark.parametrize(
    ("case", "bad"),
    [pytest.param(c, bad, id=f"{c.name}:{bad.text}") for c in CASES for bad in c.bad],
)
def test_error(case: Case, bad) -> None:
    """An error says what is wrong, and leaves the graph as it was."""
    renew()
    kept = dy.inputTensor(np.array([1.0, 2.0]))
    twice = kept * 2
    inputs = case.inputs if bad.inputs is None else bad.inputs
    xs = [
        dy.inputTensor(a, batched=s.batch > 0)
        for a, s in zip(case.arrays(inputs=tuple(inputs)), inputs, strict=True)
    ]
    size = len(dy.cg())
    with pytest.raises(bad.error) as info:
        case.call(*xs, **{**case.attributes, **bad.attributes})
    assert bad.text in str(info.value)
    assert str(info.value).split(":")[0] in dy.ops()
    assert len(dy.cg()) == size
    np.testing.assert_array_equal(numbers(twice), [2, 4])
    np.testing.assert_array_equal(numbers(kept + twice), [3, 6])


@each(KNOWN_CASES)
def test_instruction_sets_agree(case: Case) -> None:
    if len(dy.instruction_sets()) == 1:
        pytest.skip("one instruction set")
    try:
        results = []
        for name in dy.instruction_sets():
            dy.set_instruction_set(name)
            results.append(run(case, 1, autobatching=True, policy="agenda"))
    finally:
        dy.set_instruction_set(dy.instruction_sets()[-1])
    for first, other in itertools.pairwise(results):
        for a, b in zip(first, other, strict=True):
            assert_close(a, b, case.tolerance * VALUE_TOLERANCE)


def test_every_operation_has_a_case() -> None:
    assert {c.name for c in CASES} | ELSEWHERE == set(dy.ops())
    assert len(dy.ops()) == len(set(dy.ops()))
