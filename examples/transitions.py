"""The moves of parsers: arc-standard, which draws a dependency tree from left to right, and easy-first."""

SHIFT, LEFT, RIGHT = range(3)


class Transitions:
    """A sentence half parsed: the places of the heads found, of the words on a stack, of the next.

    SHIFT puts the next word on the stack; LEFT hangs the second word of the stack below the first,
    RIGHT the first below the second. Place 0, at the bottom, is the root.
    """

    def __init__(self, length):
        self.heads, self.stack, self.next, self.end = {}, [0], 1, length

    def over(self):
        return len(self.heads) == self.end

    def moves(self):
        """The moves that can be made; only the last word left becomes the root's child."""
        words, left = len(self.stack) > 2, self.next <= self.end
        return [SHIFT] * left + [LEFT] * words + [RIGHT] * (words or not left)

    def make(self, move):
        if move == SHIFT:
            self.stack.append(self.next)
            self.next += 1
        else:
            child = self.stack.pop(-2 if move == LEFT else -1)
            self.heads[child] = self.stack[-1]

    def right_move(self, heads):
        """The move towards the right tree, which is projective; `heads` starts with word 1's.

        After wrong moves it goes on to what of the tree can still be drawn.
        """
        moves, ahead = self.moves(), heads[self.next - 1 :]
        if len(self.stack) > 1:
            second, first = self.stack[-2:]
            # What is hung up can have no more children, so none may be among the words ahead.
            bare = {place for place in (second, first) if place and place not in ahead}
            lost = {
                place
                for place in bare
                if heads[place - 1] not in (*self.stack, *range(self.next, 1 + self.end))
            }
            if second and (heads[second - 1] == first or second in lost):
                return LEFT
            if RIGHT in moves and first in bare and (heads[first - 1] == second or first in lost):
                return RIGHT
        return SHIFT if SHIFT in moves else RIGHT


class EasyFirst:
    """Which arcs lose nothing that could still be right, where trees grow in any order, children first."""

    def __init__(self, heads):
        self.heads, self.free = heads, set(range(len(heads) + 1))
        self.waiting = [heads.count(place) for place in range(len(heads) + 1)]  # for so many children

    def allows(self, head, child):
        """Whether the child has all its children, and this head or one that it can no longer have."""
        right = self.heads[child - 1]
        return self.waiting[child] == 0 and (right == head or right not in self.free)

    def attach(self, child):
        self.free.remove(child)
        self.waiting[self.heads[child - 1]] -= 1
