"""Programs that look at values as findings: run_batched over the better loop, for each program and size."""

import json
import pathlib
import statistics

from findings import Finding
from micro import guarded
from programs import program

FOLDER = pathlib.Path(__file__).resolve().parent
SIZES = 64, 100, 200, 300
ROUNDS = {False: 5, True: 2}  # quick or not
WAYS = {"function": "plain functions", "generator": "generators"}
# What run_batched should gain with these sizes, in Python and in C++, by program and whether it is trained.
PYTHON = {
    ("parser", False): (1.3, 1.45, 2.6, 3.3),
    ("parser", True): (1.15, 1.25, 2.2, 2.9),
    ("tagger", True): (1.25, 1.4, 2.2, 2.8),
    ("easy_first", False): (1, 1.1, 1.6, 1.7),
    ("easy_first", True): (1, 1.1, 1.7, 2),
    ("beam", False): (1.3, 1.5, 2.1, 2.4),
    ("game", False): (0.98, 0.98, 1, 1.15),
    ("tiny", False): (0.98, 0.98, 0.98, 0.98),
}
CPP = {("parser", False): (2, 1.9, 3.3, 3.7), ("parser", True): (2, 1.9, 3.3, 3.7)}
NAMES = {
    "parser": "stack-LSTM parser",
    "tagger": "REINFORCE tagger",
    "easy_first": "easy-first parser",
    "beam": "beam of 4, attention",
    "game": "tree search of a game",
    "tiny": "network of a few numbers",
}
ROUND_MICROSECONDS = 15  # of 32 tasks, beside kernels
LOOPS = "each", "together"


def target(targets, name, training, size, way):
    """The finding for a program, a size and a way to run it, not measured yet."""
    kind = "training" if training else "decoding"
    return Finding(
        "values",
        f"values/{name}/{kind}/{size}/{way}",
        f"{NAMES[name]}, {kind}, d = {size}",
        f"the better loop: {WAYS.get(way, way)}",
        None,
        bound=targets[name, training][SIZES.index(size)],
    )


def ratios(seconds):
    """The better loop, and for each way how much faster it is: the median over rounds, lowest, highest."""
    loop = min(LOOPS, key=lambda name: statistics.median(seconds[name]))
    made = {}
    for name, times in seconds.items():
        each = [plain / time for plain, time in zip(seconds[loop], times, strict=True)]
        made[name] = statistics.median(each), min(each), max(each)
    return loop, made


def fill(finding, measured, way):
    """Notes what a worker has measured."""
    loop, made = ratios(measured["seconds"])
    finding.value, finding.low, finding.high = made[way]
    rates = [measured["examples"] / statistics.median(measured["seconds"][name]) for name in (way, loop)]
    finding.detail = f"{rates[0]:.0f} : {rates[1]:.0f} examples/s"
    if "given" in made:
        finding.detail += f"; without a look at values: {made['given'][0]:.2f}×"
    fixed = f"{way} 32"
    if fixed in made:
        finding.detail += f"; window 32: {made[fixed][0]:.2f}×"


def table(bench, targets, ways, command):
    """The findings of all programs and sizes; `command` runs a worker for one."""
    made = {
        (name, training, size, way): target(targets, name, training, size, way)
        for name, training in targets
        for size in SIZES
        for way in ways
    }

    def measure():
        for name in dict.fromkeys(name for name, _ in targets):
            for size in SIZES:
                for line in bench.output(command(name, size)).splitlines():
                    measured = json.loads(line)
                    for way in ways:
                        fill(made[name, measured["training"], size, way], measured, way)

    return guarded(list(made.values()), measure)


def round_of_tasks(bench):
    """What a round costs beside its kernels."""
    finding = Finding(
        "values",
        "values/round",
        "a round of 32 tasks in C++, a product each",
        "without kernels, beside building",
        None,
        "µs",
        ROUND_MICROSECONDS,
        True,
    )

    def measure():
        lines = [json.loads(line) for line in bench.output([program("values"), "round"]).splitlines()]
        finding.value = next(line["microseconds"] for line in lines if line["tasks"] == 32)
        finding.detail = "; ".join(f"{line['tasks']} tasks {line['microseconds']:.2f}" for line in lines)

    return guarded([finding], measure)


def measure(bench):
    """All findings of the part."""
    rounds = str(ROUNDS[bench.quick])
    worker = [bench.python, str(FOLDER / "values_worker.py")]
    made = table(bench, PYTHON, WAYS, lambda name, size: [*worker, name, str(size), "--rounds", rounds])
    made += table(bench, CPP, ("coroutines",), lambda _, size: [program("values"), str(size), rounds])
    return made + round_of_tasks(bench)
