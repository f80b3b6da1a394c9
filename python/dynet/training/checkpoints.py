"""The state of training: taken, put back, and kept in a file, so that training goes on to the same bits.

The file is a ZIP archive, whose parts have checksums: training.json, the trainer's own file, and an array of
NumPy's for each parameter and table, of the model as it is (model/) and as it was in the best epoch (best/).
"""

from __future__ import annotations

import io
import json
import os
import random
import tempfile
import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from dynet import _dynet
from dynet._dynet import LookupParameters, ParameterCollection, Parameters, Trainer
from dynet.data.files import replaced

_FORMAT = "dynet checkpoint 1"
Weights = dict[str, Any]


def random_state() -> dict[str, Any]:
    """Where Python's and NumPy's random numbers are; the trainer's state has DyNet's."""
    version, numbers, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [name, keys.tolist(), position, has_gauss, cached],  # type: ignore[union-attr]
    }


def set_random_state(state: Mapping[str, Any]) -> None:
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), *rest))


def trainer_state(trainer: Trainer) -> bytes:
    """The trainer's state, and where DyNet's random numbers are."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trainer")
        trainer.save(path)
        with open(path, "rb") as file:
            return file.read()


def set_trainer_state(trainer: Trainer, state: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trainer")
        with open(path, "wb") as file:
            file.write(state)
        trainer.populate(path)


def whole_of(model: ParameterCollection, trainer: Trainer) -> ParameterCollection:
    """What a training can change: the trainer may be one of a collection around the model.

    Collections are trees: of two that share a parameter, the larger one has all of the other.
    """
    return max((model, _dynet._model_of(trainer)), key=lambda each: len(_learned(each)))


class Snapshot:
    """A model, its trainer and all random numbers at one moment."""

    def __init__(self, model: ParameterCollection, trainer: Trainer) -> None:
        self.model, self.trainer = whole_of(model, trainer), trainer
        self.weights: Weights = self.model.state_dict()
        self.random = random_state()
        self.state = trainer_state(trainer)

    def restore(self) -> None:
        """Puts all of it back."""
        self.model.load_state_dict(self.weights)
        set_trainer_state(self.trainer, self.state)
        set_random_state(self.random)


def _learned(model: ParameterCollection) -> list[Parameters | LookupParameters]:
    return [*model.parameters_list(), *model.lookup_parameters_list()]


def write(
    path: str, model: ParameterCollection, trainer: Trainer, training: dict[str, Any], best: Weights | None
) -> None:
    """Replaces a checkpoint in one step: whenever the process ends, the old one or the new one is there."""
    model = whole_of(model, trainer)
    weights = model.state_dict()
    with replaced(path, f"{path}.partial") as file, zipfile.ZipFile(file, "w") as archive:
        content = {
            "format": _FORMAT,
            "model": list(weights),
            "best": None if best is None else list(best),
            "frozen": [not each.is_updated() for each in _learned(model)],
            "random": random_state(),
            "training": training,
        }
        archive.writestr("training.json", json.dumps(content))
        archive.writestr("trainer", trainer_state(trainer))
        for folder, arrays in (("model", weights), ("best", best or {})):
            for number, array in enumerate(arrays.values()):
                with archive.open(f"{folder}/{number}.npy", "w", force_zip64=True) as part:
                    np.lib.format.write_array(part, array, allow_pickle=False)


class Checkpoint:
    """A checkpoint that was read: nothing has changed yet."""

    def __init__(self, call: str, path: str, file: IO[bytes] | None = None) -> None:
        self.call, self.path = call, path
        try:
            with zipfile.ZipFile(path if file is None else file) as archive:
                content = json.loads(archive.read("training.json"))
                if content["format"] != _FORMAT:
                    raise ValueError(f"its format is {content['format']!r}")
                self.state = archive.read("trainer")
                self.weights = self._arrays(archive, "model", content["model"])
                self.best = (
                    None if content["best"] is None else self._arrays(archive, "best", content["best"])
                )
                self.frozen, self.random = content["frozen"], content["random"]
                self.training: dict[str, Any] = content["training"]
        except FileNotFoundError:
            raise
        except Exception as error:  # A damaged archive raises anything.
            raise ValueError(f"{call}: {path} is no checkpoint, or is damaged: {error}") from error

    @staticmethod
    def _arrays(archive: zipfile.ZipFile, folder: str, names: list[str]) -> Weights:
        return {
            name: np.lib.format.read_array(
                io.BytesIO(archive.read(f"{folder}/{number}.npy")), allow_pickle=False
            )
            for number, name in enumerate(names)
        }

    def check(self, asked: Mapping[str, Any]) -> None:
        """Fails unless training goes on as it began."""
        written = self.training.get("asked")
        if written is None:
            raise ValueError(
                f"{self.call}: {self.path} was saved by a distributed trainer, whose load() goes on from it"
            )
        for name, value in asked.items():
            if written.get(name) != value:
                raise ValueError(
                    f"{self.call}: {self.path} was written with {name} {written.get(name)!r}, and {value!r} "
                    "was given; go on with the same, or begin anew with resume=False"
                )

    def restore(self, model: ParameterCollection, trainer: Trainer) -> None:
        """Puts model, trainer and random numbers in the place that they had; all of it or nothing."""
        before = Snapshot(model, trainer)
        model = before.model
        try:
            for name, array in self.weights.items():
                there: Any = before.weights.get(name, array)
                if array.shape != there.shape:
                    raise ValueError(f"{name} has shape {array.shape} there, and {there.shape} in the model")
            model.load_state_dict(self.weights)
            set_trainer_state(trainer, self.state)
            set_random_state(self.random)
            for each, is_frozen in zip(_learned(model), self.frozen, strict=True):
                each.set_updated(not is_frozen)
        except Exception as error:
            before.restore()
            raise ValueError(f"{self.call}: {self.path} is of another model or trainer: {error}") from error
