"""dy.einsum against NumPy's, with its gradient and its errors."""

import numpy as np
import pytest

import dynet as dy

SUBSCRIPTS = [
    "ij,jk->ik",
    "ij,jk",
    "ij,j->i",
    "i,i->",
    "i,j->ij",
    "ij->ji",
    "ij->",
    "ij->j",
    "ijb,jkb->ikb",
    "bij,bjk->bik",
    "ij,kj->ki",
    "i,ijk,k->j",
    "ij,jk,kl->il",
    "ijk,ljk->il",
    "ab,cd->dacb",
    "aij,ai->aj",
    "i,ij,j",
    "Xa, aY -> XY",
]
SIZES = dict(zip("abcdijklXY", [2, 3, 2, 3, 4, 3, 2, 5, 3, 2], strict=True))


def arrays(subscripts, batch=0):
    random = np.random.default_rng(7)
    groups = subscripts.replace(" ", "").partition("->")[0].split(",")
    last = (batch,) if batch else ()
    return [random.normal(size=(*(SIZES[c] for c in group), *last)).astype(np.float32) for group in groups]


@pytest.mark.parametrize("subscripts", SUBSCRIPTS)
def test_value_and_gradient(subscripts):
    given = arrays(subscripts)
    m = dy.ParameterCollection()
    parameters = [m.parameters_from_numpy(a) for a in given]
    y = dy.einsum(subscripts, *parameters)
    expected = np.einsum(subscripts, *given)
    np.testing.assert_allclose(y.npvalue(), np.atleast_1d(expected), rtol=1e-5, atol=1e-5)
    weights = np.random.default_rng(1).normal(size=np.shape(expected))
    dy.sum_elems(dy.cmult(y, dy.inputTensor(np.atleast_1d(weights)))).backward()
    groups, _, output = subscripts.replace(" ", "").partition("->")
    letters = groups.split(",")
    if "->" not in subscripts:
        output = "".join(sorted(c for c in set(groups) - {","} if groups.count(c) == 1))
    for i, parameter in enumerate(parameters):
        others = [a for j, a in enumerate(given) if j != i]
        rest = ",".join([output, *(group for j, group in enumerate(letters) if j != i)])
        missing = [c for c in letters[i] if c not in rest]
        gradient = np.einsum(
            f"{rest}->{''.join(c for c in letters[i] if c not in missing)}", weights, *others
        )
        shape = [1 if c in missing else SIZES[c] for c in letters[i]]
        expected = np.broadcast_to(gradient.reshape(shape), parameter.grad_as_array().shape)
        np.testing.assert_allclose(parameter.grad_as_array(), expected, rtol=1e-4, atol=1e-4)


def test_a_batch_is_a_loop():
    x, y = arrays("ij,jk->ik", batch=3)
    batched = dy.einsum(
        "ij,jk->ik", dy.inputTensor(x, batched=True), dy.inputTensor(y, batched=True)
    ).npvalue()
    for b in range(3):
        one = dy.einsum("ij,jk->ik", dy.inputTensor(x[..., b]), dy.inputTensor(y[..., b])).npvalue()
        np.testing.assert_array_equal(batched[..., b], one)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "text"),
    [
        ("ij,jk->ik", [(2, 3), (2, 3)], "axis 'j' of 'ij,jk->ik' has sizes 3 and 2"),
        ("ij,jk->ik", [(2, 3)], "for 1 operands"),
        ("ij->i", [(2,)], "'ij' in 'ij->i' for shape (2,)"),
        ("ii->i", [(2, 2)], "diagonals"),
        ("ij->k", [(2, 2)], "'k' of the result"),
        ("ij->ii", [(2, 2)], "a letter twice in the result"),
        ("...j->j", [(2, 2)], "'.' in '...j->j'"),
        ("i->j->i", [(2,)], "'-' in"),
    ],
)
def test_errors(subscripts, shapes, text):
    dy.renew_cg()
    operands = [dy.zeros(shape) for shape in shapes]
    with pytest.raises(ValueError) as raised:
        dy.einsum(subscripts, *operands)
    assert text in str(raised.value)


@pytest.mark.parametrize("wrong", [1, ["ij"], None])
def test_types(wrong):
    dy.renew_cg()
    with pytest.raises(TypeError, match="einsum: subscripts is"):
        dy.einsum(wrong, dy.zeros((2, 2)))
    with pytest.raises(TypeError, match="is no expression"):
        dy.einsum("ij->j", wrong)
