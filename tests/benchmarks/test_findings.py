"""What the benchmarks make of the rates they measure: ratios, verdicts, and a page."""

import json
from types import SimpleNamespace

import contestants
import findings
import page
import pytest
import structures
import targets
import training
from environments import UnavailableError
from findings import Finding
from report import Entry, Row, markdown, table_lines
from tasks import TASKS

PEAK = targets.KNOWN_PEAK


def entry(toolkit, *rates, name=None):
    return Entry(name or toolkit, toolkit, list(rates), "1.0", 2.0, False)


def row(*entries, task="tagger", minibatch=16, **missing):
    return Row(task, minibatch, 10000.0, 50000.0, list(entries), missing)


def judged(measured, peak=PEAK):
    return {finding.key.rpartition("/")[2]: finding for finding in targets.Judge(measured, peak).findings()}


def test_ratio_is_of_medians_and_its_range_of_rounds():
    measured = row(
        entry("ours", 400, 800, 600),
        entry("dynet", 90, 110, 100),
        entry("dynet", 50, 50, 50, name="dyNET38 plain"),
    )
    finding = judged(measured)["dynet"]
    assert finding.value == pytest.approx(6.0)
    assert (finding.low, finding.high) == pytest.approx((400 / 90, 800 / 110))
    assert finding.bound == targets.DYNET["tagger"][16]
    assert finding.reached() is True


def test_what_is_missing_is_said():
    finding = judged(row(entry("ours", 5.0), torch="no such package"))["torch_batched"]
    assert finding.value is None and finding.reached() is None
    assert "no such package" in finding.detail


def test_known_figures_grow_with_the_machine():
    measured = row(entry("ours", 9025.0))
    usual, faster = (judged(measured, peak)["hand"] for peak in (PEAK, 2 * PEAK))
    assert (usual.value, faster.value) == pytest.approx((100, 50))


@pytest.mark.parametrize("rate, who", [(1900.0, "known figure"), (2100.0, "best peer: PyTorch batched")])
def test_best_peer_is_known_or_of_this_run(rate, who):
    peer = entry("torch batched", rate, name="PyTorch batched")
    found = judged(row(entry("ours", 1000.0), peer))["peer"]
    best = max(rate, targets.BEST_PEERS["tagger"][16].rate)
    assert who in found.against
    assert found.value == pytest.approx(1000 / best)


@pytest.mark.parametrize(
    "value, at_most, reached, margin", [(2, False, True, 2), (0.5, True, True, 2), (2, True, False, 0.5)]
)
def test_bounds(value, at_most, reached, margin):
    finding = Finding("a", "a", "a", "b", value, bound=1, at_most=at_most)
    assert (finding.reached(), finding.margin()) == (reached, margin)


def test_new_results_replace_old_ones_in_their_place():
    old = [Finding("a", key, key, "", 1.0) for key in ("a/1", "a/2", "b")]
    new = [Finding("a", key, key, "", 2.0) for key in ("a/2", "c")]
    made = findings.merged(old, new)
    assert [(finding.key, finding.value) for finding in made] == [("a/1", 1), ("a/2", 2), ("b", 1), ("c", 2)]
    assert findings.from_fields(json.loads(json.dumps(findings.as_fields(made)))) == made


def test_every_row_has_its_targets():
    for task, sizes in targets.DYNET.items():
        for size in sizes:
            assert targets.BEST_PEERS[task][size].rate > 0


def test_tables_are_read_as_they_are_written():
    text = "before\n" + markdown(("graph", "ns"), [("x + y", "46 (45–47)"), ("tanh(x)", "62")]) + "\nafter"
    assert table_lines(text) == [{"graph": "x + y", "ns": "46 (45–47)"}, {"graph": "tanh(x)", "ns": "62"}]


NOTES = """# Notes

## */threads, gemm

Memory bounds it.

## treelstm/*/hand

Trees are deep.

## treelstm/16/hand

Sixteen trees.
"""


@pytest.mark.parametrize(
    "key, text",
    [
        ("tagger/1/threads", "Memory bounds it."),
        ("gemm/peak", "Memory bounds it."),
        ("treelstm/1/hand", "Trees are deep."),
        ("treelstm/16/hand", "Sixteen trees."),
        ("tagger/1/hand", None),
    ],
)
def test_notes(tmp_path, key, text):
    file = tmp_path / "notes.md"
    file.write_text(NOTES)
    notes = page.read_notes(file)
    assert page.note_of(Finding("", key, "", "", 1.0), notes) == text


def test_page(tmp_path):
    measured = row(entry("ours", 500.0), entry("dynet", 100.0), entry("two threads", 510.0))
    options = {"rounds": 3, "window": 0.8, "threads": 1, "clock": "wall", "quick": False}
    machine = {"operations": 1e11, "bytes": 2e10}
    about = {"when": "today", "processor": "a CPU", "cores": 2, "machine": machine, "options": options}
    made = targets.Judge(measured, PEAK).findings()
    fields = {"about": about, "findings": findings.as_fields(made), "rows": [measured.as_fields()]}
    page.write(json.loads(json.dumps(fields)), tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert "| tagger, 16 | dyNET38, best setting | ≥ 4× | 5.00× (5.00–5.00) | reached |" in text
    missed = text.partition("## What falls short, and why")[2].partition("## Rates")[0]
    assert "two threads : one: 1.02×" in missed and "dyNET38, best setting" not in missed


class Worker:
    """Stands for a running program of a toolkit."""

    def __init__(self, name):
        self.name = name
        self.ready = {"version": "1.0", "loss_per_word": 2.0}
        self.rates = []

    def window(self, seconds):
        self.rates.append(100.0)
        return self.rates[-1]

    def forget(self):
        self.rates.clear()

    def core_share(self):
        return 1.0

    def close(self):
        pass


def test_a_strategy_that_crashes_is_left_out(monkeypatch):
    def start(contestant, *_):
        if contestant.name.endswith("3"):
            raise UnavailableError("ended by signal 11")
        return Worker(contestant.name)

    monkeypatch.setattr(contestants.Contestant, "start", start)
    options = SimpleNamespace(rounds=2, window=0.1, autobatch="13")
    site = SimpleNamespace(threads=1, cores=[0], clock="wall")
    machine = {"operations": 1e9, "bytes": 1e9}
    suite = training.Training(options, {"dynet": "python"}, {}, site, machine, ".", lambda _: None)
    measured = suite.row(TASKS["tagger"], 1)
    assert [e.name for e in measured.entries] == ["dyNET38 plain", "dyNET38 autobatch 1"]
    assert list(measured.missing) == ["dyNET38 autobatch 3"]


def test_structures_are_filled_by_what_the_worker_prints():
    made = structures.targets()
    assert len(made) == 15 and {finding.part for finding in made.values()} == {"structures"}
    structures.fill(made["crf/1"], {"key": "crf/1", "ours": 10.0, "theirs": 400.0, "ratios": [39, 40, 45]})
    assert made["crf/1"].value == 40 and made["crf/1"].reached() is True
    structures.fill(made["ctc/16"], {"key": "ctc/16", "ours": 10.0, "theirs": None, "ratios": []})
    assert made["ctc/16"].value is None and "not installed" in made["ctc/16"].detail


def test_structures_say_what_is_missing():
    def output(_):
        raise UnavailableError("no such package")

    made = structures.measure(SimpleNamespace(quick=True, python="python", output=output))
    assert {finding.detail for finding in made} == {"no such package"}
