"""What notebooks show of expressions, graphs, models, builders and trainers: at worst text."""

from __future__ import annotations

from html import escape

from dynet import _dynet
from dynet._dynet import ComputationGraph, Expression, LookupParameters, Parameters
from dynet.inspection import drawing, models
from dynet.inspection.table import Column, Table, in_notebook


def html(thing: object) -> str:
    """The output of a cell whose last line is the thing."""
    title = f"<code>{escape(repr(thing).splitlines()[0])}</code>"
    try:
        return in_notebook(title, _details(thing))
    except Exception:
        return in_notebook(title)  # stale, ended, or in use by another thread, which the text tells


def svg(thing: Expression | ComputationGraph) -> str | None:
    """The picture alone; None where there is none to be drawn."""
    try:
        if isinstance(thing, ComputationGraph):
            return drawing.svg_of_graph(thing)
        return drawing.svg_of_expression(thing)
    except Exception:
        return None


def _details(thing: object) -> str:
    if isinstance(thing, ComputationGraph):
        return drawing.picture_of_graph(thing) + _rest(len(thing), "what the last one depends on")
    if isinstance(thing, (Parameters, LookupParameters)):
        return models.numbers_of(thing).html()
    if isinstance(thing, Expression):
        return drawing.picture_of_expression(thing)
    if isinstance(thing, _dynet.Trainer):
        rows = [("learning rate", thing.learning_rate), ("clip threshold", thing.get_clip_threshold())]
        return Table("", (Column(""), Column("", 6)), rows).html()
    return models.Summary(models.collection_of(thing)).table().html(models.MOST_ROWS)


def _rest(count: int, shown: str) -> str:
    if count <= drawing.MOST_DRAWN:
        return ""
    return f"<p>{drawing.MOST_DRAWN} of {count:,} nodes are shown: {shown}.</p>"
