"""Every operation against DyNet 2: the same values and gradients, but for what DyNet 2 does wrong."""

import pathlib
import pickle

import numpy as np
import pytest
import toolkits
from calls import FAULTS
from toolkits import DYNET_2, OURS, TOOLKITS

pytestmark = [pytest.mark.client, pytest.mark.timeout(1800)]

PROGRAM = pathlib.Path(__file__).parent / "run_operations.py"
TABLE = PROGRAM.parents[1] / "ops"
ROUNDS = 3
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """For each toolkit what run_operations.py found."""
    root = tmp_path_factory.mktemp("operations")
    python, found = toolkits.dynet_2(), {}
    for toolkit in TOOLKITS:
        folder = toolkits.alone(toolkit, root / toolkit.replace(" ", "_"))
        toolkits.run(python, f"{folder}:{TABLE}", PROGRAM, root / "result", ROUNDS)
        found[toolkit] = pickle.loads((root / "result").read_bytes())
    assert [call for call, _ in found[OURS]] == [call for call, _ in found[DYNET_2]]
    return [
        (call, ours, theirs) for (call, ours), (_, theirs) in zip(found[OURS], found[DYNET_2], strict=True)
    ]


def out_of_range(call):
    """Where DyNet 2 goes on with numbers from anywhere, and there is an error here."""
    restrict = call.attributes.get("restrict") if call.operation == "restricted_log_softmax" else None
    return restrict is not None and max(restrict) >= call.shapes[0][0]


def differences(ours, theirs):
    """The numbers of the results that differ, each with the difference in words."""
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        what = f"gradient {index}" if index else "value"
        if a.shape != b.shape:
            yield index, f"{what} has shape {a.shape}, and {b.shape} in DyNet 2"
            continue
        same = np.isclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        if not same.all():
            yield index, f"{what} is {a[~same][:3]}, and {b[~same][:3]} in DyNet 2"


def test_values_and_gradients_are_those_of_dynet_2(outcomes):
    found, compared, shown = [], set(), set()
    for call, ours, theirs in outcomes:
        if isinstance(theirs, str):
            continue  # What it cannot do is no measure.
        if isinstance(ours, str):
            if not out_of_range(call):
                found.append(f"{call}: fails here alone: {ours}")
            continue
        compared.add(call.label)
        faults = {i: k for k, fault in enumerate(FAULTS) for i in fault.results(call)}
        for index, difference in differences(ours, theirs):
            if index in faults:
                shown.add(faults[index])
            else:
                found.append(f"{call}: {difference}")
    print(f"{len(compared)} entries of the table compared, {len(outcomes)} calls")
    assert not found, "\n".join(found)
    assert len(compared) > 150
    unneeded = [fault.reason for k, fault in enumerate(FAULTS) if k not in shown]
    assert not unneeded, "DyNet 2 gets right what is on the list of its faults"


def test_calls_as_listed_work_here(outcomes):
    assert not [call for call, ours, _ in outcomes if call.variant == "as listed" and isinstance(ours, str)]
