"""What a package costs beside time: the memory of training and inference, and the time of its import."""

import json
import pathlib
import statistics
import subprocess

from contestants import Contestant, environment
from environments import UnavailableError
from findings import Finding
from tasks import TASKS

MEMORY_TASKS = ("tagger", "tagger_char", "treelstm", "rnnlm")
MINIBATCH = 16
SHARES = {"training": 0.5, "inference": 0.25}
IMPORT_SHARE = 0.15
IMPORT_ROUNDS = 15
# NumPy is there already, and the folder of the benchmarks is not on the path.
IMPORT = """
import json, sys, time
import numpy
start = time.perf_counter()
import dynet
print(json.dumps({"import": time.perf_counter() - start}))
"""
MIB = 1 << 20


def peak(contestant, task, infer, site):
    """The largest resident memory of a pass."""
    extra = ("--serve", "--infer") if infer else ("--serve",)
    process = contestant.start(task, MINIBATCH, site, extra)
    try:
        return process.peak_memory()
    finally:
        process.close()


def settings(pythons):
    """Ours, dyNET38 as it starts, and dyNET38 with the smallest pool of memory, which grows as needed."""
    ours = Contestant("ours", "ours", pythons["ours"])
    usual = Contestant("dyNET38", "dynet", pythons["dynet"], ("--memory", "512"))
    smallest = Contestant("dyNET38", "dynet", pythons["dynet"], ("--memory", "1"))
    return ours, usual, smallest


def memory(pythons, site, progress):
    """The findings about memory."""
    made = []
    for name in MEMORY_TASKS:
        for mode, bound in SHARES.items():
            progress(f"memory of {name}, {mode}")
            what = f"peak memory, {name} {MINIBATCH}, {mode}"
            finding = Finding(
                "memory", f"memory/{name}/{mode}", what, "dyNET38", None, bound=bound, at_most=True
            )
            made.append(finding)
            try:
                sizes = [
                    peak(each, TASKS[name], mode == "inference", site) / MIB for each in settings(pythons)
                ]
            except KeyError as error:
                finding.detail = f"{error} is not available"
                continue
            except UnavailableError as error:
                finding.detail = str(error)
                continue
            finding.value = sizes[0] / sizes[1]
            finding.detail = "{:.0f} : {:.0f} MiB; {:.0f} with --dynet-mem 1".format(*sizes)
    return made


def seconds_of_import(python, ours):
    """How long `import dynet` takes once NumPy is there."""
    done = subprocess.run(
        [python, "-c", IMPORT],
        env=environment(1, keep_python_path=ours),
        cwd=pathlib.Path(python).parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])["import"]


def imports(pythons, _site, progress):
    """The finding about the time of the import."""
    progress("import")
    finding = Finding(
        "import", "import", "import dynet, beyond NumPy", "dyNET38", None, bound=IMPORT_SHARE, at_most=True
    )
    if not {"ours", "dynet"} <= set(pythons):
        finding.detail = "dyNET38 is not available"
        return [finding]
    times = {"ours": [], "dynet": []}
    for number in range(IMPORT_ROUNDS + 1):
        for toolkit, list_of_times in times.items():
            seconds = seconds_of_import(pythons[toolkit], toolkit == "ours")
            if number:
                list_of_times.append(1000 * seconds)
    ours, theirs = (statistics.median(times[toolkit]) for toolkit in ("ours", "dynet"))
    finding.value = ours / theirs
    finding.detail = f"{ours:.0f} : {theirs:.0f} ms"
    return [finding]
