"""Parameters, lookup tables, collections and initialisers in Python."""

import gc

import numpy as np
import pytest

import dynet as dy


@pytest.fixture
def model():
    dy.renew_cg()
    return dy.ParameterCollection()


def test_names(model):
    named, unnamed = model.add_parameters(2, name="p"), model.add_parameters(2)
    again, table = model.add_parameters(2, name="p"), model.add_lookup_parameters((2, 2))
    inner = model.add_subcollection("foo")
    assert [p.name() for p in (named, unnamed, again, table)] == ["/p", "/_0", "/p_1", "/_1"]
    assert inner.add_parameters(1).name() == "/foo/_0"
    assert [c.name() for c in (model, inner)] == ["/", "/foo/"]
    assert model.add_subcollection("foo").name() == "/foo_1/"
    assert model.add_subcollection().name() == model.add_subcollection(None).name()[:-2] + "0/"
    for wrong in ("a/b", "a\nb"):
        with pytest.raises(RuntimeError):
            model.add_parameters(1, name=wrong)
    assert str(named) == "Parameter /p" and str(table) == "LookupParameter /_1"


@pytest.mark.parametrize("file", ["model", "model.safetensors"])
def test_names_with_underscores(model, tmp_path, file):
    names = ["my_weights", "W_1", "W", "W", "_", "_0", "", "__"]
    parameters = [model.add_parameters(3, name=name, init=i) for i, name in enumerate(names)]
    table = model.add_subcollection("sub_model").add_lookup_parameters((2, 3), name="my_table", init=9)
    known = [p.name() for p in (*parameters, table)]
    assert len(set(known)) == len(known) and known[:4] == ["/my_weights", "/W_1", "/W", "/W_2"]
    model.save(tmp_path / file)
    for p in parameters:
        p.zero()
    model.populate(tmp_path / file)
    assert [p.as_array()[0] for p in parameters] == list(range(len(names)))
    other = dy.ParameterCollection()
    assert other.load_param(tmp_path / file, "/my_weights").as_array().tolist() == [0] * 3
    assert other.load_lookup_param(tmp_path / file, "/sub_model/my_table").as_array().max() == 9
    dy.save(str(tmp_path / "all"), [parameters[0], table])
    loaded = dy.load(str(tmp_path / "all"), dy.ParameterCollection())
    assert [p.as_array().max() for p in loaded] == [0, 9]


def test_collections_list_what_they_hold(model):
    inner = model.add_subcollection()
    p, q, table = model.add_parameters(2), inner.add_parameters((2, 3)), inner.add_lookup_parameters((4, 2))
    assert [x.name() for x in model.parameters_list()] == [p.name(), q.name()]
    assert [x.name() for x in inner.parameters_list()] == [q.name()]
    assert [x.name() for x in model.lookup_parameters_list()] == [table.name()]
    assert model.parameter_count() == 2 + 6 + 8 and inner.parameter_count() == 14
    p.set_value([5, 6])
    assert model.parameters_list()[0].as_array().tolist() == [5, 6]
    assert dy.Model is dy.ParameterCollection and dy.ParameterCollection(model).name() == "/"


@pytest.mark.parametrize(
    "dim, shape", [(5, (5,)), ((3, 4), (3, 4)), ([3, 4], (3, 4)), (5.0, (5,)), ((2, 3, 4), (2, 3, 4))]
)
def test_shapes(model, dim, shape):
    p = model.add_parameters(dim)
    assert p.shape() == shape and p.dim() == (shape, 1) and p.as_array().shape == shape


@pytest.mark.parametrize(
    "dim, shape, dims", [(5, (5,), (5,)), ((5, 2), (5, 2), (2, 5)), ((5, 2, 3), (5, 2, 3), (2, 3, 5))]
)
def test_shapes_of_tables(model, dim, shape, dims):
    table = model.add_lookup_parameters(dim)
    assert table.shape() == table.as_array().shape == table.grad_as_array().shape == shape
    assert table.dim() == (dims, 1) and table.npvalue().shape == dims
    np.testing.assert_array_equal(np.moveaxis(table.npvalue(), -1, 0), table.as_array())


def test_initialisers(model):
    def add(init, dim=(40, 60), **more):
        return model.add_parameters(dim, init=init, **more).as_array()

    bound = np.sqrt(6 / 100)
    for init in (None, "glorot", dy.GlorotInitializer()):
        assert 0.95 * bound < abs(add(init)).max() <= bound * (1 + 1e-6)
    assert (add(2) == 2).all() and (add(2.5) == 2.5).all() and (add(np.float32(1)) == 1).all()
    assert (add(dy.ConstInitializer(3)) == 3).all()
    assert 0.19 < abs(add("uniform", scale=0.2)).max() <= 0.2 + 1e-6
    assert 0.19 < abs(add(dy.UniformInitializer(0.2))).max() <= 0.2 + 1e-6
    normal = add("normal", mean=3, std=2)
    assert abs(normal.mean() - 3) < 0.2 and abs(normal.std() - 2) < 0.2
    assert abs(add(dy.NormalInitializer(0, 4)).std() - 2) < 0.2
    assert abs(add("he").std() - np.sqrt(1 / 120)) < 0.01
    np.testing.assert_array_equal(add("identity", (3, 3)), np.eye(3))
    np.testing.assert_array_equal(add(dy.IdentityInitializer(), (3, 3)), np.eye(3))
    saxe = add(dy.SaxeInitializer(2), (5, 5))
    np.testing.assert_allclose(saxe @ saxe.T, 4 * np.eye(5), atol=1e-5)


def test_arrays_as_initial_values(model, tmp_path):
    array = np.arange(6.0).reshape(2, 3)
    for p in (
        model.add_parameters((2, 3), init=array),
        model.add_parameters((1,), init=array),
        model.add_parameters((2, 3), init=dy.NumpyInitializer(array)),
        model.parameters_from_numpy(array),
    ):
        np.testing.assert_array_equal(p.as_array(), array)
    table = np.arange(24.0).reshape(4, 3, 2)
    for p in (
        model.add_lookup_parameters((4, 3, 2), init=table),
        model.lookup_parameters_from_numpy(table, name="t"),
    ):
        np.testing.assert_array_equal(p.as_array(), table)
        np.testing.assert_array_equal(p[2].npvalue(), table[2])
    with pytest.raises(ValueError):
        model.add_lookup_parameters((2, 3), init=dy.NumpyInitializer(array))
    file = tmp_path / "numbers"
    file.write_text("1 2\n3 4")
    np.testing.assert_array_equal(
        model.add_parameters((2, 2), init=dy.FromFileInitializer(file)).as_array(), [[1, 3], [2, 4]]
    )


def test_lists_of_numbers(model):
    numbers = [[1, 2, 3], [4, 5, 6]]
    np.testing.assert_array_equal(model.add_parameters((2, 3), init=numbers).as_array(), numbers)
    table = model.add_lookup_parameters((2, 3), init=numbers)
    table.add_rows(1, init=[[7, 8, 9]])
    np.testing.assert_array_equal(table.as_array(), [*numbers, [7, 8, 9]])
    assert model.add_parameters(2, init=(1, 2)).as_array().tolist() == [1, 2]
    assert model.add_lookup_parameters((2,), init=[1, 2]).as_array().ravel().tolist() == [1, 2]
    for call in (
        lambda: model.add_parameters((3, 2), init=numbers),
        lambda: model.add_lookup_parameters((3, 2), init=numbers),
        lambda: table.add_rows(2, init=[[7, 8, 9]]),
        lambda: model.add_parameters((2, 2), init=[1]),
        lambda: model.add_parameters((2, 2), init=[[1, 2], [3]]),
    ):
        with pytest.raises(ValueError, match=r"^add_\w+: "):
            call()


def test_what_is_no_initialiser(model):
    for wrong in ("saxe", "nonsense", object()):
        with pytest.raises(ValueError, match="Didn't recognize initializer"):
            model.add_parameters((2, 2), init=wrong)
    with pytest.raises(RuntimeError):
        model.add_parameters((2, 3), init="identity")
    with pytest.raises(ValueError):
        dy.UniformInitializer(0)
    with pytest.raises(RuntimeError, match="GPU"):
        model.add_parameters(2, device="GPU:0")
    with pytest.raises(TypeError):
        dy.PyInitializer()
    assert model.parameter_count() == 0


def test_values(model):
    p = model.add_parameters((2, 2), init=0)
    p.set_value(np.array([[1, 2], [3, 4]], dtype="i8"))
    assert p.as_array().tolist() == p.npvalue().tolist() == [[1, 2], [3, 4]]
    assert p.as_array().dtype == dy.__precision__
    for wrong in ([[1, 2, 3]], [1, 2, 3, 4], np.ones((2, 3))):
        with pytest.raises(ValueError, match="set_value"):
            p.set_value(wrong)
    p.scale(2)
    p.clip_inplace(3, 6)
    assert p.as_array().tolist() == [[3, 4], [6, 6]]
    p.zero()
    assert not p.as_array().any()


def test_gradients(model):
    p, frozen = model.add_parameters(2, init=1), model.add_parameters(2, init=1)
    frozen.set_updated(False)
    assert p.is_updated() and not frozen.is_updated()
    dy.sum_elems(dy.square(p) + dy.cmult(p, frozen)).backward()
    assert p.grad_as_array().tolist() == [3, 3] and p.gradient().tolist() == [3, 3]
    p.scale_gradient(2)
    assert p.grad_as_array().tolist() == [6, 6]
    assert model.gradient_l2_norm() > 0
    model.reset_gradient()
    assert p.grad_as_array().tolist() == [0, 0]


def test_constants(model):
    p = model.add_parameters(2, init=1)
    loss = dy.sum_elems(dy.const_parameter(p)) + dy.sum_elems(p.expr()) + dy.sum_elems(p.expr(update=True))
    loss.backward()
    assert p.grad_as_array().tolist() == [1, 1]
    assert dy.parameter(p) is p and dy.parameter(p, p) == (p, p)
    assert [type(c) for c in dy.const_parameter(p, p)] == [dy.Expression] * 2


def test_parameters_are_expressions(model):
    p = model.add_parameters((2, 2), init=np.array([[1.0, 2], [3, 4]]))
    assert isinstance(p, dy.Expression)
    assert p[1].value() == [3, 4] and p[:, 1:].npvalue().tolist() == [[2], [4]]
    assert (-p + 1).npvalue().tolist() == [[0, -1], [-2, -3]]
    assert dy.esum([p, p]).vec_value() == [2, 6, 4, 8]
    assert len(dy.cg()) > 0 and p.value().tolist() == [[1, 2], [3, 4]]
    dy.renew_cg()
    assert dy.sum_elems(p).scalar_value() == 10


def test_graphs_see_the_values_of_their_first_use(model):
    p = model.add_parameters(1, init=0)
    assert p.value() == 0
    p.set_value([1])
    assert (p + 1).value() == 2  # to read it is not to use it
    p.set_value([2])
    assert (p + 1).value() == 2 and p.value() == 1
    dy.renew_cg()
    assert p.value() == 2


def test_rows_of_tables(model):
    table = model.add_lookup_parameters((3, 2), init=0)
    table.init_from_array(np.ones((2, 2)))
    table.init_row(2, [5, 6])
    assert table.as_array().tolist() == [[1, 1], [1, 1], [5, 6]]
    assert table.row_as_array(2).tolist() == [5, 6]
    assert table.rows_as_array([2, 0]).tolist() == [[5, 6], [1, 1]]
    dy.sum_elems(table[2]).backward()
    assert table.row_grad_as_array(2).tolist() == [1, 1]
    assert table.rows_grad_as_array([0, 2]).tolist() == [[0, 0], [1, 1]]
    for wrong in (
        lambda: table.init_from_array(np.ones((4, 2))),
        lambda: table.init_from_array(np.ones((2, 3))),
        lambda: table.init_row(2, [1]),
        lambda: table.init_row(3, [1, 2]),
        lambda: table.row_as_array(3),
        lambda: table.rows_as_array([0, 3]),
        lambda: table.row_as_array(-1),
    ):
        with pytest.raises((ValueError, IndexError)):
            wrong()
    with pytest.raises(RuntimeError):
        table.scalar_value()
    assert table.expr() is not None and (table * dy.inputVector([1, 0, 0])).value() == [1, 1]


def test_parameters_outlive_collections():
    p = dy.ParameterCollection().add_subcollection("a").add_parameters(2, init=1)
    gc.collect()
    assert p.name() == "/a/_0" and p.value() == [1, 1]


def test_weight_decay(model):
    assert model.get_weight_decay() == 0
    model.set_weight_decay(0.5)
    p = model.add_parameters(1, init=1)
    trainer = dy.SimpleSGDTrainer(model)
    dy.nobackprop(p).value()
    trainer.update()
    dy.renew_cg()
    assert p.value() == 0.5 and p.as_array().tolist() == [0.5]
    model.set_weight_decay_lambda(0.25)
    assert model.get_weight_decay() == 0.25
    for wrong in (1.0, -0.1):
        with pytest.raises(ValueError):
            model.set_weight_decay(wrong)


def test_rows_that_the_loss_does_not_need_do_not_move():
    """A trainer with a memory moves the rows that were used, and no row that was only looked up."""
    model = dy.ParameterCollection()
    table = model.add_lookup_parameters((3, 2), init=1.0)
    trainer = dy.MomentumSGDTrainer(model)
    for used in ([0, 1], [0]):
        dy.renew_cg()
        rows = [table[i] for i in range(2)]
        dy.sum_elems(dy.esum([rows[i] for i in used])).backward()
        before = np.array(table.as_array())
        trainer.update()
        moved = np.any(table.as_array() != before, axis=1)
        assert moved.tolist() == [i in used for i in range(3)]
