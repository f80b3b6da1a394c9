"""Functions of lists in which the same object comes again, of every length, in every kind of iterable."""

import itertools

import numpy as np
import pytest

import dynet as dy

LENGTHS = [1, 2, 3, 4, 15, 16, 17, 40]
KINDS = {
    "list": list,
    "tuple": tuple,
    "generator": lambda xs: (x for x in xs),
    "iterator": iter,
    "list subclass": type("MyList", (list,), {}),
    "tuple subclass": type("MyTuple", (tuple,), {}),
    "mapping view": lambda xs: dict(enumerate(xs)).values(),
}
PATTERNS = {
    "one": lambda xs, n: [xs[0]] * n,
    "turns": lambda xs, n: [xs[i % 3] for i in range(n)],
    "there and back": lambda xs, n: [xs[min(i, n - 1 - i) % 3] for i in range(n)],
    "first at both ends": lambda xs, n: [xs[0], *(xs[1 + i % 2] for i in range(n - 2)), xs[0]][:n],
    "equal but new objects": lambda xs, n: [xs[i % 3] + 0 if i % 2 else xs[i % 3] for i in range(n)],
}


def logsumexp(columns):
    return np.log(np.sum(np.exp(columns.astype(np.float64)), 0))


REFERENCES = {
    "esum": lambda a: a.sum(0),
    "average": lambda a: a.mean(0),
    "emax": lambda a: a.max(0),
    "logsumexp": logsumexp,
    "concatenate": lambda a: a.reshape(-1),
    "concatenate_cols": lambda a: a.T if len(a) > 1 else a[0][:, None],
    "concatenate_to_batch": lambda a: a.T if len(a) > 1 else a[0],
}


@pytest.fixture
def xs():
    dy.renew_cg()
    return [dy.inputVector(v) for v in ([1, 5, 3], [4, 2, 6], [0, 9, -1])]


CASES = list(itertools.product(REFERENCES, PATTERNS, KINDS))


@pytest.mark.parametrize(("name", "pattern", "kind"), CASES)
def test_against_numpy(xs, name, pattern, kind):
    for length in LENGTHS:
        chosen = PATTERNS[pattern](xs, length)
        want = REFERENCES[name](np.array([x.npvalue() for x in chosen]))
        given = getattr(dy, name)(KINDS[kind](chosen)).npvalue()
        np.testing.assert_allclose(given.reshape(want.shape), want, rtol=1e-5)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("kind", KINDS)
def test_affine_transform(xs, pattern, kind):
    matrices = [dy.inputTensor(np.arange(9).reshape(3, 3) / (3 + i)) for i in range(2)]
    for pairs in (0, 1, 2, 7, 8, 9):
        chosen = PATTERNS[pattern](xs, pairs)
        terms = [term for i, x in enumerate(chosen) for term in (matrices[i % 2], x)]
        want = xs[0].npvalue() + sum(
            w.npvalue() @ x.npvalue() for w, x in zip(terms[::2], terms[1::2], strict=True)
        )
        given = dy.affine_transform(KINDS[kind]([xs[0], *terms]))
        np.testing.assert_allclose(given.npvalue(), want, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REFERENCES)
def test_nothing(name, kind):
    with pytest.raises(ValueError, match="empty list"):
        getattr(dy, name)(KINDS[kind]([]))


@pytest.mark.parametrize("kind", KINDS)
def test_lists_of_evaluation_and_builders(xs, kind):
    lstm = dy.VanillaLSTMBuilder(2, 3, 4, dy.ParameterCollection())
    for length in LENGTHS:
        chosen = PATTERNS["there and back"](xs, length)
        for name in ("values", "npvalues"):
            each = [x.value() if name == "values" else x.npvalue() for x in chosen]
            assert np.array_equal(getattr(dy, name)(KINDS[kind](chosen)), each)
        dy.forward(KINDS[kind](chosen))
        state, outputs = lstm.initial_state(), []
        for x in chosen:
            state = state.add_input(x)
            outputs.append(state.output().npvalue())
        transduced = lstm.initial_state().transduce(KINDS[kind](chosen))
        added = [s.output() for s in lstm.initial_state().add_inputs(KINDS[kind](chosen))]
        assert np.array_equal(dy.npvalues(transduced), outputs) and np.array_equal(
            dy.npvalues(added), outputs
        )
    h = dy.inputVector([1, 2, 3, 4])
    state = lstm.initial_state(KINDS[kind]([h, h, h, h]))
    assert [e.value() for e in state.s()] == [[1, 2, 3, 4]] * 4
    state = lstm.initial_state().set_h(KINDS[kind]([h, h]))
    assert [e.value() for e in state.h()] == [[1, 2, 3, 4]] * 2


@pytest.mark.parametrize("name", ["esum", "emax", "concatenate", "average", "logsumexp"])
def test_gradients_of_repeated_parameters(name):
    dy.renew_cg()
    model = dy.ParameterCollection()
    p, q = model.add_parameters(3, init=2), model.add_parameters(3, init=1)
    dy.sum_elems(getattr(dy, name)([p, q, p, p])).backward()
    weight = {"esum": (3, 1), "concatenate": (3, 1), "average": (0.75, 0.25)}.get(name)
    if name == "emax":
        assert p.grad_as_array().sum() + q.grad_as_array().sum() == 3
    elif name == "logsumexp":
        np.testing.assert_allclose(p.grad_as_array() + q.grad_as_array(), np.ones(3), rtol=1e-6)
    else:
        assert p.grad_as_array().tolist() == [weight[0]] * 3 and q.grad_as_array().tolist() == [weight[1]] * 3


def test_affine_transform_of_any_length():
    """A node has at most 65,534 arguments; the sum of more products is made in steps."""
    dy.renew_cg()
    b, w, x = dy.inputVector([0.5, 0]), dy.inputTensor(np.eye(2)), dy.inputVector([1, 2])
    for pairs in (32766, 32767, 32768, 70000):
        total = dy.affine_transform([b, *[w, x] * pairs])
        assert total.value() == [pairs + 0.5, 2 * pairs]
    with pytest.raises(ValueError, match="affine_transform: 140002 expressions; an odd number is needed"):
        dy.affine_transform([b, *[w, x] * 70000, w])
