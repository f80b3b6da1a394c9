"""The examples of distributed training run, and learn the same bits in two processes as in one."""

import hashlib

import jobs
import pytest

pytestmark = pytest.mark.skipif(not jobs.PYTHONS, reason=jobs.WHY_NOT)
EXAMPLES = jobs.HERE.parents[1] / "examples"


@pytest.mark.parametrize("name", ["distributed_tagger.py", "distributed_language_model.py"])
def test_an_example_learns_the_same_in_two_processes(name, tmp_path):
    digests = set()
    for count in (1, 2):
        file = tmp_path / f"{count}.model"
        done = jobs.start(
            jobs.PYTHONS[0], count, EXAMPLES / name, "--smoke", "--save", str(file), timeout=280
        )
        assert done.returncode == 0, done.stderr
        assert "held-out" in done.stdout
        digests.add((done.stdout, hashlib.sha256(file.read_bytes()).hexdigest()))
    assert len(digests) == 1
