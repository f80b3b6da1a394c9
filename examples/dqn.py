"""Deep Q-learning of a small game: a ball bounces down between two walls, a paddle must catch it."""

import collections
import itertools
import random
import typing

import numpy as np
import options
from progress import Progress

import dynet as dy

WIDTH, HEIGHT = 9, 7
MOVES = (-1, 0, 1)  # of the paddle, and of the ball from row to row
AT_ONCE = 4  # games that are played with the same network


class State(typing.NamedTuple):
    """Where the ball is and goes, and where the paddle is on the lowest row."""

    row: int
    column: int
    direction: int
    paddle: int

    def after(self, move):
        """The next state and its reward: 1 or -1 when the ball has come down, 0 before."""
        direction = self.direction
        if not 0 <= self.column + direction < WIDTH:
            direction = -direction
        paddle = min(max(self.paddle + move, 0), WIDTH - 1)
        state = State(self.row + 1, self.column + direction, direction, paddle)
        caught = 1 if state.column == state.paddle else -1
        return state, caught if state.over() else 0

    def over(self):
        return self.row == HEIGHT - 1

    def picture(self):
        """The ball now, the ball one step ago, the paddle: ones on three empty boards."""
        boards = np.zeros((3, HEIGHT, WIDTH), dtype=np.float32)
        boards[0, self.row, self.column] = 1
        boards[1, max(self.row - 1, 0), self.column - self.direction * (self.row > 0)] = 1
        boards[2, HEIGHT - 1, self.paddle] = 1
        return boards.ravel()


def games():
    """Every way a game can start."""
    return [State(0, *start) for start in itertools.product(range(WIDTH), MOVES, range(WIDTH))]


class Network:
    """The reward to be expected after each move, by a perceptron with one hidden layer."""

    def __init__(self, size=96):
        self.parameters = dy.ParameterCollection()
        add = self.parameters.add_parameters
        self.hidden, self.hidden_bias = add((size, 3 * HEIGHT * WIDTH)), add(size, init=0)
        self.weights, self.bias = add((len(MOVES), size)), add(len(MOVES), init=0)

    def rewards(self, state):
        picture = dy.inputTensor(state.picture())
        hidden = dy.rectify(dy.affine_transform([self.hidden_bias, self.hidden, picture]))
        return dy.affine_transform([self.bias, self.weights, hidden])

    def play(self, starts, exploration=0.0):
        """Games from these starts, in turns: what was seen of each, a list of (state, move, reward, next)."""
        dy.renew_cg()
        seeds = [random.random() for _ in starts]  # each game has moves of chance of its own

        def game(start):
            state, draw, seen = starts[start], random.Random(seeds[start]), []
            while not state.over():
                rewards = self.rewards(state)
                yield rewards  # the other games go on meanwhile
                curious = draw.random() < exploration
                move = draw.choice(MOVES) if curious else MOVES[rewards.npvalue().argmax()]
                following, reward = state.after(move)
                seen.append((state, move, reward, following))
                state = following
            return seen

        return dy.run_batched(game, range(len(starts)))

    def score(self, starts):
        """The mean reward of its games from these starts."""
        return sum(seen[-1][2] for seen in self.play(starts)) / len(starts)

    def copy(self, other):
        both = (network.parameters.parameters_list() for network in (self, other))
        for parameter, source in zip(*both, strict=True):
            parameter.set_value(source.as_array())


def loss(network, target, experiences, discount=0.97):
    """How far the network is from what was seen: the reward, and what the target hopes for next."""
    dy.renew_cg()
    hopes = dy.npvalues([target.rewards(following) for _, _, _, following in experiences])
    losses = []
    for (state, move, reward, following), hope in zip(experiences, hopes, strict=True):
        goal = reward if following.over() else reward + discount * float(hope.max())
        expected = dy.pick(network.rewards(state), MOVES.index(move))
        losses.append(dy.huber_distance(expected, dy.scalarInput(goal), 1.0))
    return dy.esum(losses)


def score(policy, starts):
    """The mean reward of a game played by a policy from each of the starts."""
    rewards = []
    for state in starts:
        while not state.over():
            state, reward = state.after(policy(state))
        rewards.append(reward)
    return sum(rewards) / len(rewards)


def best_score(starts):
    """What no policy can beat: the paddle may be too far from where the ball will come down."""
    balls = list(starts)
    while not balls[0].over():
        balls = [ball.after(0)[0] for ball in balls]
    far = [abs(ball.column - start.paddle) for ball, start in zip(balls, starts, strict=True)]
    return sum(1 if distance < HEIGHT else -1 for distance in far) / len(far)


def main():
    parser = options.parser(__doc__, epochs=10, batch=32, unit="experiences")
    parser.add_argument("--games", type=int, default=500, help="games an epoch")
    chosen = options.parse(parser)
    if chosen.smoke:
        chosen.epochs, chosen.games = 1, 20

    starts = games()
    held_out = random.sample(starts, len(starts) // 5)  # starts that are never trained on
    training = sorted(set(starts) - set(held_out))
    network, target = Network(), Network()
    trainer = dy.AdamTrainer(network.parameters, 0.001)
    if chosen.load:
        network.parameters.populate(chosen.load)
        chosen.epochs = 0
    memory = collections.deque(maxlen=10_000)
    for epoch in range(chosen.epochs):
        progress = Progress(f"epoch {epoch + 1}", chosen.games, "games")
        exploration = max(0.05, 1 - 2 * epoch / chosen.epochs)
        for _ in range(0, chosen.games, AT_ONCE):
            lost, moves = 0.0, 0
            seen = network.play(random.choices(training, k=AT_ONCE), exploration)
            for experience in itertools.chain(*seen):
                memory.append(experience)
                error = loss(network, target, random.choices(memory, k=chosen.batch))
                lost, moves = lost + error.scalar_value() / chosen.batch, moves + 1
                error.backward()
                trainer.update()
                if moves % (HEIGHT - 1) == 0:
                    target.copy(network)
            progress.add(AT_ONCE, AT_ONCE * lost / moves)
        progress.close(f"held out {network.score(held_out):+.2f}")
    if chosen.save:
        network.parameters.save(chosen.save)
    by_chance = score(lambda state: random.choice(MOVES), 100 * held_out)
    print(f"held-out games: mean reward {network.score(held_out):+.3f}")
    print(f"random moves {by_chance:+.3f}, the best possible {best_score(held_out):+.3f}")


if __name__ == "__main__":
    main()
