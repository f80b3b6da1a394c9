"""The same bits of model, trainer and losses for any number of processes, any MPI, and after a restart."""

import itertools

import jobs
import pytest

pytestmark = pytest.mark.skipif(not jobs.PYTHONS, reason=jobs.WHY_NOT)

TRAINERS = [
    "SimpleSGD",
    "CyclicalSGD",
    "MomentumSGD",
    "Adagrad",
    "Adadelta",
    "RMSProp",
    "Adam",
    "Amsgrad",
    "EG",
]
LINES = [
    *(f"--trainer {name}" for name in TRAINERS),
    "--builds dense",
    "--dense --decay 0.01",
    "--trainer MomentumSGD --clip 0 --average",
    "--accumulate 2",
    "--accumulate 3 --balance",
    "--shards 24",
    "--builds sparse,large",
    "--builds large --shards 12 --accumulate 2",
    "--balance --trainer Adagrad",
]
EXACT = ["--exact", "--exact --accumulate 2 --trainer Adagrad", "--exact --dense --clip 0"]
RUNS = list(itertools.product(jobs.PYTHONS, jobs.COUNTS))


def every(python, count):
    return dict(zip(LINES, jobs.train(python, count, *LINES), strict=True))


def every_exact(python, count):
    return dict(zip(EXACT, jobs.train(python, count, *EXACT), strict=True))


@pytest.mark.parametrize("line", LINES, ids=jobs.shown)
def test_no_number_of_processes_changes_a_bit(line):
    results = {run: every(*run)[line] for run in RUNS}
    assert len(results) == len(jobs.PYTHONS) * len(jobs.COUNTS)
    first = results[RUNS[0]]
    assert first["updates"] > 15
    assert results == dict.fromkeys(RUNS, first)


@pytest.mark.parametrize("line", EXACT, ids=jobs.shown)
def test_exact_sums_are_the_same_for_any_number_of_processes(line):
    runs = list(itertools.product(jobs.PYTHONS, sorted({*jobs.COUNTS, 3} - {8})))
    results = {run: every_exact(*run)[line] for run in runs}
    assert results == dict.fromkeys(runs, results[runs[0]])


def test_the_lines_differ():
    """Or the digests would not see what they are to see."""
    results = every(jobs.PYTHONS[0], 1).values()
    assert len({each["model"] for each in results}) == len(LINES)


@pytest.mark.parametrize("how", ["mpi", "ring"])
def test_other_sums_are_seen(how):
    """Sums of floats by MPI, or by one process after another, depend on the number of processes."""
    line = f"--sum {how} --check-every 0 --dense"
    results = [jobs.train(jobs.PYTHONS[0], count, line)[0]["model"] for count in (1, 2, 4)]
    assert len(set(results)) > 1


def test_shards_decide():
    eight, four = jobs.train(jobs.PYTHONS[0], 2, "--shards 8", "--shards 4")
    assert eight["model"] != four["model"]
    assert eight["loss"] == pytest.approx(four["loss"], rel=0.2)


@pytest.mark.parametrize("line", ["", "--exact"], ids=jobs.shown)
def test_training_goes_on_with_another_number_of_processes(line, tmp_path):
    python, other = jobs.PYTHONS[0], jobs.PYTHONS[-1]
    whole = jobs.train(python, 1, line)[0]
    line += f" --checkpoint {tmp_path}/checkpoint"
    for at, (mpi, count) in enumerate([(python, 2), (other, 1), (other, 4)]):
        result = jobs.train(mpi, count, f"{line} --updates {4 + 5 * at}")[0]
        assert result["updates"] == 4 + 5 * at
    assert jobs.train(python, 2, line)[0] == whole
