"""What all processes must have alike: versions and models at the start, the values of parameters later."""

from __future__ import annotations

import json
import sys
import zlib
from typing import Any

import numpy as np

import dynet as dy
from dynet import _dynet
from dynet.distributed.transport import PeerError, Transport
from dynet.training import checkpoints


def learned(model: dy.ParameterCollection) -> list[Any]:
    return [*model.parameters_list(), *model.lookup_parameters_list()]


def facts(model: dy.ParameterCollection, trainer: dy.Trainer, settings: dict[str, Any]) -> dict[str, Any]:
    """What must be the same, by the words that a message has for it."""
    return {
        "version of dynet": dy.__version__,
        "type of numbers": f"{dy.__precision__}, {sys.byteorder} end first",
        "instruction set": _dynet._instruction_set(),
        "trainer": trainer.whoami(),
        **settings,
        **{f"shape of {each.name()}": list(each.shape()) for each in learned(model)},
    }


def compare(transport: Transport, own: dict[str, Any]) -> None:
    """PeerError, which names what differs, unless all processes have the same."""
    transport.meet("start")
    all_facts = [json.loads(text) for text in transport.gather(json.dumps(own).encode())]
    first = all_facts[0]
    for rank, other in enumerate(all_facts):
        for name in {**first, **other}:
            ours, theirs = first.get(name, "missing"), other.get(name, "missing")
            if ours != theirs:
                hint = (
                    "; dy.set_instruction_set(name) chooses one that all have"
                    if name == "instruction set"
                    else ""
                )
                raise PeerError(
                    f"Trainer: the {name} is {ours} in process 0, and {theirs} in process {rank}{hint}"
                )


def start_alike(transport: Transport, model: dy.ParameterCollection, trainer: dy.Trainer) -> None:
    """All processes get the first one's model, trainer and random numbers."""

    def state() -> bytes:
        return checkpoints.trainer_state(trainer) + b"\0" + json.dumps(checkpoints.random_state()).encode()

    transport.meet("start", 1)
    trained, _, randoms = transport.broadcast(state).partition(b"\0")
    for each in learned(model):
        values = each.as_array() if transport.rank == 0 else np.empty(each.shape(), dy.__precision__)
        values = np.ascontiguousarray(values)
        transport.comm.Bcast([values, transport.mpi.BYTE], root=0)
        if transport.rank > 0:
            each.set_value(values)
    if transport.rank > 0:
        checkpoints.set_trainer_state(trainer, trained)
        checkpoints.set_random_state(json.loads(randoms))


def compare_values(transport: Transport, model: dy.ParameterCollection) -> None:
    """PeerError, which names the first parameter that is not the same everywhere."""
    transport.meet("check")
    own = [zlib.crc32(each.as_array().tobytes()) for each in learned(model)]
    all_sums = [
        np.frombuffer(sums, np.uint32) for sums in transport.gather(np.array(own, np.uint32).tobytes())
    ]
    for each, of_each in zip(learned(model), zip(*all_sums, strict=True), strict=True):
        for rank, its in enumerate(of_each):
            if its != of_each[0]:
                raise PeerError(
                    f"Trainer: after {transport.calls} calls {each.name()} is not the same in process {rank} "
                    "as in process 0: something changes parameters in one of them alone"
                )
