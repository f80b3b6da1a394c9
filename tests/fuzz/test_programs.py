"""Random programs: the same bits in every setting, and NumPy's numbers. What fails is shrunk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fuzz.steps import LARGEST, START, STEPS
from fuzz.worker import PARTS, SEED, Worker, many
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

REGRESSIONS = Path(__file__).with_name("regressions.jsonl")
FAILURE = os.environ.get("DYNET_FUZZ_FAILURE")  # Where the last failing program is written, the smallest.

number = st.integers(0, LARGEST)
step = st.one_of(
    *(
        st.tuples(st.just(name), *[number] * arity)
        for name, (often, arity) in STEPS.items()
        for _ in range(often)
    )
)
programs = st.fixed_dictionaries(
    {"start": st.tuples(*[number] * START), "steps": st.lists(step, min_size=1, max_size=40)}
)


@pytest.fixture(scope="module")
def worker():
    worker = Worker("fuzz.programs")
    yield worker
    worker.close()


@pytest.mark.parametrize("line", REGRESSIONS.read_text().splitlines())
def test_programs_that_failed_once(worker, line):
    assert worker(json.loads(line)) == ""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_programs(worker, part):
    @seed(SEED * PARTS + part)
    @settings(
        max_examples=many(300) // PARTS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs)
    def check(program):
        line = json.dumps(program)
        try:
            problem = worker(program)
        except AssertionError as error:
            problem = str(error)
        if problem and FAILURE:
            Path(FAILURE).write_text(line + "\n")
        assert not problem, f"{problem}\nA line for {REGRESSIONS.name}:\n{line}"

    check()
