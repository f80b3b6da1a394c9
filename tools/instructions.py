"""Counts the instructions of a fixed small run of each task: instructions.py BUILD [--write].

The counts of benchmarks/instructions.json may grow by 5 %; with --write they are recorded anew. The runs are
those of benchmarks/worker.cc on one thread under valgrind, which has the instruction set v3 at most.
"""

import concurrent.futures
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from sources import ROOT

sys.path.append(str(ROOT / "benchmarks"))

RECORD = ROOT / "benchmarks" / "instructions.json"
GROWTH = 0.05
INSTRUCTION_SET = "v3"
# Task, size of its minibatches, how many of them, and the words of a sentence that are kept (0: all).
RUNS = (
    ("tagger", 4, 2, 0),
    ("tagger_char", 4, 2, 0),
    ("treelstm", 4, 2, 0),
    ("rnnlm", 4, 1, 4),
    ("rnnlm_bulk", 4, 1, 4),
)
NO_LIMIT = "1e9"


class UnfitError(Exception):
    """Why counts from here cannot be compared with those of the record."""


def write_corpus(task, minibatch, count, words, path):
    """The first minibatches of a task."""
    import corpus

    batches = task.batches(minibatch)[:count]
    if words:
        batches = [[sentence[:words] for sentence in batch] for batch in batches]
    corpus.write(task, batches, path)


def parse(output, errors):
    """The compiler, the instruction set, and the count in what a run printed."""
    ready = next(json.loads(line) for line in output.splitlines() if line.startswith("{"))
    collected = re.search(r"Collected : (\d+)", errors)
    if not collected:
        raise UnfitError(f"valgrind counted nothing: {errors.strip()[-200:]}")
    return ready["compiler"], ready["instruction_set"], int(collected.group(1))


def count(worker, task, path, passes):
    """Runs a task, once to warm up and once counted."""
    valgrind = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        "--toggle-collect=counted_steps",
    ]
    command = [*valgrind, worker, task, str(path), "1", "wall", NO_LIMIT]
    run = subprocess.run(command, input=f"count {passes}\n", capture_output=True, text=True, check=False)
    if run.returncode:
        raise UnfitError(f"{task} failed under valgrind: {run.stderr.strip()[-400:]}")
    return parse(run.stdout, run.stderr)


def count_all(worker):
    """The compiler and the count of each task."""
    from tasks import TASKS

    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        started = {}
        for name, minibatch, batches, words in RUNS:
            path = pathlib.Path(folder) / name
            write_corpus(TASKS[name], minibatch, batches, words, path)
            started[name] = pool.submit(count, worker, name, path, batches)
        results = {name: each.result() for name, each in started.items()}
    compilers, sets = ({result[i] for result in results.values()} for i in (0, 1))
    if sets != {INSTRUCTION_SET}:
        raise UnfitError(f"this machine has {', '.join(sets)} under valgrind, not {INSTRUCTION_SET}")
    return {"compiler": compilers.pop(), "counts": {name: result[2] for name, result in results.items()}}


def build(folder):
    """The worker of a build folder, brought up to date with all benchmarks."""
    cmake = pathlib.Path(sys.executable).with_name("cmake")
    command = [str(cmake), "--build", folder, "--target", "benchmarks"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    if not shutil.which("valgrind"):
        raise UnfitError("valgrind is not installed (Debian, Ubuntu: apt install valgrind)")
    return str(pathlib.Path(folder) / "worker")


def judge(recorded, counted):
    """What must be mended, and what is only to be known."""
    if recorded["compiler"] != counted["compiler"]:
        raise UnfitError(f"the record is of compiler {recorded['compiler']}, this is {counted['compiler']}")
    complaints, remarks = [], []
    for task, now in counted["counts"].items():
        before = recorded["counts"].get(task)
        if before is None:
            complaints.append(f"{task} is not in {RECORD.name}: record it with make instructions")
            continue
        change = now / before - 1
        text = f"{task}: {now / 1e6:.2f} million instructions, {100 * change:+.1f} % against the record"
        if now > before * (1 + GROWTH):
            complaints.append(f"{text}: find out why, or accept it with make instructions")
        else:
            remarks.append(text + (": lower the record with make instructions" if change < -GROWTH else ""))
    return complaints, remarks


def main(folder, *options):
    """Counts, and writes or compares."""
    try:
        counted = count_all(build(folder))
        if "--write" in options:
            RECORD.write_text(json.dumps(counted, indent=1) + "\n")
            return 0
        complaints, remarks = judge(json.loads(RECORD.read_text()), counted)
    except UnfitError as error:
        print(f"INSTRUCTION COUNTS WERE NOT CHECKED: {error}")
        return 1 if "--write" in options else 0
    print("\n".join(remarks + complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
