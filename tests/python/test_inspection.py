"""Pictures and tables: of graphs and models, of where time goes, and of why nodes run apart."""

import json
import os
import re
import subprocess
import sys
import threading
from html.parser import HTMLParser

import numpy as np
import pytest

import dynet as dy
from dynet.inspection import drawing


class Balance(HTMLParser):
    """Checks that the elements of a page are closed in order."""

    EMPTY = frozenset(("meta", "br"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(re.sub(r"<([a-z]+)([^<>]*)/>", r"<\1\2></\1>", text))
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def no_graphviz(monkeypatch):
    monkeypatch.setattr(drawing.shutil, "which", lambda name: None)


@pytest.fixture
def model():
    return dy.ParameterCollection()


@pytest.fixture
def loss(model):
    """A small graph with a hostile name."""
    table = model.add_lookup_parameters((4, 3), init=0.5, name='<"w&')
    p = model.add_parameters((2, 3), init=0.5, name="join")
    dy.renew_cg()
    return dy.pickneglogsoftmax(dy.dropout(p * table[2], 0.5), 1)


def small_graph(count: int, w: dy.Parameters) -> dy.Expression:
    """Products of unlike lengths, a chain, and equal nodes."""
    dy.renew_cg()
    lengths = [dy.softmax(dy.inputVector(range(2 + i % 3))) for i in range(count)]
    x = dy.inputVector([1, 2])
    for _ in range(3):
        x = dy.tanh(w * x)
    return dy.esum([dy.sum_elems(dy.square(y)) for y in lengths]) + dy.sum_elems(x)


# -- pictures


def test_dot(loss):
    dot = loss.to_dot()
    assert dot == dy.cg().to_dot() and dot.startswith("digraph G {") and dot.endswith("}\n")
    assert "<b>/&lt;&quot;w&amp;[2]</b>" in dot and "<b>/join</b>" in dot and "rate 0.5" in dot
    assert dot.count(" -> ") == 4


def test_dot_of_a_part(loss):
    tail = dy.tanh(loss)
    assert loss.to_dot().count("label=<") == 5 and tail.to_dot().count("label=<") == 6
    dy.inputVector([1])
    assert dy.cg().to_dot().count("label=<") == 7 and tail.to_dot().count("label=<") == 6


@pytest.mark.skipif(drawing.shutil.which("dot") is None, reason="Graphviz is not installed")
def test_svg(loss):
    svg = loss._repr_svg_()
    assert svg.startswith("<svg") and "/join" in svg and "dropout" in svg
    assert dy.cg()._repr_svg_() == svg and svg in loss._repr_html_()


def test_without_graphviz(loss, no_graphviz):
    assert loss._repr_svg_() is None and dy.cg()._repr_svg_() is None
    page = Balance(loss._repr_html_())
    assert "dropout (rate 0.5, axis 0)" in page.text and '/<"w&[2]' in page.text
    with dy.record_lines():
        dy.renew_cg()
        x = dy.inputVector([1])
    assert "test_inspection.py:" in Balance(x._repr_html_()).text


def test_a_graphviz_that_fails(loss, monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(drawing.shutil, "which", lambda name: str(program))
    assert loss._repr_svg_() is None and "<table>" in loss._repr_html_()


def test_what_cannot_be_drawn_is_told(model, no_graphviz):
    dy.renew_cg()
    assert "0 nodes" in dy.cg()._repr_html_() and dy.cg().to_dot().count("N") == 0
    x = dy.inputVector([1])
    p = model.add_parameters(2, name="p")
    assert "/p" in p._repr_html_() and p.to_dot().count("label") == 0
    dy.renew_cg()
    assert "stale" in x._repr_html_() and x._repr_svg_() is None
    with pytest.raises(RuntimeError, match="Stale"):
        x.to_dot()


def test_graphs_of_ended_threads(no_graphviz):
    graphs = []
    thread = threading.Thread(target=lambda: graphs.append((dy.inputVector([1]), dy.cg())))
    thread.start()
    thread.join()
    for thing in graphs[0]:
        assert "ended" in thing._repr_html_() or "stale" in thing._repr_html_()
        with pytest.raises(RuntimeError):
            thing.to_dot()


def test_large_graphs_are_cut(no_graphviz):
    dy.renew_cg()
    x = dy.inputVector([1])
    for _ in range(10_000):
        x = dy.tanh(x)
    assert x.to_dot().count("label=<") == 10_001
    page = Balance(dy.cg()._repr_html_())
    assert "80 of 10,001 nodes" in page.text and page.text.count("tanh") == 80
    assert "…" in drawing.dot_of(drawing.nodes_before(dy.cg(), 10_000, 5))


def test_no_picture_while_a_cell_is_recorded(no_graphviz):
    seen = []

    @dy.cell
    def step(x):
        seen.append(x._repr_html_())
        with pytest.raises(RuntimeError, match="cell"):
            dy.explain_batching(x)
        return dy.tanh(x)

    dy.renew_cg()
    step(dy.inputVector([1])).value()
    assert seen and all("<table" not in text for text in seen)


# -- models


def test_summary(model):
    model.add_parameters((2, 3), init=2, name="W")
    rest = model.add_parameters(4, init=1, name="b")
    rest.set_updated(False)
    model.add_lookup_parameters((5, 2), init=1, name="words")
    summary = dy.summary(model)
    assert [(row.name, row.kind, row.shape, row.size) for row in summary.rows] == [
        ("/W", "parameter", (2, 3), 6),
        ("/b", "parameter, at rest", (4,), 4),
        ("/words", "table", (5, 2), 10),
    ]
    size = np.dtype(dy.__precision__).itemsize
    assert summary.count == model.parameter_count() == 20 and summary.memory == 20 * size
    assert summary.rows[0].norm == pytest.approx(24**0.5) and summary.rows[0].gradient_norm == 0
    assert "16 trained" in str(summary) and str(summary) == repr(summary)
    assert "/words" in Balance(model._repr_html_()).text


def test_summary_of_what_has_a_collection(model):
    builder = dy.VanillaLSTMBuilder(1, 2, 3, model)
    both = dy.BiRNNBuilder(1, 2, 4, model, dy.GRUBuilder)
    softmax = dy.StandardSoftmaxBuilder(3, 4, model)
    tree = dy.NaryTreeLSTMBuilder(2, 1, 2, 3, model)
    for each in (builder, both, softmax, tree):
        text = Balance(each._repr_html_()).text
        assert type(each).__name__ in text and "numbers" in text
        assert dy.summary(each).count > 0
    trainer = dy.AdamTrainer(model)
    assert "AdamTrainer" in (text := Balance(trainer._repr_html_()).text) and "learning rate" in text

    class Own:
        def __init__(self):
            self.pc = model

    assert dy.summary(Own()).count == dy.summary(model).count
    for wrong in (None, 3, "model", [model], dy.ParameterCollection):
        with pytest.raises(TypeError, match="summary"):
            dy.summary(wrong)


def test_summary_of_nothing():
    assert str(dy.summary(dy.ParameterCollection())).splitlines()[-1].split() == [
        "all",
        "0",
        "0",
        "bytes",
        "0.000",
        "0.000",
    ]


# -- batching


def test_what_keeps_nodes_apart(model):
    w = model.add_parameters((2, 2), name="W")
    found = dy.explain_batching(small_graph(6, w))
    groups = {group.name: group for group in found.groups}
    assert groups["softmax"].nodes == 6 and groups["softmax"].calls == 3
    assert groups["softmax"].reasons == ("3 shapes: (2,), (3,), (4,)",)
    assert groups["tanh"].nodes == groups["tanh"].calls == 3
    assert groups["tanh"].reasons == ("a chain of 3, where each needs the one before",)
    assert dy.cg().step_count() == 0  # nothing was computed
    text = str(found)
    assert text.startswith(f"{found.node_count} nodes run in {len(found.batches)} calls") and "(4,)" in text
    page = Balance(found._repr_html_())
    assert page.text.count("3 shapes") >= 1
    assert sorted(node for batch in found.batches for node in batch.nodes) == sorted(
        node.index for node in dy.cg().nodes() if node.arguments
    )


def test_explained_batches_are_those_that_run(model):
    w = model.add_parameters((2, 2))
    loss = small_graph(7, w)
    before = dy.explain_batching(loss)
    loss.value()
    assert dy.cg().step_count() == len(before.batches)
    again = dy.explain_batching(loss)  # as if nothing was known
    assert [batch.nodes for batch in again.batches] == [batch.nodes for batch in before.batches]


def test_matrices_attributes_and_times_keep_nodes_apart(model):
    a, b = model.add_parameters((2, 2), name="A"), model.add_parameters((2, 2), name="B")
    dy.renew_cg()
    x = dy.inputVector([1, 2])
    rows = [dy.pick_range(dy.colwise_add(a, a * x), i, i + 1) for i in range(2)]
    products = [a * x, b * x, a * (x + 1), rows[0] * 2, rows[1] * 3]
    text = str(dy.explain_batching(dy.esum([dy.sum_elems(p) for p in products])))
    assert "2 matrices: /A, /B" in text and "2 values of factor: 2.0, 3.0" in text
    assert "values of begin: 0, 1" in text


def test_policies(model):
    w = model.add_parameters((2, 2))
    loss = small_graph(6, w)
    try:
        dy.set_batching_policy("single")
        found = dy.explain_batching(loss)
        assert len(found.batches) == found.node_count
        reasons = {group.name: group.reasons for group in found.groups}
        assert any("different times" in reason for reason in reasons["softmax"])
    finally:
        dy.set_batching_policy("agenda")


def test_explaining_what_needs_nothing(model):
    p = model.add_parameters(2)
    dy.renew_cg()
    assert str(dy.explain_batching(p)) == "nothing is to be computed"
    x = dy.inputVector([1])
    found = dy.explain_batching(x)
    assert found.batches == [] and Balance(found._repr_html_())
    dy.renew_cg()
    with pytest.raises(RuntimeError, match="Stale"):
        dy.explain_batching(x)
    with pytest.raises(TypeError, match="explain_batching: loss is"):
        dy.explain_batching([x])


def test_explaining_many_nodes():
    dy.renew_cg()
    x = dy.inputVector([1])
    xs = [dy.tanh(dy.logistic(x * i)) for i in range(3000)]
    found = dy.explain_batching(dy.esum(xs))
    assert found.node_count > 8000 and Balance(found._repr_html_())


# -- profiles


def test_profile(model, tmp_path):
    w = model.add_parameters((2, 2), name="W")
    trainer = dy.SimpleSGDTrainer(model)
    with dy.profile() as p:
        assert "begun" in str(p)
        with pytest.raises(RuntimeError, match="complete after"):
            p.save(tmp_path / "early.html")
        for _ in range(3):
            loss = small_graph(6, w)
            loss.backward()
            trainer.update()
    names = {call.kind.name for call in p.calls}
    assert {"softmax", "matmul", "update", "schedule", "gradients of parameters"} <= names
    softmax = [call for call in p.calls if call.kind.name == "softmax" and call.is_forward]
    assert sum(call.nodes for call in softmax) == 18 and len(softmax) == 9 and p.graphs == 3
    size = np.dtype(dy.__precision__).itemsize
    assert sum(call.memory for call in softmax) == 3 * 2 * (2 + 3 + 4) * size
    assert all(0 <= call.start <= p.seconds and call.duration >= 0 for call in p.calls)
    shares = sum(line.forward + line.backward for line in p.lines)
    assert shares == pytest.approx(sum(call.duration for call in p.calls if call.nodes))
    functions = {line.function for line in p.lines}
    assert "small_graph" in functions and all(line.filename == __file__ for line in p.lines)
    assert any("dy.tanh(w * x)" in line.text and line.nodes == 18 for line in p.lines)
    text = str(p)
    assert "Operations" in text and "small_graph" in text and "3 graphs" in text
    check_files(p, tmp_path)


def check_files(p: "dy.inspection.recording.Profile", folder) -> None:
    p.save(folder / "p.html")
    page = (folder / "p.html").read_text(encoding="utf-8")
    Balance(page)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "") and "Why there are not fewer" in page
    p.save(str(folder / "p.json"))
    events = json.loads((folder / "p.json").read_text())["traceEvents"]
    calls = [event for event in events if event["ph"] == "X"]
    assert len(calls) == len(p.calls) and any(event["name"] == "softmax ×2" for event in calls)
    p.save(folder / "p.txt")
    assert (folder / "p.txt").read_text(encoding="utf-8") == f"{p}\n"
    assert Balance(p._repr_html_()).text.count("softmax") > 1
    for wrong in ("p.svg", "p"):
        with pytest.raises(ValueError, match=r"\.html, \.json or \.txt"):
            p.save(folder / wrong)
    with pytest.raises(OSError, match="no such"):
        p.save(folder / "no such" / "p.html")


def test_one_profile_at_a_time():
    with dy.profile() as p:
        with pytest.raises(RuntimeError, match="at once"), dy.profile():
            pass
        dy.renew_cg()
        dy.tanh(dy.inputVector([1])).value()
    assert any(call.kind.name == "tanh" for call in p.calls)
    with pytest.raises(RuntimeError, match="made already"), p:
        pass
    with dy.profile(lines=False) as p:
        dy.renew_cg()
        dy.exp(dy.inputVector([1])).value()
    assert {call.kind.name for call in p.calls if call.nodes} == {"exp"} and p.lines == []
    assert dy.cg().nodes()[-1].line is None and "exp" in str(p)


def test_a_profile_of_nothing(tmp_path):
    with dy.profile() as p:
        pass
    assert "nothing was computed" in str(p)
    for ending in ("html", "json", "txt"):
        p.save(tmp_path / f"p.{ending}")
    Balance((tmp_path / "p.html").read_text(encoding="utf-8"))


def test_an_error_ends_a_profile():
    with pytest.raises(ZeroDivisionError), dy.profile() as p:
        dy.renew_cg()
        dy.tanh(dy.inputVector([1])).value()
        raise ZeroDivisionError
    assert len(p.calls) > 0
    with dy.profile():
        pass


def test_a_profile_that_is_dropped_makes_way():
    for lines in (True, False):
        dropped = dy.profile(lines=lines)
        dropped.__enter__()
        del dropped
        dy.renew_cg()
        dy.inputVector([1])
        assert dy.cg().nodes()[-1].line is None
        with dy.profile() as p:
            dy.tanh(dy.inputVector([1])).value()
        assert len(p.calls) > 0


def test_a_profile_of_threads():
    together = threading.Barrier(3)

    def work():
        together.wait()
        dy.tanh(dy.inputVector([1, 2])).value()
        together.wait()

    with dy.profile() as p:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({call.thread for call in p.calls if call.nodes}) == 3
    assert sum(call.nodes for call in p.calls if call.kind.name == "tanh") == 3


def test_a_profile_beside_the_one_of_the_process():
    code = (
        "import dynet_config; dynet_config.set(profiling=1)\n"
        "import dynet as dy\n"
        "with dy.profile() as p:\n"
        "    dy.tanh(dy.inputVector([1])).value()\n"
        "assert sum(c.nodes for c in p.calls) == 1\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert "FWD tanh" in ran.stdout + ran.stderr


def test_looking_is_loaded_late():
    code = (
        "import sys, dynet\n"
        "late = [name for name in sys.modules if name.startswith('dynet.inspection.')]\n"
        "assert not late, late\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
