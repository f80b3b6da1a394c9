"""The counts of instructions are read, and compared with the record."""

import instructions
import pytest

READY = '{"event": "ready", "compiler": "12.2.0", "instruction_set": "v3"}\n'
VALGRIND = "==7== Events    : Ir\n==7== Collected : 12026151\n==7==\n"


def counts(**tasks):
    return {"compiler": "12.2.0", "counts": tasks}


def test_parse():
    assert instructions.parse(READY, VALGRIND) == ("12.2.0", "v3", 12026151)


def test_a_run_that_counts_nothing():
    with pytest.raises(instructions.UnfitError, match="counted nothing"):
        instructions.parse(READY, "==7== killed")


@pytest.mark.parametrize("now, complains", [(1000, False), (1050, False), (1051, True), (900, False)])
def test_growth(now, complains):
    complaints, remarks = instructions.judge(counts(tagger=1000), counts(tagger=now))
    assert (len(complaints), len(remarks)) == ((1, 0) if complains else (0, 1))
    assert "tagger" in (complaints + remarks)[0]
    assert ("lower the record" in "".join(remarks)) == (now == 900)


def test_a_task_without_record():
    complaints, _ = instructions.judge(counts(), counts(tagger=1))
    assert "not in instructions.json" in complaints[0]


def test_another_compiler():
    with pytest.raises(instructions.UnfitError, match=r"12\.2\.0, this is 15\.1"):
        instructions.judge(counts(tagger=1), {"compiler": "15.1", "counts": {"tagger": 9}})
