"""`python -m dynet.distributed`: starts a program in several processes, or says how to."""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import subprocess
import sys
import time
from typing import Any

HOW = """\
dynet.distributed: {script} is one process here. To start it in several:
  on this machine     {python} -m dynet.distributed -n 4 {script}
  the same by hand    {mpiexec} -n 4 {python} -m dynet.distributed {script}
  on a cluster        srun -n 64 {python} -m dynet.distributed {script}
                      mpiexec -n 64 --hostfile hosts {python} -m dynet.distributed {script}
--check in place of the program shows processes, hosts, cores and bandwidth."""
_RANKS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID")
_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "SLURM_STEP_ID")


def mpiexec() -> str | None:
    """The mpiexec of this Python's environment, or else of the system."""
    beside = os.path.join(os.path.dirname(sys.executable), "mpiexec")
    return beside if os.access(beside, os.X_OK) else shutil.which("mpiexec")


def launch_options(version: str, count: int) -> list[str]:
    """What Open MPI, which counts cores and users, needs besides."""
    if "Open MPI" not in version and "prterun" not in version and "OpenRTE" not in version:
        return []
    options = ["--bind-to", "none"]
    if count > (os.cpu_count() or 1):
        options.append("--oversubscribe")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-run-as-root")
    return options


def start(count: int, rest: list[str]) -> int:
    """Starts this module in several processes; gives the status of the job."""
    from dynet.distributed.transport import INSTALL

    program = mpiexec()
    if program is None:
        print(INSTALL, file=sys.stderr)
        return 2
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    command = [
        program,
        *launch_options(version, count),
        "-n",
        str(count),
        sys.executable,
        "-m",
        "dynet.distributed",
    ]
    return subprocess.run([*command, *rest], check=False).returncode


def run(script: str, arguments: list[str]) -> None:
    """The program in this process, whose end by an exception ends all."""
    from dynet.distributed import guard
    from dynet.distributed.transport import mpi

    if hasattr(os, "fork"):
        guard.watch(next((os.environ[name] for name in _RANKS if name in os.environ), "?"))
    guard.install(mpi())
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    runpy.run_path(script, run_name="__main__")


def check() -> None:
    """Prints a line for each process, and how fast bytes travel between neighbours."""
    import dynet as dy
    from dynet import _dynet
    from dynet.distributed.transport import transport_for

    transport = transport_for(None)
    transport.meet("value")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    own = (
        f"process {transport.rank} of {transport.count}: {transport.host}, {cores} cores, "
        f"{dy.get_num_threads()} threads, dynet {dy.__version__} {dy.__precision__} "
        + _dynet._instruction_set()
    )
    lines = transport.gather(own.encode())
    speeds = measured_speeds(transport)
    if transport.rank == 0:
        print("\n".join(line.decode() for line in lines))
        library = transport.mpi.Get_library_version().split("\n")[0].split(",")[0].strip("\0 ")
        print(f"{library}; {speeds}", flush=True)


def measured_speeds(transport: Any) -> str:
    """What small and large messages take, the median of several."""
    if transport.count == 1:
        return "one process sends nothing"
    seconds: list[list[float]] = [[], []]
    peer = transport.rank ^ 1
    for size, times in zip((0, 1 << 23), seconds, strict=True):
        send, receive = memoryview(bytes(size)), memoryview(bytearray(size))
        for _ in range(10):
            transport.gather(b"")
            begin = time.perf_counter()
            if peer < transport.count:
                transport.exchange(peer, send, receive)
            times.append(time.perf_counter() - begin)
    small, large = (sorted(times)[len(times) // 2] for times in seconds)
    speed = (1 << 23) / large / 1e9
    return f"neighbours exchange {speed:.2f} GB/s both ways, a message takes {small * 1e6:.0f} µs"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m dynet.distributed",
        description="Starts a program in several processes of MPI, or says how to, or checks the set-up.",
    )
    parser.add_argument("-n", type=int, metavar="N", help="start so many processes on this machine")
    parser.add_argument("--check", action="store_true", help="show processes, hosts, cores and bandwidth")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="train.py and its arguments")
    asked = parser.parse_args()
    if not asked.program and not asked.check:
        parser.error("a program is needed, as train.py, or --check")
    if asked.n is not None:
        if asked.n < 1:
            parser.error(f"-n is {asked.n}; a number from 1 on is needed")
        return start(asked.n, ["--check"] * asked.check + asked.program)
    in_job = any(name in os.environ for name in _VARIABLES)
    if asked.check:
        check()
    elif in_job:
        run(asked.program[0], asked.program[1:])
    else:
        print(HOW.format(script=" ".join(asked.program), python="python", mpiexec="mpiexec"))
    return 0


def told_main() -> int:
    """The same, with one sentence where there is no MPI."""
    try:
        return main()
    except ImportError as error:
        if "mpi4py" not in str(error):
            raise
        print(f"python -m dynet.distributed: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(told_main())
