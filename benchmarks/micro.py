"""The small benchmarks as findings: graph building, scheduling, a step of an LSTM, products of matrices."""

import json
import pathlib
import re
import subprocess

import corpus
from contestants import environment, pinned
from environments import UnavailableError
from findings import Finding
from programs import program
from report import table_lines
from targets import KNOWN_PEAK
from tasks import TASKS

FOLDER = pathlib.Path(__file__).resolve().parent
LIMIT_SECONDS = 600
PYTHON_NODE, CPP_NODE = 60, 15
FRESH, CACHED = 25, 3
SCHEDULED = (("tagger", 1), ("tagger", 16), ("treelstm", 1), ("treelstm", 16))
SCHEDULED_BATCHES = 8
OF_CACHE, OF_PEAK, OF_GRID = 60, 85, 95
# What a core of the known machine reads: matrices that fit its second cache, and larger ones.
SECOND_CACHE, SECOND_CACHE_RATE, THIRD_CACHE_RATE = 1 << 20, 94e9, 69e9


class Bench:
    """Runs the scripts and programs of this folder on one core."""

    def __init__(self, python, site, quick, machine, folder):
        self.python = python
        self.site = site
        self.quick = quick
        self.machine = machine
        self.folder = pathlib.Path(folder)

    def output(self, command):
        """What a command prints; a failure becomes UnavailableError."""
        if command[0] is None:
            raise UnavailableError("our package is not available")
        try:
            run = subprocess.run(
                pinned(command, self.site.cores_for(1)),
                env=environment(1, keep_python_path=True),
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise UnavailableError(f"{pathlib.Path(command[1]).name}: {error}") from error
        return run.stdout

    def table(self, script, *options):
        """The table that a script prints, as a dictionary for each line."""
        return table_lines(self.output([self.python, str(FOLDER / script), *options]))


def number(cell):
    """The number that a cell begins with."""
    found = re.match(r"-?[\d.]+", cell)
    if not found:
        raise UnavailableError(f"no number was measured: {cell}")
    return float(found.group())


def guarded(made, measure):
    """Fills findings; when what they need is missing, all say why."""
    try:
        measure()
    except UnavailableError as error:
        for finding in made:
            finding.detail = finding.detail or str(error)
    return made


def graph_building(bench):
    """Nanoseconds a node: the dearest of the graphs of a thousand nodes."""
    made = [
        Finding("graph", "graph/python", "graph building", "Python, a node", None, "ns", PYTHON_NODE, True),
        Finding("graph", "graph/cpp", "graph building", "C++, a node", None, "ns", CPP_NODE, True),
    ]

    def measure():
        lines = bench.table("graph_build.py", "--sizes", "1000", "--cpp", program("graph_build"))
        for finding, is_cpp in zip(made, (False, True), strict=True):
            costs = {
                line["graph"].removesuffix(" (C++)"): number(line["construct, ns per node"])
                for line in lines
                if line["graph"].endswith("(C++)") == is_cpp
            }
            finding.value = max(costs.values())
            finding.detail = "; ".join(f"{graph} {cost:.0f}" for graph, cost in costs.items())

    return guarded(made, measure)


def scheduling(bench):
    """Nanoseconds a node from the graph to the plan: the dearest of the graphs."""
    made = [
        Finding(
            "schedule", "schedule/fresh", "scheduling and planning", "fresh, a node", None, "ns", FRESH, True
        ),
        Finding(
            "schedule",
            "schedule/cached",
            "scheduling and planning",
            "cached, a node",
            None,
            "ns",
            CACHED,
            True,
        ),
    ]

    def measure():
        results = []
        for name, minibatch in SCHEDULED:
            path = bench.folder / f"schedule-{name}-{minibatch}"
            corpus.write(TASKS[name], TASKS[name].batches(minibatch)[:SCHEDULED_BATCHES], path)
            results.append(json.loads(bench.output([program("schedule"), name, str(path)])))
        for finding, kind in zip(made, ("fresh", "cached"), strict=True):
            costs = {f"{one['graph']} {one['sentences']}": one[kind] for one in results if kind in one}
            finding.value = max(costs.values(), default=None)
            finding.detail = "; ".join(f"{graph} {cost:.1f}" for graph, cost in costs.items())
            finding.detail = finding.detail or "there is no cache of plans"

    return guarded(made, measure)


def ideal_step(hidden, machine):
    """Seconds of a step in a row of them: the recurrent matrix from the cache, the rest at peak."""
    scale = machine["operations"] / KNOWN_PEAK
    recurrent = 16 * hidden**2
    rate = SECOND_CACHE_RATE if recurrent <= SECOND_CACHE else THIRD_CACHE_RATE
    return recurrent / (rate * scale) + 8 * hidden**2 / machine["operations"]


def lstm(bench):
    """The sizes of an LSTM at which a step forward is near what the caches allow."""
    step = 128 if bench.quick else 8
    finding = Finding(
        "lstm",
        "lstm",
        f"LSTM step, one column, H = 8…1024, every {step}",
        f"sizes with ≥ {OF_CACHE} % of the cache's rate",
        None,
        "%",
        100,
    )

    def measure():
        sizes = range(step, 1025, step)
        options = ("--sizes", ",".join(map(str, sizes)), "--minibatches", "1", "--samples", "3")
        shares = {}
        for line in bench.table("lstm_step.py", *options):
            hidden = int(line["hidden"])
            seconds = number(line["forward, µs per step"]) * 1e-6
            shares[hidden] = 100 * ideal_step(hidden, bench.machine) / seconds
        finding.value = 100 * sum(share >= OF_CACHE for share in shares.values()) / len(shares)
        worst = sorted(shares, key=shares.get)[:3]
        finding.detail = "worst: " + ", ".join(f"H {hidden} {shares[hidden]:.0f} %" for hidden in worst)

    return guarded([finding], measure)


def gemm(bench):
    """The share of a grid of products that is near the peak, and as fast as the best library."""
    what = "matrix kernel, scattered columns"
    made = [
        Finding("gemm", "gemm/peak", what, f"grid ≥ {OF_PEAK} % of peak, 2 columns up", None, "%", 100),
        Finding("gemm", "gemm/blas", what, "grid ≥ 1.0× the best of OpenBLAS and MKL", None, "%", OF_GRID),
    ]

    def measure():
        lines = bench.table("gemm.py", "--cpp", program("gemm"))
        share, ratio, median = (
            find_heading(lines[0], text) for text in ("of the peak", "≥ 1.0", "median of dynet")
        )
        by_columns = {line["columns"]: line for line in lines}
        made[0].value = number(by_columns["2 and more"][share])
        made[1].value = number(by_columns["all"][ratio])
        made[1].detail = f"ratio {by_columns['all'][median]}"
        several = [line for line in lines if line["columns"].isdigit()]
        made[0].detail = "by columns: " + ", ".join(f"{line['columns']}: {line[share]}" for line in several)

    return guarded(made, measure)


def find_heading(line, text):
    """The heading that has the text in it."""
    return next(heading for heading in line if text in heading)
