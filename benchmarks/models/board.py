"""Four in a row on six times seven fields, for programs that search."""

import math
import random

MOVES, HEIGHT = 7, 6


class Board(tuple):
    """Two sets of fields as numbers: of whose turn it is, and of the other one."""

    __slots__ = ()
    cells = MOVES * HEIGHT

    @classmethod
    def after_random_moves(cls, seed):
        """A position that is not over."""
        draw = random.Random(seed)
        while True:
            board = cls((0, 0))
            for _ in range(draw.randint(2, 12)):
                board = board.after(draw.choice(board.moves()))
                if board.over():
                    break
            else:
                return board

    def moves(self):
        """The columns that are not full."""
        taken = self[0] | self[1]
        return [column for column in range(MOVES) if not taken >> (column * 7 + HEIGHT - 1) & 1]

    def after(self, column):
        """The position with a stone in a column, seen by the other one."""
        mine, other = self
        taken = mine | other
        return Board((other, mine | (taken + (1 << column * 7)) & ~taken & (63 << column * 7)))

    def worth(self):
        """-1 where the last move has won, 0 where the board is full, None where the game goes on."""
        stones = self[1]
        for step in (1, 6, 7, 8):
            pairs = stones & stones >> step
            if pairs & pairs >> 2 * step:
                return -1.0
        return None if self.moves() else 0.0

    def over(self):
        """Whether the game has ended."""
        return self.worth() is not None

    def picture(self):
        """A number for each field and player."""
        return [
            float(stones >> column * 7 + row & 1)
            for stones in self
            for column in range(MOVES)
            for row in range(HEIGHT)
        ]

    def choose(self, priors, visits, sums):
        """The move to look at next: good so far, likely, or seldom tried."""
        moves = self.moves()
        counts = [visits.get((self, move), 0) for move in moves]
        root = math.sqrt(sum(counts) + 1)

        def promise(pair):
            move, count = pair
            mean = sums.get((self, move), 0.0) / count if count else 0.0
            return mean + 1.5 * priors[self][move] * root / (1 + count)

        return max(zip(moves, counts, strict=True), key=promise)[0]
