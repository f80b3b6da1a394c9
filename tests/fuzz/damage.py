"""Small files of every format, cut and flipped: refused and nothing changed, or what was saved."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dynet as dy

REFUSALS = (TypeError, ValueError, IndexError, RuntimeError, OSError, MemoryError, pickle.UnpicklingError)


class Model:
    """A collection with parameters of its own numbers, and what else files are read into."""

    def __init__(self, number: float) -> None:
        self.collection = dy.ParameterCollection()
        self.w = self.collection.parameters_from_numpy(np.linspace(0.1, number, 4).reshape(2, 2))
        self.table = self.collection.lookup_parameters_from_numpy(np.linspace(-number, 0.3, 4).reshape(2, 2))
        self.trainer = dy.AdamTrainer(self.collection, number / 8)
        (dy.squared_norm(self.w) + dy.squared_norm(self.table[1])).backward()
        if number > 1:
            self.trainer.update()
        else:
            self.collection.reset_gradient()
        self.loaded: list[Any] = []

    def state(self) -> bytes:
        """Every number, in bits."""
        c = self.collection
        kinds = c.parameters_list(), c.lookup_parameters_list()
        learned = [*kinds[0], *kinds[1]]
        names = [f"{p.name()} {p.shape()}" for p in learned]
        self.trainer.save("state")
        numbers = [p.as_array().tobytes() + p.grad_as_array().tobytes() for p in learned]
        return b"".join(
            [*map(str.encode, names), *numbers, Path("state").read_bytes(), repr(self.loaded).encode()]
        )


@dataclass(frozen=True)
class Format:
    """How a file is written and read; `sealed`: damage to it is always seen."""

    name: str
    write: Callable[[Model], None]
    read: Callable[[Model], None]
    files: tuple[str, ...]
    sealed: bool = True


def clusters(words: dict[str, int], kind: Any) -> Callable[[Model], None]:
    def read(model: Model) -> None:
        builder = kind(3, "clusters.txt", words, model.collection)
        dy.renew_cg()
        model.loaded.append(builder.neg_log_softmax(dy.inputVector([1, 2, 3]), 0).dim())

    return read


def write_clusters(text: str) -> Callable[[Model], None]:
    return lambda model: Path("clusters.txt").write_text(text) and None


def load_list(model: Model) -> None:
    model.loaded = [p.as_array().tolist() for p in dy.load("pair", model.collection)]


def write_dynet2(model: Model) -> None:
    Path("old").write_text(
        "#Parameter# /_0 {2,2} 49 FULL_GRAD\n"
        "+1.0e-01 +2.5e-01 +3.75e-01 +4.0e+00 \n+1.0e+00 +2.0e+00 +3.0e+00 +4.0e+00 \n"
        "#LookupParameter# /_1 {2,2} 25 ZERO_GRAD\n+1.0e-01 +2.5e-01 +3.75e-01 +4.0e+00 \n"
    )


def numbers_of_file(model: Model) -> None:
    model.collection.add_parameters(3, init=dy.FromFileInitializer("numbers"))


WORDS = {"a": 0, "b": 1, "c": 2}
FORMATS = [
    Format(
        "text", lambda m: m.collection.save("model"), lambda m: m.collection.populate("model"), ("model",)
    ),
    Format("one parameter", lambda m: m.w.save("w"), lambda m: m.w.populate("w", "/_0"), ("w",)),
    Format(
        "an added parameter",
        lambda m: m.w.save("w", key="/w"),
        lambda m: m.collection.load_param("w", "/w") and None,
        ("w",),
    ),
    Format(
        "safetensors",
        lambda m: m.collection.save("m.safetensors"),
        lambda m: m.collection.populate("m.safetensors"),
        ("m.safetensors",),
    ),
    Format(
        "trainer", lambda m: m.trainer.save("trainer"), lambda m: m.trainer.populate("trainer"), ("trainer",)
    ),
    Format("a list", lambda m: dy.save("pair", [m.w, m.table]), load_list, ("pair.data", "pair.meta")),
    Format("DyNet 2's text", write_dynet2, lambda m: m.collection.populate("old"), ("old",), sealed=False),
    Format(
        "numbers",
        lambda m: Path("numbers").write_text("1.5 2.5 3.5\n") and None,
        numbers_of_file,
        ("numbers",),
        False,
    ),
    *(
        Format(
            f"clusters, {kind.__name__}",
            write_clusters(text),
            clusters(WORDS, kind),
            ("clusters.txt",),
            sealed=False,
        )
        for kind, text in [
            (dy.ClassFactoredSoftmaxBuilder, "0 a\n0 b\n1 c\n"),
            (dy.HierarchicalSoftmaxBuilder, "0 0\ta\n0 1\tb\n1\tc\n"),
        ]
    ),
]


def damaged(data: bytes, at: int) -> tuple[str, bytes]:
    """Each beginning of a file, and then the file with each bit flipped."""
    if at < len(data):
        return f"cut after {at} of {len(data)} bytes", data[:at]
    bit = at - len(data)
    other = bytearray(data)
    other[bit // 8] ^= 1 << bit % 8
    return f"bit {bit} of {8 * len(data)} flipped", bytes(other)


def try_one(form: Format, saved: bytes) -> str:
    """What is wrong with the file as it lies there, or nothing."""
    model = Model(1.0)
    before = model.state()
    try:
        form.read(model)
    except REFUSALS as error:
        if not str(error):
            return f"an error that says nothing: {error!r}"
        return "" if model.state() == before else f"it was refused, and changed the model: {error}"
    except BaseException as error:
        return f"an error of an unexpected kind: {error!r}"
    return "another model was loaded" if form.sealed and model.state() != saved else ""


def answer(request: tuple[int, str, list[int]]) -> Any:
    """What is wrong with these damages of a file; without a list, how many there are."""
    number, file, chosen = request
    form = FORMATS[number]
    dy.reset_random_seed(1)
    form.write(Model(2.0))
    whole = Path(file).read_bytes()
    if not chosen:
        return 9 * len(whole)
    model = Model(1.0)
    form.read(model)
    saved = model.state()
    wrong = []
    for at in chosen:
        what, data = damaged(whole, at)
        Path(file).write_bytes(data)
        if problem := try_one(form, saved):
            wrong.append(f"{form.name}, {file}, {what}: {problem}"[:300])
    return wrong
