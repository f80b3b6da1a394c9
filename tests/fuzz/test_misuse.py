"""Every public name with hostile arguments: an expected error or a value, and the process goes on."""

from __future__ import annotations

import random

import pytest
from fuzz.worker import PARTS, SEED, Worker, each, many

BATCH = 100


@pytest.fixture(scope="module")
def worker():
    worker = Worker("fuzz.misuse")
    yield worker
    worker.close()


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_misuse(worker, part):
    chosen = random.Random(SEED * PARTS + part).sample(range(worker(None)), many(10_000) // PARTS)
    found = []
    for first in range(0, len(chosen), BATCH):
        found += each(worker, chosen[first : first + BATCH])
    assert not found, f"{len(found)} of {len(chosen)} calls:\n" + "\n".join(found[:200])
