"""A recogniser that reads lines of handwritten digits, and is never told where in a line a digit stands.

Connectionist temporal classification (Graves et al. 2006): the network scores the ten digits, and
"nothing", for each column of pixels; the loss sums over all ways in which the columns can give the digits
of the line. The lines are made up: digits written by people, side by side, at times touching.
"""

import random

import numpy as np
import options
from baselines import NearestMean
from data import digits

import dynet as dy


class Reader(dy.nn.Module):
    """A convolution over neighbouring columns, a BiLSTM over the line, scores of labels for each column."""

    def __init__(self, model, size=48):
        super().__init__(model)
        self.look = dy.nn.Conv1d(8, size, 5, self.model, padding="same")
        self.context = dy.nn.BiLSTM(size, 2 * size, self.model, dropout=0.2)
        self.output = dy.nn.Linear(2 * size, 11, self.model)

    def __call__(self, picture):
        """The logarithm of the probability of each label, nothing (0) and the digits (1 to 10), a column."""
        seen = dy.rectify(self.look(dy.inputTensor(picture)))
        return dy.log_softmax(self.output(self.context(seen)))

    def loss(self, line):
        picture, written = line
        return dy.structured.CTC(self(picture), [digit + 1 for digit in written]).loss()

    def read(self, pictures, beam):
        """The digits of each line: of the best path, or with a beam those with the best sum over paths."""
        found = []
        for start in range(0, len(pictures), 16):
            dy.renew_cg()
            scores = [self(picture) for picture in pictures[start : start + 16]]
            dy.forward(scores)
            found += [dy.structured.ctc_decode(each, beam=beam)[0][0] for each in scores]
        return [[label - 1 for label in labels] for labels in found]


def inked(picture):
    """A digit without the empty columns on both sides of it."""
    columns = np.flatnonzero(picture.any(axis=0))
    return picture[:, columns[0] : columns[-1] + 1]


def line(pictures, draw):
    """A line of three to nine digits, a row higher or lower, up to two columns apart or sharing one."""
    paper, end, written = np.zeros((8, 99), dtype=np.float32), 1, []
    for picture, digit in draw.choices(pictures, k=draw.randint(3, 9)):
        down = draw.choice((-1, 0, 0, 1))
        ink = inked(np.pad(picture, ((1, 1), (0, 0)))[1 - down : 9 - down])
        start = max(0, end + draw.choice((-1, 0, 0, 1, 1, 2)))
        end = start + ink.shape[1]
        paper[:, start:end] = np.maximum(paper[:, start:end], ink)
        written.append(digit)
    return paper[:, : end + 1], written


class Cutter:
    """The simple method: cut where no ink is, and evenly where a piece is too wide; find the nearest mean."""

    def __init__(self, pictures):
        self.width = np.mean([inked(picture).shape[1] for picture, _ in pictures])
        self.nearest = NearestMean([(self.stretched(inked(picture)), digit) for picture, digit in pictures])

    def stretched(self, ink):
        """The piece with eight columns."""
        return ink[:, np.linspace(0, ink.shape[1] - 1, 8).round().astype(int)]

    def read(self, pictures):
        return [self.nearest.read(self.pieces(picture)) for picture in pictures]

    def pieces(self, picture):
        inks, start = picture.any(axis=0), None
        for column, is_ink in enumerate([*inks, False]):
            if is_ink and start is None:
                start = column
            elif not is_ink and start is not None:
                piece, start = picture[:, start:column], None
                for part in np.array_split(piece, max(1, round(piece.shape[1] / self.width)), axis=1):
                    yield self.stretched(part)


def errors(lines, found):
    """The share of digits to insert, delete or change, and that of lines without any error."""
    pairs = zip((written for _, written in lines), found, strict=True)
    wrong = [dy.structured.edit_distance(written, read) for written, read in pairs]
    return sum(wrong) / sum(len(written) for _, written in lines), wrong.count(0) / len(wrong)


def main():
    parser = options.parser(__doc__, epochs=12, batch=16, unit="lines")
    parser.add_argument("--lines", type=int, default=5000, help="how many to learn from")
    parser.add_argument("--beam", type=int, default=8, help="prefixes that the search keeps")
    chosen = options.parse(parser)

    pictures, unseen = digits()  # those held out were written by other people
    count = 200
    if chosen.smoke:
        chosen.lines, count, chosen.epochs = 32, 10, 1
    draw = random.Random(chosen.seed)
    training = [line(pictures, draw) for _ in range(chosen.lines)]
    held_out = [line(unseen, draw) for _ in range(count)]
    reader = Reader(dy.ParameterCollection())
    options.learn(reader, training, reader.loss, chosen, rate=0.003)
    reader.eval()

    images = [picture for picture, _ in held_out]
    for name, found in (
        ("held-out digits, best path", reader.read(images, beam=0)),
        ("held-out digits, prefix beam", reader.read(images, beam=chosen.beam)),
        ("baseline, cut and nearest mean picture", Cutter(pictures).read(images)),
    ):
        wrong, whole = errors(held_out, found)
        print(f"{name}: {wrong:.1%} wrong, {whole:.0%} of the lines without error")


if __name__ == "__main__":
    main()
