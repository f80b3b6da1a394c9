"""Many readers of one node add into its gradient: the bits of gradients of their own, in little memory."""

import subprocess
import sys

import numpy as np
import pytest

import dynet as dy

ROWS, COLUMNS = 24, 40


def in_runs(terms):
    """The sum of contributions in their order: 64 one after another, and such runs pairwise."""
    waiting = []
    for count, first in enumerate(range(0, len(terms), 64)):
        run = np.zeros_like(terms[0])
        for term in terms[first : first + 64]:
            run = run + term
        if first + 64 >= len(terms):
            break
        bits = count
        while bits & 1:
            run = run + waiting.pop()
            bits >>= 1
        waiting.append(run)
    while waiting:
        run = run + waiting.pop()
    return run


READERS = {
    "pick": lambda x, k: dy.pick(x, k % ROWS),
    "pick of a column": lambda x, k: dy.pick(x, k % COLUMNS, 1),
    "an element": lambda x, k: x[k % ROWS][k % COLUMNS],
    "pick_range": lambda x, k: dy.pick_range(x, k % 20, k % 20 + 3),
    "select_rows": lambda x, k: dy.select_rows(x, [k % ROWS, (k + 5) % ROWS]),
    "select_rows with repeats": lambda x, k: dy.select_rows(x, [k % ROWS, 3, k % 7, 3, k % ROWS]),
    "select_cols": lambda x, k: dy.select_cols(x, [k % COLUMNS, 0]),
    "strided_select": lambda x, k: dy.strided_select(x, [2 + k % 3, 3], [k % 2, 1], [ROWS, COLUMNS]),
    "max_dim": lambda x, k: dy.max_dim(x, k % 2),
    "min_dim": lambda x, k: dy.min_dim(x, k % 2),
    "kmax_pooling": lambda x, k: dy.kmax_pooling(x, 1 + k % 3, 1),
    "sum_elems": lambda x, _: dy.sum_elems(x),
    "sum_dim": lambda x, k: dy.sum_dim(x, [k % 2]),
    "hinge_dim": lambda x, k: dy.hinge_dim(x, [k % ROWS] * COLUMNS, 0, 0.1),
    "all of these": lambda x, k: list(READERS.values())[k % 14](x, k),
    "and others": lambda x, k: dy.tanh(x) if k % 3 == 0 else list(READERS.values())[k % 14](x, k),
    "with views": lambda x, k: (
        dy.pick_range(x, k % 20, k % 20 + 3, 1) if k % 3 == 0 else list(READERS.values())[k % 14](x, k)
    ),
    "pick of a reshape": lambda x, k: dy.pick(dy.reshape(x, (COLUMNS, ROWS)), k % COLUMNS),
    "pick of reshapes": lambda x, k: dy.pick(dy.reshape(dy.reshape(x, (960,)), (60, 16)), k % 60),
    "reshapes and others": lambda x, k: list(READERS.values())[17 + k % 2 if k % 3 else k % 14](x, k),
    "views of a reshape": lambda x, k: dy.reshape(x, (960,))[5 * (k % 99) : 5 * (k % 99) + 7],
    "views of reshapes": lambda x, k: dy.reshape(dy.reshape(x, (960,)), (16, 60))[:, k % 50 : k % 50 + 7],
    "views, reshapes and others": lambda x, k: list(READERS.values())[17 + k % 4 if k % 2 else k % 14](x, k),
}
VECTOR_READERS = {
    "hinge": lambda x, k: dy.hinge(x, k, 0.5),
    "pickneglogsoftmax": lambda x, k: dy.pickneglogsoftmax(x, k),
    "restricted log_softmax": lambda x, k: dy.pick_range(dy.log_softmax(x, [k, 3, k + 7]), 3, 4),
    "pick": lambda x, k: dy.pick(x, k),
    "pick_batch": lambda x, k: dy.pick_batch(x, [k, 2, k, 5]),
    "large pick_batch": lambda x, k: dy.pick_batch(x, [(k * i) % 300 for i in range(150)]),
}
BATCH_READERS = {
    "pick_batch_elem": lambda x, k: dy.pick_batch_elem(x, k % 5),
    "pick_batch_elems": lambda x, k: dy.pick_batch_elems(x, [k % 5, 3, 3]),
    "sum_batches": lambda x, _: dy.sum_batches(x),
    "pick_batch": lambda x, k: dy.pick_batch(x, [(k + i) % 60 for i in range(5)]),
    "max_dim": lambda x, _: dy.max_dim(x),
    "all of these": lambda x, k: list(BATCH_READERS.values())[k % 5](x, k),
    "pick of a reshape": lambda x, k: dy.pick(dy.reshape(x, (30, 4)), k % 30),
    "pick_batch_elem of a reshape": lambda x, k: dy.pick_batch_elem(dy.reshape(x, (30, 4)), k % 5),
    "all of these, too": lambda x, k: list(BATCH_READERS.values())[k % 8](x, k),
}


def loss_of(read, x, numbers):
    """A weighted sum of what each reader makes of x."""
    losses = []
    for k in numbers:
        y = read(x, k)
        (shape, batch) = y.dim()
        weights = np.random.default_rng(k).normal(size=(*shape, batch)).astype(np.float32)
        losses.append(dy.sum_batches(dy.dot_product(y, dy.inputTensor(weights, batched=True))))
    return dy.esum(losses)


def gradient_of(read, array, numbers, batched, batching, as_view=False):
    dy.renew_cg(autobatching=batching)
    x = dy.inputTensor(array, batched=batched)
    if as_view:  # its batch elements lie apart
        x = dy.pick_range(dy.concatenate([x, x]), 0, array.shape[0])
    loss_of(read, x, numbers).backward(full=True)
    return x.gradient()


def check(read, array, count, batched=False, as_view=False):
    numbers = list(range(count))
    whole = [gradient_of(read, array, numbers, batched, batching, as_view) for batching in (True, False)]
    assert whole[0].tobytes() == whole[1].tobytes()
    parts = [gradient_of(read, array, [k], batched, True, as_view) for k in reversed(numbers)]
    assert in_runs(parts).tobytes() == whole[0].tobytes()


@pytest.mark.parametrize("count", [3, 64, 330])
@pytest.mark.parametrize("name", READERS)
def test_readers_of_a_matrix(name, count) -> None:
    array = np.random.default_rng(1).normal(size=(ROWS, COLUMNS))
    if "views" in name and count > 64:
        return  # very many parts are added place by place, which is another order
    check(READERS[name], array, count)


@pytest.mark.parametrize("count", [3, 64, 290])
@pytest.mark.parametrize("name", VECTOR_READERS)
def test_readers_of_a_vector(name, count) -> None:
    check(VECTOR_READERS[name], np.random.default_rng(1).normal(size=300), count)


@pytest.mark.parametrize("as_view", [False, True])
@pytest.mark.parametrize("count", [3, 64, 200])
@pytest.mark.parametrize("name", BATCH_READERS)
def test_readers_of_a_batch(name, count, as_view) -> None:
    array = np.random.default_rng(1).normal(size=(120, 5))
    check(BATCH_READERS[name], array, count, batched=True, as_view=as_view)


def test_many_readers_of_a_parameter() -> None:
    """Rows of an output matrix that is trained, beside products with it."""
    array = np.random.default_rng(1).normal(size=(ROWS, COLUMNS))

    def gradient(batching):
        model = dy.ParameterCollection()
        p = model.parameters_from_numpy(array)
        dy.renew_cg(autobatching=batching)
        h = dy.inputVector(np.linspace(-1, 1, COLUMNS))
        scores = [
            dy.sum_elems(dy.tanh(dy.select_rows(p, [k % ROWS, (k + 3) % ROWS]) * h)) for k in range(100)
        ]
        dy.esum([*scores, dy.sum_elems(dy.tanh(p * h))]).backward()
        return p.grad_as_array()

    gradients = [gradient(batching) for batching in (True, False)]
    assert gradients[0].tobytes() == gradients[1].tobytes()
    uses = 1 + np.bincount([(k + d) % ROWS for k in range(100) for d in (0, 3)])
    h = np.linspace(-1, 1, COLUMNS)
    np.testing.assert_allclose(gradients[0], np.outer(uses * (1 - np.tanh(array @ h) ** 2), h), 1e-4, 1e-5)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("batching", [True, False])
def test_gradients_of_rows_are_there_when_they_are_asked_for(batch, batching) -> None:
    """Those of rows of which an element is read are made for as long as they are needed."""
    rows, size = 20, 90
    array = np.random.default_rng(1).normal(size=(rows, size, batch))
    dy.renew_cg(autobatching=batching)
    x = dy.inputTensor(array, batched=True)
    picked = [dy.pick(x, i) for i in range(rows)]
    ranges = [dy.pick_range(row, 10, 80) for row in picked[:10]]
    elements = [dy.pick(r, 3 * i) for i, r in enumerate(ranges)]
    elements += [dy.pick(row, 3 * i) for i, row in enumerate(picked) if i >= 10]
    losses = [dy.sum_batches(e) * (i + 1) for i, e in enumerate(elements)]
    for used in (losses, losses[:15], losses):
        dy.esum(used).backward(full=True)
        want = np.zeros_like(array)
        for i in range(len(used)):
            want[i, 3 * i + (10 if i < 10 else 0)] = i + 1
        for i in list(range(rows)) * 2:
            np.testing.assert_array_equal(picked[i].gradient(), want[i, :, 0] if batch == 1 else want[i])
        np.testing.assert_array_equal(ranges[2].gradient(), picked[2].gradient()[10:80])
        np.testing.assert_array_equal(x.gradient(), want[..., 0] if batch == 1 else want)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("batching", [True, False])
def test_gradients_of_reshapes_are_there_when_they_are_asked_for(batch, batching) -> None:
    rows, columns = 30, 20
    array = np.random.default_rng(1).normal(size=(rows, columns, batch))
    dy.renew_cg(autobatching=batching)
    x = dy.inputTensor(array, batched=True)
    once = [dy.reshape(x, (rows * columns,)) for _ in range(12)]
    twice = [dy.reshape(r, (columns, rows)) if i % 2 else r for i, r in enumerate(once)]
    read = [dy.pick(r, i + 3) if i % 3 else r[i : i + 2] for i, r in enumerate(twice)]
    dy.esum([dy.sum_batches(dy.sum_elems(r)) * (i + 1) for i, r in enumerate(read)]).backward(full=True)
    total = np.zeros((rows * columns, batch))
    for i in range(12):
        want = np.zeros((columns, rows, batch) if i % 2 else (rows * columns, batch))
        want[slice(i, i + 2) if i % 3 == 0 else i + 3] = i + 1
        flat = want.reshape((rows * columns, batch), order="F")
        for _ in range(2):
            np.testing.assert_array_equal(twice[i].gradient(), want[..., 0] if batch == 1 else want)
            np.testing.assert_array_equal(once[i].gradient(), flat[..., 0] if batch == 1 else flat)
        total += flat
    total = total.reshape(array.shape, order="F")
    np.testing.assert_array_equal(x.gradient(), total[..., 0] if batch == 1 else total)


@pytest.mark.parametrize("batching", [True, False])
@pytest.mark.parametrize("make", [lambda w, i: dy.pick(w, i, 2), lambda w, i: dy.select_cols(w, [i])[:, 0]])
def test_a_reader_that_is_also_a_matrix(make, batching) -> None:
    """It gets what the product contributes, also where others of its kind need no memory for theirs."""
    model = dy.ParameterCollection()
    shape = (8, 8, 8) if make(model.add_parameters((8, 8, 8)), 0).dim()[0] == (8, 8) else (64, 8)
    weights = model.add_parameters(shape, init=0.0)
    dy.renew_cg(autobatching=batching)
    h, other = (dy.reshape(make(weights, i), (8, 8)) for i in (0, 1))
    loss = dy.sum_elems(h * dy.inputVector([10.0] * 8)) + dy.sum_elems(h[0]) + dy.sum_elems(other)
    loss.backward(full=True)
    np.testing.assert_array_equal(h.gradient(), 10 + np.eye(8)[:1].T * np.ones((8, 8)))
    assert weights.grad_as_array().sum() == 640 + 8 + 64


@pytest.mark.parametrize("make", [lambda w: w * 1, dy.tanh, lambda w: w])
def test_views_of_a_matrix_get_nothing_of_its_products(make) -> None:
    weights = dy.ParameterCollection().add_parameters((2, 2), init=0.0)
    dy.renew_cg()
    h = make(weights)
    views = [dy.reshape(h, (4,)), dy.pick_range(h, 0, 1, 1), h[:, 1:2]]
    loss = dy.esum([dy.sum_elems(v) for v in views]) + dy.sum_elems(h * dy.inputVector([10.0, 20.0]))
    loss.backward(full=True)
    assert all((v.gradient() == 1).all() for v in views)
    np.testing.assert_array_equal(weights.grad_as_array(), [[12, 22], [12, 22]])
    dy.renew_cg()
    h = make(weights)
    view = h[:, 1:2]
    (dy.sum_elems(view) + dy.sum_elems(h * dy.inputVector([10.0, 20.0]))).backward(full=True)
    assert (view.gradient() == 1).all()


MEMORY = """
import sys
import numpy as np
import dynet as dy

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

model = dy.ParameterCollection()
W = model.add_parameters((8000, 100), init=0.5)
T = model.add_parameters((150, 150), init=0.5)
v = model.add_parameters(800000, init=0.5)
x = model.add_parameters((8000, 20), init=0.5)
batch = []
def run(name, make, n, most):
    def once(n):
        dy.renew_cg()
        batch[:] = [dy.reshape(x, (8000,), 20)]
        y = dy.esum([dy.sum_batches(dy.sum_elems(make(k))) for k in range(n)])
        y.backward(), y.value()
    once(2)
    before = peak()
    once(n)
    if peak() - before > most:
        print(f"{name}: {peak() - before:.0f} MB")

run("pick", lambda k: dy.pick(W, k), 60, 20)
run("pick_range", lambda k: dy.pick_range(W, k, k + 2), 60, 20)
run("select_rows", lambda k: dy.select_rows(W, [k, 7, k]), 60, 20)
run("select_cols", lambda k: dy.select_cols(W, [k]), 60, 20)
run("strided_select", lambda k: dy.strided_select(W, [4000, 50], [k, 0], [8000, 100]), 60, 20)
run("max_dim", lambda k: dy.max_dim(W), 60, 20)
run("kmax_pooling", lambda k: dy.kmax_pooling(W, 1, 0), 60, 20)
run("pick of a vector", lambda k: dy.pick(v, k), 60, 20)
run("pick_batch", lambda k: dy.pick_batch(v, [k, 7]), 60, 20)
run("pickneglogsoftmax", lambda k: dy.pickneglogsoftmax(v, k), 60, 20)
run("hinge", lambda k: dy.hinge(v, k), 20, 100)  # its terms are kept
run("pick_batch_elem", lambda k: dy.pick_batch_elem(batch[0], k % 20), 100, 20)
run("pick of a reshape", lambda k: dy.pick(dy.reshape(W, (800000,)), k), 60, 20)
run("range of a reshape", lambda k: dy.reshape(W, (800000,))[k : k + 9], 60, 20)
run("range of reshapes", lambda k: dy.reshape(dy.reshape(W, (800000,)), (80, 10000))[k : k + 1], 60, 20)
run("elements", lambda k: T[k // 150][k % 150], 150 * 150, 60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
def test_readers_take_little_memory() -> None:
    """Each kind would take 200 MB and more, if its readers had gradients of the full size."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.stderr) == ("", "")
