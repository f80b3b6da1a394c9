"""Cuts and bit flips of small files of every format: refused, or what was saved; never half."""

from __future__ import annotations

import pytest
from fuzz.damage import FORMATS
from fuzz.worker import Worker, each

BATCH = 500


@pytest.fixture(scope="module")
def worker():
    worker = Worker("fuzz.damage")
    yield worker
    worker.close()


FILES = [(i, form, file) for i, form in enumerate(FORMATS) for file in form.files]


@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    ("number", "file"), [pytest.param(i, file, id=f"{form.name}-{file}") for i, form, file in FILES]
)
def test_damaged_files(worker, number, file):
    wrong, count = [], worker([number, file, []])
    for first in range(0, count, BATCH):
        chosen = list(range(first, min(count, first + BATCH)))
        wrong += each(worker, chosen, lambda part: [number, file, part])
    assert not wrong, f"{len(wrong)} of {count} damages:\n" + "\n".join(wrong[:20])
