"""Makes up pictures of coloured shapes on nine places, questions about them, and parses of the questions."""

import typing

import numpy as np

COLOURS = ["red", "green", "blue"]
SHAPES = ["circle", "square", "triangle"]
RELATIONS = {"left of": (0, -1), "right of": (0, 1), "above": (-1, 0), "below": (1, 0)}
SIDE = 6  # pixels of a place, each way


class Phrase(typing.NamedTuple):
    """What a question tells of a thing: words, and perhaps a relation to another thing."""

    words: list
    relation: str = ""
    other: "Phrase | None" = None


def parse(words):
    """The kind of a question ("exists", "count", "colour" or "shape"), and its phrase."""
    if words[0] == "is":
        return "exists", _phrase(words[2:])
    if words[0] == "how":
        return "count", _phrase(words[4:])
    return words[1], _phrase(words[3:])


def _phrase(words):
    for place, word in enumerate(words):
        for relation in RELATIONS:
            if relation.split()[0] == word:
                rest = words[place + len(relation.split()) :]
                return Phrase(_content(words[:place]), relation, _phrase(rest))
    return Phrase(_content(words))


def _content(words):
    return [word for word in words if word in COLOURS or word in SHAPES]


def places(phrase, things):
    """The places where what a phrase tells of is, in a picture of (row, column): (colour, shape)."""
    found = {place for place, thing in things.items() if set(phrase.words) <= set(thing)}
    if phrase.other:
        rows, columns = RELATIONS[phrase.relation]
        there = {(row + rows, column + columns) for row, column in places(phrase.other, things)}
        found &= there
    return found


def question(draw, depth):
    """A picture as an array (pixels, 9), the words of a question with so many relations, and the answer."""
    things = _things(draw)
    kind = draw.choice(("exists", "count", "colour", "shape"))
    # Else most answers were "no" and "0": what is asked for is mostly there.
    wanted = draw.random() < (0.5 if kind == "exists" else 0.8)
    while True:
        words = _start(kind, draw) + _told(kind, depth, draw)
        found = places(parse(words)[1], things)
        if kind in ("colour", "shape"):
            if len(found) == 1:
                return draw_picture(things, draw), words, things[found.pop()][kind == "shape"]
        elif wanted == bool(found):
            answer = ("yes" if found else "no") if kind == "exists" else str(len(found))
            return draw_picture(things, draw), words, answer
        if draw.random() < 0.02:
            things = _things(draw)  # perhaps no question of the kind fits this picture


def _things(draw):
    squares = [(row, column) for row in range(3) for column in range(3)]
    return {place: (draw.choice(COLOURS), draw.choice(SHAPES)) for place in squares if draw.random() < 0.7}


def _start(kind, draw):
    return {
        "exists": ["is", "there", "a"],
        "count": ["how", "many", "are", "there"],
        "colour": ["what", "colour", "the"],
        "shape": ["what", "shape", "the"],
    }[kind]


def _told(kind, depth, draw):
    """Words for a thing, without those that would be the answer."""
    colour = [draw.choice(COLOURS)] if kind != "colour" and draw.random() < 0.6 else []
    shape = draw.choice(SHAPES) if kind != "shape" and draw.random() < 0.7 else "thing"
    words = [*colour, shape]
    if depth:
        words += [*draw.choice(list(RELATIONS)).split(), "a", *_told("", depth - 1, draw)]
    return words


def draw_picture(things, draw):
    """The pixels of each place, red, green and blue, with noise: an array (3 · SIDE², 9)."""
    noise = np.random.default_rng(draw.getrandbits(32))
    pixels = noise.normal(0, 0.15, (3, SIDE, SIDE, 9)).astype(np.float32)
    for (row, column), (colour, shape) in things.items():
        down, right = noise.integers(0, 2, size=2)
        pixels[COLOURS.index(colour), down : down + 5, right : right + 5, 3 * row + column] += MASKS[shape]
    return pixels.reshape(-1, 9)


_ROWS, _COLUMNS = np.mgrid[-2:3, -2:3]
MASKS = {
    "circle": _ROWS**2 + _COLUMNS**2 <= 5,
    "square": np.ones((5, 5), dtype=bool),
    "triangle": abs(_COLUMNS) <= (_ROWS + 2) / 2,
}
