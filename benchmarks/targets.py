"""What the training rows are held against: targets, and figures that were measured on known hardware."""

from dataclasses import dataclass

from findings import Finding

# Ours over the best setting of dyNET38, by task and minibatch.
DYNET = {
    "tagger": {1: 5.5, 16: 4, 64: 4},
    "tagger_char": {1: 4.5, 16: 4, 64: 4},
    "treelstm": {1: 3, 16: 2.2, 64: 2.2},
    "rnnlm": {1: 10, 4: 4.2, 16: 1.9, 64: 1.35},
    "rnnlm_bulk": {1: 2.2, 16: 1.25, 64: 1.2},
}
PYTORCH_EXAMPLE = {"treelstm": 20}
PYTORCH_EXAMPLE_ELSEWHERE = 7
PYTORCH_BATCHED = 1.5
AS_WRITTEN = 0.95  # of the speed when the softmax is batched by hand
PYTHON_OF_CPP = {"tagger": 90, "tagger_char": 90, "treelstm": 80}  # per cent

TWO_THREADS, NEVER_LESS = 1.6, 0.97
BOUND_BY_MEMORY = {("rnnlm", 1), ("rnnlm", 4), ("rnnlm_bulk", 1)}  # the update streams 95 MB

# A core with this rate of multiply-adds ran what follows. Another machine is assumed to run a known program
# as much faster as it runs the toolkit that was measured beside it; where there is none, as much as its peak
# is higher, which is more than programs gain.
KNOWN_PEAK = 117.2e9
KNOWN_MACHINE = "EPYC Genoa, 117.2 GFLOP/s a core"


@dataclass(frozen=True)
class Known:
    """Sentences per second that somebody measured, and what a toolkit that runs here reached beside it."""

    who: str
    rate: float
    toolkits: tuple[str, ...]  # the best of these
    beside: float


DYNET_WHEEL = ("dynet",)
TORCH = ("torch example", "torch batched")

BEST_PEERS = {
    "tagger": {
        1: Known("DyNet C++, native build", 1676, DYNET_WHEEL, 788),
        16: Known("DyNet C++, native build, autobatch", 1980, DYNET_WHEEL, 1631),
        64: Known("DyNet Python, native build, autobatch", 1858, DYNET_WHEEL, 1618),
    },
    "tagger_char": {
        1: Known("DyNet C++, native build", 1213, DYNET_WHEEL, 596),
        16: Known("DyNet C++, native build, autobatch", 1486, DYNET_WHEEL, 1083),
        64: Known("DyNet C++, native build, autobatch", 1359, DYNET_WHEEL, 1006),
    },
    "treelstm": {
        1: Known("DyNet C++, native build", 1097, DYNET_WHEEL, 725),
        16: Known("DyNet C++, native build, autobatch", 1828, DYNET_WHEEL, 1519),
        64: Known("DyNet C++, native build, autobatch", 1840, DYNET_WHEEL, 1565),
    },
    "rnnlm": {
        1: Known("JAX", 74.9, TORCH, 49.8),
        4: Known("PyTorch, fused Adam", 138, TORCH, 123),
        16: Known("dyNET38, one softmax", 193, DYNET_WHEEL, 127),
        64: Known("dyNET38, one softmax", 219, DYNET_WHEEL, 196),
    },
    "rnnlm_bulk": {
        1: Known("JAX", 74.9, TORCH, 49.8),
        16: Known("dyNET38, one softmax", 193, DYNET_WHEEL, 193),
        64: Known("dyNET38, one softmax", 219, DYNET_WHEEL, 219),
    },
}

# An execution written by hand for the task, without a graph, and the share of it that Python should reach.
BY_HAND = {
    "tagger": {1: (7265, 60), 16: (9025, 72), 64: (8932, 72)},
    "treelstm": {1: (3257, 66), 16: (4789, 70), 64: (4858, 72)},
}
OF_MACHINE = {
    "tagger": {1: 39, 16: 56, 64: 56},
    "treelstm": {1: 38, 16: 57, 64: 60},
    "rnnlm": {1: 31, 4: 59, 16: 79, 64: 84},
}


def label(row):
    """The row in words."""
    names = {
        "tagger": "tagger",
        "tagger_char": "tagger with characters",
        "treelstm": "TreeLSTM",
        "rnnlm": "RNNLM as written",
        "rnnlm_bulk": "RNNLM, softmax by hand",
    }
    return f"{names[row.task]}, {row.minibatch}"


class Judge:
    """Makes the findings of one row."""

    def __init__(self, row, peak):
        self.row = row
        self.peak = peak

    def ratio(self, kind, against, first, second, bound, unit="×"):
        """The finding for the ratio of two contestants of the row."""
        row = self.row
        scale = 100 if unit == "%" else 1
        finding = Finding(
            row.task, f"{row.task}/{row.minibatch}/{kind}", label(row), against, None, unit, bound
        )
        pair = row.best(first), row.best(second)
        if all(pair):
            finding.value, finding.low, finding.high = (scale * x for x in row.ratio(*pair))
            finding.detail = f"{pair[0].text()} : {pair[1].text()} sentences/s"
            if second == "dynet":
                finding.detail += f" ({pair[1].name.removeprefix('dyNET38 ')})"
        else:
            finding.detail = row.why_missing()
        return finding

    def share(self, kind, against, toolkit, rate, bound, unit="%"):
        """The finding for the ratio of a contestant to a known rate."""
        row = self.row
        finding = Finding(
            row.task, f"{row.task}/{row.minibatch}/{kind}", label(row), against, None, unit, bound
        )
        ours = row.best(toolkit)
        if ours is None:
            finding.detail = row.why_missing()
            return finding
        scale = 100 if unit == "%" else 1
        finding.value = scale * ours.median() / rate
        finding.low, finding.high = (scale * end(ours.rates) / rate for end in (min, max))
        finding.detail = f"{ours.text()} : {rate:.0f} sentences/s"
        return finding

    def best_of(self, toolkits):
        """The fastest entry of these toolkits, or None."""
        entries = [entry for name in toolkits if (entry := self.row.best(name))]
        return max(entries, key=lambda entry: entry.median(), default=None)

    def scaled(self, known):
        """What a known program would reach here."""
        beside = self.best_of(known.toolkits)
        return known.rate * (beside.median() / known.beside if beside else self.peak / KNOWN_PEAK)

    def best_peer(self):
        """The finding against the best of all peers: those of this run, and the known figure, scaled."""
        row = self.row
        known = BEST_PEERS[row.task].get(row.minibatch)
        rate = self.scaled(known) if known else 0
        best = self.best_of(DYNET_WHEEL + TORCH)
        if known and (best is None or rate > best.median()):
            against = f"best peer: {known.who} (known figure, scaled)"
            return self.share("peer", against, "ours", rate, 1, "×")
        name = best.name if best else "no peer"
        return self.ratio("peer", f"best peer: {name}", "ours", best.toolkit if best else "dynet", 1)

    def findings(self):
        """All findings of the row."""
        row = self.row
        task, size = row.task, row.minibatch
        torch = PYTORCH_EXAMPLE.get(task, PYTORCH_EXAMPLE_ELSEWHERE)
        threads = NEVER_LESS if (task, size) in BOUND_BY_MEMORY else TWO_THREADS
        made = [
            self.ratio("dynet", "dyNET38, best setting", "ours", "dynet", DYNET[task].get(size)),
            self.best_peer(),
            self.ratio("torch_example", "PyTorch, per example", "ours", "torch example", torch),
            self.ratio("torch_batched", "PyTorch, batched by hand", "ours", "torch batched", PYTORCH_BATCHED),
            self.ratio("threads", "itself, two threads : one", "two threads", "ours", threads),
        ]
        made.append(self.ratio("host", "its host alone: no kernels, no update", "cpp", "host", None, "%"))
        if task == "rnnlm":
            against = "ours, softmax batched by hand"
            made.append(self.ratio("by_hand", against, "ours", "by hand", AS_WRITTEN))
        if task in PYTHON_OF_CPP:
            made.append(self.ratio("cpp", "ours in C++", "ours", "cpp", PYTHON_OF_CPP[task], "%"))
        if task in BY_HAND and size in BY_HAND[task]:
            rate, bound = BY_HAND[task][size]
            rate *= self.peak / KNOWN_PEAK
            hand = "execution written by hand (known figure, scaled)"
            made.append(self.share("hand", hand + ", Python", "ours", rate, bound))
            made.append(self.share("hand_cpp", hand + ", C++", "cpp", rate, bound))
        if size in OF_MACHINE.get(task, {}):
            bound = OF_MACHINE[task][size]
            made.append(
                self.share("machine", "FLOPs needed ÷ peak of the core", "ours", row.operation_limit, bound)
            )
        return made
