"""Softmax builders: they are true distributions, and the ways to ask them agree."""

import numpy as np
import pytest

import dynet as dy

CLASSES = "A\ta\nA b x\nB c\nC\td\nC  e 7\n\nC f\n"
PATHS = "0 0\ta\n0 1\tb\n0 1\tc\n0 1\td\n1\te\n1 2\tf\n"
WORDS = "abcdef"


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


@pytest.fixture
def make(tmp_path, model):
    """Makes a builder of a kind over six classes, and over unknown words if there are any."""

    def make(kind, bias=True, extra=""):
        ids = {word: i for i, word in enumerate(WORDS + extra)}
        if kind == "standard":
            builder = dy.StandardSoftmaxBuilder(3, len(ids), model, bias)
        elif kind == "classes":
            (tmp_path / "classes").write_text(CLASSES)
            builder = dy.ClassFactoredSoftmaxBuilder(3, str(tmp_path / "classes"), ids, model, bias)
        else:
            (tmp_path / "paths").write_text(PATHS)
            builder = dy.HierarchicalSoftmaxBuilder(3, tmp_path / "paths", ids, model)
        rng = np.random.default_rng(1)
        for p in builder.param_collection().parameters_list():
            p.set_value(rng.normal(size=p.shape()))
        return builder

    return make


KINDS = pytest.mark.parametrize("kind", ["standard", "classes", "tree"])
X = np.array([[1.0, -2, 0.5], [0.3, 0.1, -1], [0, 2, 1], [-1, 1, 1], [2, 0, 0]]).T


def batch(count=5):
    return dy.inputTensor(X[:, :count], batched=True)


@KINDS
def test_probabilities_sum_to_one(kind, make):
    builder = make(kind)
    x = dy.inputVector(X[:, 0])
    logs = builder.full_log_distribution(x).npvalue()
    assert logs.shape == (6,) and np.exp(logs).sum() == pytest.approx(1)
    np.testing.assert_allclose(dy.log_softmax(builder.full_logits(x)).npvalue(), logs, atol=1e-5)
    losses = [builder.neg_log_softmax(x, word).value() for word in range(6)]
    np.testing.assert_allclose(losses, -logs, atol=1e-5)
    assert isinstance(builder, dy.SoftmaxBuilder) and builder.whoami() == type(builder).__name__
    several = builder.full_log_distribution(batch()).npvalue()
    assert several.shape == (6, 5) and several[:, 0].tolist() == logs.tolist()


@KINDS
def test_a_batch_is_the_same_as_one_by_one(kind, make):
    builder = make(kind)
    words = [5, 0, 2, 0, 3]
    for count in range(1, 6):
        losses = builder.neg_log_softmax_batch(batch(count), words[:count])
        assert losses.dim() == ((1,), count)
        one_by_one = [
            builder.neg_log_softmax(dy.inputVector(X[:, i]), words[i]).value() for i in range(count)
        ]
        assert losses.npvalue().ravel().tolist() == one_by_one
    same = builder.neg_log_softmax_batch(batch(3), [2, 2, 2])
    assert same.npvalue()[0, 2] == builder.neg_log_softmax(dy.inputVector(X[:, 2]), 2).value()


@KINDS
def test_gradients(kind, make, model):
    builder, w = make(kind), model.add_parameters((3, 5), init=X)

    def x(i):
        return dy.select_cols(w, [i])

    for loss in (
        lambda: builder.neg_log_softmax(x(0), 4),
        lambda: dy.sum_batches(
            builder.neg_log_softmax_batch(dy.concatenate_to_batch([x(i) for i in range(4)]), [0, 5, 2, 5])
        ),
        lambda: dy.pick(builder.full_log_distribution(x(1)), 3),
    ):
        dy.renew_cg()
        assert dy.check_grad(model, loss())


@KINDS
def test_without_update_parameters_get_no_gradient(kind, make, model):
    builder, w = make(kind), model.add_parameters(3, init=0.5)
    for method, rest in [
        ("neg_log_softmax", (3,)),
        ("neg_log_softmax_batch", ([3],)),
        ("full_log_distribution", ()),
        ("full_logits", ()),
    ]:
        dy.renew_cg()
        model.reset_gradient()
        dy.pick(getattr(builder, method)(w, *rest, update=False), 0).backward()
        assert any(w.grad_as_array())
        assert not any(p.grad_as_array().any() for p in builder.param_collection().parameters_list())
        dy.renew_cg()
        dy.pick(getattr(builder, method)(w, *rest), 0).backward()
        assert any(p.grad_as_array().any() for p in builder.param_collection().parameters_list())


@KINDS
@pytest.mark.parametrize("bias", [True, False])
def test_samples(kind, bias, make):
    dy.reset_random_seed(3)
    builder = make(kind, bias)
    x = dy.inputVector(X[:, 1])
    drawn = np.bincount([builder.sample(x) for _ in range(2000)], minlength=6) / 2000
    np.testing.assert_allclose(drawn, np.exp(builder.full_log_distribution(x).npvalue()), atol=0.04)


def test_standard_parameters(model):
    builder = dy.StandardSoftmaxBuilder(input_dim=3, num_classes=5.0, pc=model, bias=True)
    assert builder.param_collection().name() == "/standard-softmax-builder/"
    assert [p.shape() for p in model.parameters_list()] == [(5, 3), (5,)]
    w, b = (p.as_array() for p in model.parameters_list())
    logits = builder.full_logits(dy.inputVector(X[:, 0])).npvalue()
    np.testing.assert_allclose(logits, w @ X[:, 0] + b, atol=1e-6)
    assert len(dy.StandardSoftmaxBuilder(3, 5, model, False).param_collection().parameters_list()) == 1


def test_class_factored_parameters(make, model):
    builder = make("classes")
    assert builder.param_collection().name() == "/class-factored-softmax-builder/"
    shapes = [(3, 3), (3,), (2, 3), (2,), (3, 3), (3,)]
    assert [p.shape() for p in builder.param_collection().parameters_list()] == shapes
    without = make("classes", bias=False)
    assert [p.shape() for p in without.param_collection().parameters_list()] == shapes[::2]
    x = dy.inputVector(X[:, 0])
    of_classes = builder.class_log_distribution(x).npvalue()
    assert np.exp(of_classes).sum() == pytest.approx(1)
    np.testing.assert_allclose(dy.log_softmax(builder.class_logits(x)).npvalue(), of_classes, atol=1e-6)
    full = builder.full_log_distribution(x).npvalue()
    for c, words in enumerate(([0, 1], [2], [3, 4, 5])):
        within = builder.subclass_log_distribution(x, c).npvalue()
        np.testing.assert_allclose(of_classes[c] + within, full[words], atol=1e-5)
        np.testing.assert_allclose(dy.log_softmax(builder.subclass_logits(x, c)).npvalue(), within, atol=1e-5)
    with pytest.raises(IndexError, match="3 classes"):
        builder.subclass_logits(x, 3)


def test_a_tree_decides_by_logistic_units_and_softmaxes(make):
    builder = make("tree")
    # Root, 0, 0 1 and 1; the classes 0 0 and 1 2 have one word each.
    shapes = [(1, 3), (1,), (1, 3), (1,), (3, 3), (3,), (1, 3), (1,)]
    parameters = builder.param_collection().parameters_list()
    assert [p.shape() for p in parameters] == shapes
    x = X[:, 0]
    root, left, leaf, right = (
        parameters[i].as_array() @ x + parameters[i + 1].as_array() for i in (0, 2, 4, 6)
    )

    def logistic(z):
        return 1 / (1 + np.exp(-z[0]))

    leaves = np.exp(leaf) / np.exp(leaf).sum()
    expected = [
        logistic(root) * logistic(left),
        *(logistic(root) * logistic(-left) * leaves),
        logistic(-root) * logistic(right),
        logistic(-root) * logistic(-right),
    ]
    logs = builder.full_log_distribution(dy.inputVector(x)).npvalue()
    np.testing.assert_allclose(np.exp(logs), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["classes", "tree"])
def test_words_without_class(kind, make):
    builder = make(kind, extra="g")
    x = dy.inputVector(X[:, 0])
    logs = builder.full_log_distribution(x).npvalue()
    assert logs[6] == -10000 and np.exp(logs[:6]).sum() == pytest.approx(1)
    assert builder.full_logits(x).npvalue()[6] == -10000
    for ask in (
        lambda: builder.neg_log_softmax(x, 6),
        lambda: builder.neg_log_softmax_batch(x, [6]),
    ):
        with pytest.raises(ValueError, match="g is in no class"):
            ask()


@KINDS
def test_wrong_arguments(kind, make):
    builder = make(kind)
    x = dy.inputVector(X[:, 0])
    with pytest.raises(IndexError):
        builder.neg_log_softmax(x, 6)
    with pytest.raises(IndexError):
        builder.neg_log_softmax_batch(batch(2), [0, 6])
    with pytest.raises(ValueError):
        builder.neg_log_softmax_batch(batch(2), [0])
    with pytest.raises(ValueError):
        builder.neg_log_softmax(batch(2), 0)
    with pytest.raises(ValueError):
        builder.full_logits(dy.inputVector([1, 2]))
    with pytest.raises(ValueError):
        builder.sample(batch(2))


@pytest.mark.parametrize("kind", [dy.ClassFactoredSoftmaxBuilder, dy.HierarchicalSoftmaxBuilder])
def test_wrong_files(kind, tmp_path, model):
    file = tmp_path / "file"
    with pytest.raises(RuntimeError, match="Could not read"):
        kind(3, tmp_path / "none", {"a": 0}, model)
    for text, ids, error in [
        ("", {"a": 0}, ValueError),
        ("A\n", {"a": 0}, ValueError),
        ("A\ta\nB\ta\n", {"a": 0}, ValueError),
        ("A\ta\n", {"a": 1}, ValueError),
        ("A\ta\nB\tb\n", {"a": 0, "b": 0}, ValueError),
        ("A\ta\nB\tb\n", {"a": 0}, RuntimeError),
    ]:
        file.write_text(text)
        with pytest.raises(error):
            kind(3, file, ids, model)
    assert not model.parameters_list()
    assert model.add_subcollection("class-factored-softmax-builder").name()[-2:] == "r/"


@KINDS
def test_saving(kind, make, tmp_path):
    builder = make(kind)
    dy.save(tmp_path / "saved", [builder])
    [loaded] = dy.load(tmp_path / "saved", dy.ParameterCollection())
    assert type(loaded) is type(builder) and loaded.spec == builder.spec
    x = dy.inputVector(X[:, 0])
    np.testing.assert_allclose(loaded.full_logits(x).npvalue(), builder.full_logits(x).npvalue(), atol=1e-6)
    # The files of the classes are not needed any more.
    assert loaded.neg_log_softmax(x, 4).value() == pytest.approx(builder.neg_log_softmax(x, 4).value())
