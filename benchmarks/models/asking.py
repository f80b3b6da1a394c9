"""Programs of one example that look at values in the middle: a parser, a tagger, trees, beams, a game.

Each is a class with examples and a generator of one of them, `steps`, which yields what it waits for.
`plain` makes the function without these lines, as one would write it for a loop.
"""

import ast
import inspect
import random
import textwrap

import numpy as np

import dynet as dy
from models.board import MOVES, Board

VOCABULARY, TAGS, WORDS = 1000, 10, 20
SHIFT, LEFT, RIGHT = range(3)


class _WithoutYields(ast.NodeTransformer):
    def visit_Expr(self, node):
        return None if isinstance(node.value, ast.Yield) else node


def plain(cls):
    """Adds `whole` to a class: its `steps` without the lines that only wait."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls.steps)))
    function = _WithoutYields().visit(tree).body[0]
    function.name = "whole"
    scope = {}
    exec(compile(tree, f"{cls.__name__}.whole", "exec"), inspect.getmodule(cls).__dict__, scope)
    cls.whole = scope["whole"]
    return cls


def sentences(count, seed=1, mean=WORDS):
    """Lists of words, with lengths around a mean."""
    draw = random.Random(seed)
    return [
        [draw.randrange(VOCABULARY) for _ in range(draw.randint(mean * 2 // 3, mean * 4 // 3))]
        for _ in range(count)
    ]


class Model:
    """What the programs share."""

    learns = False  # whether it is also trained

    def __init__(self, size):
        dy.reset_random_seed(1)
        self.size = size
        self.collection = dy.ParameterCollection()
        self.trainer = dy.AdamTrainer(self.collection)
        self.words = self.collection.add_lookup_parameters((VOCABULARY, size))

    def layer(self, inputs, outputs):
        """A bias and a matrix."""
        add = self.collection.add_parameters
        return add(outputs, init=0), add((outputs, inputs))

    def lstm(self, inputs, outputs=None):
        """A layer of an LSTM."""
        return dy.VanillaLSTMBuilder(1, inputs, outputs or self.size, self.collection)


@plain
class Parser(Model):
    """A stack-LSTM parser; in training it mostly follows its own moves."""

    learns = True

    def __init__(self, size, count=128):
        super().__init__(size)
        self.ahead, self.stack = self.lstm(size), self.lstm(size)
        self.left, self.right = self.layer(2 * size, size), self.layer(2 * size, size)
        self.hidden, self.output = self.layer(2 * size, size), self.layer(size, 3)
        self.root = self.collection.add_parameters(size)
        self.examples = list(enumerate(sentences(count)))
        self.heads = [self.tree(len(words), number) for number, words in self.examples]

    @staticmethod
    def tree(count, seed):
        """A random tree without crossing arcs: the head of each word, in the order of merges."""
        draw, heads, roots = random.Random(seed), [None] * count, list(range(count))
        while len(roots) > 1:
            i = draw.randrange(len(roots) - 1)
            child, head = draw.sample(roots[i : i + 2], 2)
            heads[child] = head
            roots.remove(child)
        return heads

    @staticmethod
    def right_move(heads, stack, waiting, moves):
        """A move towards the tree: a word is attached when nothing that is ahead belongs to it."""
        if len(stack) > 1:
            below, top = stack[-2:]
            if heads[below] == top and LEFT in moves:
                return LEFT
            if heads[top] == below and top not in waiting:
                return RIGHT
        return SHIFT if SHIFT in moves else RIGHT

    def steps(self, example, training=False):
        number, words = example
        draw, heads, losses = random.Random(number), self.heads[number], []
        vectors = [self.words[word] for word in words]
        ahead = [*self.ahead.initial_state().transduce(vectors[::-1])[::-1], self.root]
        states, stack, place = [self.stack.initial_state().add_input(self.root)], [], 0
        waiting = list(heads)
        moves_made = []
        while place < len(words) or len(stack) > 1:
            seen = dy.concatenate([states[-1].output(), ahead[place]])
            hidden = dy.tanh(dy.affine_transform([*self.hidden, seen]))
            logits = dy.affine_transform([*self.output, hidden])
            yield logits
            scores = logits.vec_value()
            moves = ([SHIFT] if place < len(words) else []) + ([LEFT, RIGHT] if len(stack) > 1 else [])
            move = max(moves, key=scores.__getitem__)
            if training:
                right = self.right_move(heads, stack, waiting[place:], moves)
                losses.append(dy.pickneglogsoftmax(logits, right))
                move = move if draw.random() < 0.9 else right
            moves_made.append(move)
            if move == SHIFT:
                stack.append(place)
                place += 1
            else:
                head, child = stack[-1:-3:-1] if move == LEFT else stack[-2:]
                both = dy.concatenate([vectors[head], vectors[child]])
                vectors[head] = dy.tanh(
                    dy.affine_transform([*(self.left if move == LEFT else self.right), both])
                )
                del states[-2:]
                stack[-2:] = [head]
            states.append(states[-1].add_input(vectors[stack[-1]]))
        return dy.esum(losses) if training else moves_made


@plain
class Tagger(Model):
    """A tagger that learns by REINFORCE: it draws each tag, and reads it before the next word."""

    learns = "only"

    def __init__(self, size, count=128):
        super().__init__(size)
        self.tags = self.collection.add_lookup_parameters((TAGS + 1, size))
        self.forward, self.backward = self.lstm(size), self.lstm(size)
        self.writer, self.output = self.lstm(3 * size), self.layer(size, TAGS)
        self.examples = list(enumerate(sentences(count)))

    def steps(self, example, training=True):
        number, words = example
        draw = random.Random(number)
        vectors = [self.words[word] for word in words]
        forward = self.forward.initial_state().transduce(vectors)
        backward = self.backward.initial_state().transduce(vectors[::-1])[::-1]
        state, last, chosen, rewards = self.writer.initial_state(), TAGS, [], 0
        for word, left, right in zip(words, forward, backward, strict=True):
            state = state.add_input(dy.concatenate([left, right, self.tags[last]]))
            logarithms = dy.log_softmax(dy.affine_transform([*self.output, state.output()]))
            yield logarithms
            shares = np.exp(logarithms.npvalue()).cumsum()
            last = min(int(shares.searchsorted(draw.random() * shares[-1])), TAGS - 1)
            chosen.append(dy.pick(logarithms, last))
            rewards += last == word % TAGS
        return dy.esum(chosen) * -(rewards / len(words) - 1 / TAGS)


@plain
class EasyFirst(Model):
    """Builds a tree by joining the two neighbours it is surest of, again and again."""

    learns = True

    def __init__(self, size, count=128):
        super().__init__(size)
        self.join, self.hidden = self.layer(2 * size, size), self.layer(2 * size, size)
        self.output = self.layer(size, 1)
        self.examples = list(enumerate(sentences(count, seed=2)))

    def score(self, left, right):
        """How sure it is that two neighbours belong together."""
        hidden = dy.rectify(dy.affine_transform([*self.hidden, dy.concatenate([left, right])]))
        return dy.affine_transform([*self.output, hidden])

    def steps(self, example, training=False):
        number, words = example
        draw, losses, tree = random.Random(number), [], []
        nodes = [self.words[word] for word in words]
        scores = [self.score(*nodes[i : i + 2]) for i in range(len(nodes) - 1)]
        while scores:
            yield scores
            known = dy.values(scores)
            best = max(range(len(scores)), key=known.__getitem__)
            if training:
                right = draw.randrange(len(scores))
                losses.append(dy.pickneglogsoftmax(dy.concatenate(scores), right))
            tree.append(best)
            both = dy.concatenate(nodes[best : best + 2])
            nodes[best : best + 2] = [dy.tanh(dy.affine_transform([*self.join, both]))]
            del scores[best]
            for i in (best - 1, best):
                if 0 <= i < len(scores):
                    scores[i] = self.score(nodes[i], nodes[i + 1])
        return dy.esum(losses) if training else tree


@plain
class Beam(Model):
    """Writes with four hypotheses, an LSTM with attention; each is asked for its scores in a loop."""

    width, vocabulary, end = 4, 2000, 0

    def __init__(self, size, count=32):
        super().__init__(size)
        self.written = self.collection.add_lookup_parameters((self.vocabulary, size))
        self.reader, self.writer = self.lstm(size), self.lstm(2 * size)
        self.ask = self.collection.add_parameters((size, size))
        self.join, self.output = self.layer(2 * size, size), self.layer(size, self.vocabulary)
        self.examples = sentences(count, mean=15)

    def steps(self, words, training=False):
        read = self.reader.initial_state().transduce([self.words[word] for word in words])
        columns = dy.concatenate_cols(read)
        rows = dy.transpose(columns)
        beam = [(0.0, [self.end], self.writer.initial_state(), read[-1])]
        for _ in range(len(words)):
            longer = []
            for score, made, state, seen in beam:
                state = state.add_input(dy.concatenate([self.written[made[-1]], seen]))
                attention = dy.softmax(rows * (self.ask * state.output()))
                seen = dy.concatenate([state.output(), columns * attention])
                seen = dy.tanh(dy.affine_transform([*self.join, seen]))
                logarithms = dy.log_softmax(dy.affine_transform([*self.output, seen]))
                yield logarithms
                values = logarithms.npvalue()
                for word in np.argpartition(-values, self.width)[: self.width].tolist():
                    longer.append((score + float(values[word]), [*made, word], state, seen))
            beam = sorted(longer, key=lambda item: -item[0])[: self.width]
        return beam[0][1]


@plain
class Game(Model):
    """Searches a tree of positions of four in a row; a network says how good a position is."""

    simulations = 48

    def __init__(self, size, count=32):
        super().__init__(size)
        self.hidden, self.deeper = self.layer(2 * Board.cells, size), self.layer(size, size)
        self.output = self.layer(size, MOVES + 1)
        self.examples = list(range(count))

    def answer(self, board):
        """A score of each move, and how good the position is for whose turn it is."""
        hidden = dy.inputTensor(board.picture())
        for layer in (self.hidden, self.deeper):
            hidden = dy.rectify(dy.affine_transform([*layer, hidden]))
        return dy.affine_transform([*self.output, hidden])

    def steps(self, number, training=False):
        root, visits, sums, priors = Board.after_random_moves(number), {}, {}, {}
        for _ in range(self.simulations):
            board, path = root, []
            while board in priors and not board.over():
                move = board.choose(priors, visits, sums)
                path.append((board, move))
                board = board.after(move)
            worth = board.worth()
            if worth is None:
                answer = self.answer(board)
                yield answer
                *scores, worth = answer.vec_value()
                powers = np.exp(np.array(scores) - max(scores))
                priors[board] = (powers / powers.sum()).tolist()
                worth = float(np.tanh(worth))
            for passed, move in reversed(path):
                worth = -worth
                key = passed, move
                visits[key] = visits.get(key, 0) + 1
                sums[key] = sums.get(key, 0.0) + worth
        return max(root.moves(), key=lambda move: visits.get((root, move), 0))


@plain
class Tiny(Model):
    """A recurrent network of a few numbers that stops when it is sure: gains nothing."""

    def __init__(self, size, count=256):
        super().__init__(max(2, size // 32))
        self.cell, self.output = self.layer(2 * self.size, self.size), self.layer(self.size, 2)
        self.examples = sentences(count, seed=3, mean=6)

    def steps(self, words, training=False):
        state = self.words[words[0]]
        for place, word in enumerate(words):
            both = dy.concatenate([state, self.words[word]])
            state = dy.tanh(dy.affine_transform([*self.cell, both]))
            answer = dy.affine_transform([*self.output, state])
            yield answer
            no, yes = answer.vec_value()
            if yes > no + 1:
                return place
        return len(words)


PROGRAMS = {
    "parser": Parser,
    "tagger": Tagger,
    "easy_first": EasyFirst,
    "beam": Beam,
    "game": Game,
    "tiny": Tiny,
}
