"""Graphs as text and as pictures."""

import pytest

import dynet as dy


@pytest.fixture
def graph():
    model = dy.ParameterCollection()
    table = model.add_lookup_parameters((4, 3), init=0.5, name="words")
    p = model.add_parameters((2, 3), init=0.5, name="join")
    dy.renew_cg()
    x = dy.tanh(p * table[2])
    return x, table, dy.pick(x, 1)


def test_text(graph, capsys):
    dy.print_text_graphviz()
    first = capsys.readouterr().err
    dy.cg().print_graphviz()
    assert capsys.readouterr().err == first
    assert first.startswith("digraph G {\n  rankdir=LR;") and first.endswith("}\n")
    for line in ('N0 [label="v0 = lookup(/words, 2)"]', 'N4 [label="v4 = pick(v3, 1)"]', "N3 -> N4"):
        assert f"  {line};\n" in first


def test_picture(graph, capsys):
    dy.print_graphviz()
    out = capsys.readouterr().out
    assert 'N0 [label="lookup(/words, 2)\\n{3}", shape=box]' in out and "N3 -> N4" in out


def test_names_in_pictures(graph, capsys):
    x, table, _ = graph
    names = {table: ["a", "b", "c"]}
    dy.print_graphviz(compact=True, show_dims=False, expression_names={x: 'say "x"'}, lookup_names=names)
    out = capsys.readouterr().out
    assert "N0" not in out and "N1" not in out
    assert 'N2 [label="matmul(parameter(/join), lookup(/words, c))", shape=ellipse]' in out
    assert 'N3 [label="say \\"x\\" = tanh", shape=ellipse]' in out
    dy.print_graphviz(lookup_names={"/words": {2: "two"}}, collapse_birnns=True)
    assert "lookup(/words, two)" in capsys.readouterr().out
    dy.print_graphviz(lookup_names={table: ["a"]})
    assert "lookup(/words, 2)" in capsys.readouterr().out


def test_every_operation_can_be_drawn(capsys):
    dy.renew_cg()
    x = dy.random_normal((3, 3), batch_size=2)
    for name in ("tanh", "transpose", "nobackprop", "softmax", "sum_batches", "inverse", "sum_elems"):
        x = getattr(dy, name)(x)
    dy.print_graphviz()
    assert "random_normal\\n{3,3}x2" in capsys.readouterr().out


def test_dump(graph, capsys, tmp_path):
    *_, last = graph
    dy.dump_cg()
    out = capsys.readouterr().out
    assert "Node 4: v4 = pick(v3, 1), shape {1}\nValue:\n0.635149\nGradient: (not computed)\n" in out
    last.backward()
    file = tmp_path / "dump.txt"
    dy.dump_cg(str(file))
    assert file.read_text().endswith("Value:\n0.635149\nGradient:\n1\n")
    dy.cg().dump(file, False, False, False)
    assert file.read_text().splitlines()[0] == "Node 0: v0 = lookup(/words, 2), shape {3}"
    assert len(file.read_text().splitlines()) == 5
    with pytest.raises(RuntimeError, match="cannot be written"):
        dy.dump_cg(str(tmp_path / "no" / "such"))


def test_dump_finds_bad_numbers(capsys):
    dy.renew_cg()
    dy.log(dy.scalarInput(-1))
    dy.dump_cg(nan_check_only=True, show_gradients=False)
    out = capsys.readouterr().out
    assert out.count("Value: valid") == 1 and out.count("Value: invalid") == 1


def test_an_empty_graph(capsys):
    dy.renew_cg()
    dy.dump_cg()
    dy.print_graphviz(compact=True)
    assert capsys.readouterr().out == "digraph G {\n  rankdir=BT;\n  nodesep=.05;\n}\n"
