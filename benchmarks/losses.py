"""Checks that our package and dyNET38 compute the same losses from the same model file."""

import pathlib
import tempfile

from contestants import Contestant, Program
from programs import program
from report import markdown

HEADINGS = ("task", "minibatch", "with", "dyNET38", "ours", "first difference", "largest of the first ones")
FIRST_TOLERANCE = 1e-3
LATER_TOLERANCE = 2e-2


def first_losses(contestant, task, minibatch, site, *options):
    """The losses of the first minibatches of the first pass."""
    process = contestant.start(task, minibatch, site, options)
    process.close()
    return process.ready["losses"]


def differences(expected, found):
    """The relative differences of two lists of losses."""
    return [abs(mine - theirs) / abs(theirs) for theirs, mine in zip(expected, found, strict=False)]


def check(rows, pythons, site, progress):
    """Compares the losses of all rows; returns the table and whether all agree.

    The first loss precedes any update and must agree closely; the later ones may drift apart, as
    Adam turns differences of rounding into differences of direction.
    """
    theirs = Contestant("dyNET38 plain", "dynet", pythons["dynet"], ("--serve",))
    lines = []
    agree = True
    with tempfile.TemporaryDirectory() as folder:
        ours = {
            "Python": (Contestant("ours", "ours", pythons["ours"], ("--serve",)), "--params"),
            "C++": (Program("ours, C++", "ours", program("worker"), pathlib.Path(folder)), ""),
        }
        for task, minibatch in rows:
            progress(f"losses of {task.name}, minibatch {minibatch}")
            model = str(pathlib.Path(folder) / "parameters.model")
            expected = first_losses(theirs, task, minibatch, site, "--save", model)
            for language, (contestant, option) in ours.items():
                found = first_losses(contestant, task, minibatch, site, *filter(None, (option, model)))
                apart = differences(expected, found)
                agree = agree and apart[0] < FIRST_TOLERANCE and max(apart) < LATER_TOLERANCE
                line = (task.name, str(minibatch), language, f"{expected[0]:.4f}", f"{found[0]:.4f}")
                lines.append((*line, f"{apart[0]:.1e}", f"{max(apart):.1e}"))
    return markdown(HEADINGS, lines), agree
