"""A process that fails ends the job within seconds, with one message that says which one it was and why."""

import os
import re
import signal
import subprocess
import sys
import time
import zipfile

import jobs
import pytest

pytestmark = pytest.mark.skipif(not jobs.PYTHONS, reason=jobs.WHY_NOT)

CAUSES = {
    "raise": r"process 1 of 4 on .* failed: ValueError: this process has had enough; the job ends",
    "kill": r"process 1 on .* was ended by SIGKILL, in the middle of its program; the job ends",
    "exit": r"process 1 on .* ended itself with status 3, in the middle of its program; the job ends",
    "interrupt": r"process 1 of 4 on .* failed: KeyboardInterrupt; the job ends",
    "leave": r"process \d of 4 on .* process 1 of 4 has ended its program, .*; the job ends",
    "change": r"process \d of 4 on .*/_2 is not the same in process 1 as in process 0: .*; the job ends",
}
SECONDS = 60  # of a machine that does other things as well; 2 to 6 on one that does not


@pytest.mark.parametrize("python", jobs.PYTHONS)
@pytest.mark.parametrize("how", CAUSES)
def test_one_message_names_the_process_and_the_cause(python, how):
    begin = time.monotonic()
    done = jobs.start(python, 4, jobs.HERE / "train.py", "--wrong", how)
    assert done.returncode != 0
    assert time.monotonic() - begin < SECONDS
    said = [line for line in done.stderr.splitlines() if line.startswith("dynet.distributed: ")]
    assert len(said) == 1, done.stderr
    assert re.search(CAUSES[how], said[0])


def test_a_slow_process_changes_nothing():
    usual, slow = (jobs.train(jobs.PYTHONS[0], 2, line)[0] for line in ("", "--wrong slow"))
    assert usual == slow


def test_stopped_by_the_keyboard(tmp_path):
    """As a terminal does it: every process of the group gets the signal."""
    command = [
        jobs.PYTHONS[0],
        "-m",
        "dynet.distributed",
        "-n",
        "2",
        str(jobs.HERE / "train.py"),
        "--wrong",
        "sleep",
    ]
    job = subprocess.Popen(
        command,
        env=jobs.environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=tmp_path,
    )
    time.sleep(5)
    os.killpg(job.pid, signal.SIGINT)
    job.communicate(timeout=SECONDS)
    assert job.returncode != 0


def test_no_file_is_half_written(tmp_path):
    """A process dies while checkpoints are written: the last one loads, and training goes on from it."""
    file = tmp_path / "checkpoint"
    done = jobs.start(
        jobs.PYTHONS[0], 2, jobs.HERE / "train.py", "--checkpoint", str(file), "--wrong", "kill"
    )
    assert done.returncode != 0
    assert zipfile.ZipFile(file).testzip() is None
    assert sorted(tmp_path.iterdir()) in ([file], [file, tmp_path / "checkpoint.partial"])
    rest = jobs.train(jobs.PYTHONS[0], 2, f"--checkpoint {file}")[0]
    assert rest == jobs.train(jobs.PYTHONS[0], 1, "")[0]


def refused(tmp_path, lines, count=2):
    """What the first process that fails says of a program."""
    program = tmp_path / "program.py"
    program.write_text(
        "import dynet as dy\nfrom mpi4py import MPI\n\nrank = MPI.COMM_WORLD.Get_rank()\n" + lines
    )
    done = jobs.start(jobs.PYTHONS[0], count, program)
    assert done.returncode != 0
    return done.stderr


def test_models_must_be_alike(tmp_path):
    said = refused(
        tmp_path,
        "m = dy.ParameterCollection()\nm.add_parameters((3, 2 + rank))\n"
        "dy.distributed.Trainer(dy.AdamTrainer(m))\n",
    )
    assert "the shape of /_0 is [3, 2] in process 0, and [3, 3] in process 1" in said


def test_instruction_sets_must_be_alike(tmp_path):
    said = refused(
        tmp_path,
        "from dynet import _dynet\nif rank: _dynet._instruction_set = lambda: 'v9'\n"
        "dy.distributed.Trainer(dy.AdamTrainer(dy.ParameterCollection()))\n",
    )
    assert re.search("the instruction set is .* in process 0, and v9 in process 1", said)


def test_shards_must_divide(tmp_path):
    said = refused(tmp_path, "dy.distributed.Trainer(dy.AdamTrainer(dy.ParameterCollection()))\n", count=3)
    assert "shards is 8 and there are 3 processes; a multiple of 3 is needed, or exact=True" in said


def test_batches_must_be_alike(tmp_path):
    said = refused(
        tmp_path,
        "m = dy.ParameterCollection()\np = m.add_parameters(2)\n"
        "t = dy.distributed.Trainer(dy.AdamTrainer(m))\n"
        "t.step([1.0] * (8 + rank), lambda part: dy.sum_elems(p) * sum(part))\n",
    )
    assert "all must make the same calls, with the same examples" in said


def test_batches_of_one_size_must_be_alike(tmp_path):
    said = refused(
        tmp_path,
        "m = dy.ParameterCollection()\nw = m.add_parameters((1, 2))\n"
        "trainer = dy.distributed.Trainer(dy.AdamTrainer(m))\n"
        "batch = [[float(i), 1.0] for i in range(8)]\n"
        "loss = lambda xs: dy.esum([w * dy.inputVector(x) for x in xs])\n"
        "trainer.step(batch[::-1] if rank else batch, loss)\n",
    )
    assert "backward of 8 other ones; all must make the same calls, with the same examples" in said


def test_who_catches_a_failure_goes_on_with_all(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("""
import dynet as dy

model = dy.ParameterCollection()
weights = model.add_parameters(2)
trainer = dy.distributed.Trainer(dy.AdamTrainer(model))

def loss(part):
    if 13 in part:
        raise ValueError("13 is not for us")
    return dy.sum_elems(weights) * sum(part)

try:
    trainer.step(range(16), loss)
except (ValueError, dy.distributed.PeerError) as error:
    said = f"{type(error).__name__}: {error}"
else:
    said = "nothing"
after = trainer.step(range(8), loss)
print(f"{trainer.rank}: {said}; {after:.6f}".replace(chr(10), " "), flush=True)
""")
    done = jobs.start(jobs.PYTHONS[0], 2, program)
    assert done.returncode == 0, done.stderr
    lines = sorted(done.stdout.splitlines())
    assert "0: PeerError: process 1 of 2 failed: ValueError: 13 is not for us; " in lines[0]
    assert "1: ValueError: 13 is not for us; " in lines[1]
    assert lines[0].split("; ")[-1] == lines[1].split("; ")[-1]


def test_how_it_is_started():
    done = subprocess.run(
        [sys.executable, "-m", "dynet.distributed", "train.py"],
        env={
            name: value for name, value in jobs.environment().items() if not name.startswith(("OMPI", "PMI"))
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "-m dynet.distributed -n 4 train.py" in done.stdout
    assert "srun" in done.stdout


@pytest.mark.parametrize("python", jobs.PYTHONS)
def test_the_set_up_is_checked(python):
    done = subprocess.run(
        [python, "-m", "dynet.distributed", "-n", "2", "--check"],
        env=jobs.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"process 1 of 2: .* cores, 1 threads, dynet 3", done.stdout)
    assert re.search(r"neighbours exchange \d+\.\d+ GB/s both ways", done.stdout)
