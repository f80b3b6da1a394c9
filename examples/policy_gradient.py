"""REINFORCE and actor-critic learn the game of dqn.py from the moves that they make, without a memory.

REINFORCE (Williams 1992) waits for the end of a game, and makes its moves likelier by as much as the reward
was above the usual one. Actor-critic (Sutton et al. 2000) has a second network that says what a state
promises: a move is judged by whether it made that more.
"""

import random

import numpy as np
import options
from dqn import HEIGHT, MOVES, WIDTH, best_score, games, score
from progress import Progress

import dynet as dy


class Player(dy.nn.Module):
    """A perceptron that scores the moves, and one that says what a state promises."""

    def __init__(self, model, size=96):
        super().__init__(model)
        pixels = 3 * HEIGHT * WIDTH
        self.policy = dy.nn.MLP([pixels, size, len(MOVES)], self.model)
        self.promise = dy.nn.MLP([pixels, size, 1], self.model)

    def play(self, starts, choose):
        """Games from these starts, in turns: of each a list of (state, logarithms, move, reward, next)."""
        seeds = [random.random() for _ in starts]  # each game has moves of chance of its own

        def game(number):
            state, draw, seen = starts[number], random.Random(seeds[number]), []
            while not state.over():
                chances = dy.log_softmax(self.policy(dy.inputTensor(state.picture())))
                yield chances  # the other games go on meanwhile
                move = choose(chances.npvalue(), draw)
                following, reward = state.after(MOVES[move])
                seen.append((state, chances, move, reward, following))
                state = following
            return seen

        dy.renew_cg()
        return dy.run_batched(game, range(len(starts)))

    def score(self, starts):
        """The mean reward of its games from these starts, with the likeliest moves."""
        played = self.play(starts, lambda chances, draw: int(chances.argmax()))
        return sum(seen[-1][3] for seen in played) / len(starts)


def by_chance(chances, draw):
    """A move, drawn as the policy says."""
    return draw.choices(range(len(MOVES)), np.exp(chances))[0]


class Reinforce:
    """Every move of a game gets the reward of the game, less the mean of late."""

    def __init__(self):
        self.usual = 0.0

    def losses(self, player, seen):
        reward = seen[-1][3]
        gain, self.usual = reward - self.usual, 0.98 * self.usual + 0.02 * reward
        return [-dy.pick(chances, move) * gain for _, chances, move, _, _ in seen]


class ActorCritic:
    """A move gets what came of it, less what the state before it promised.

    What came of a move is the reward at the end of the game; before that a mean of what the next state
    promises, and of what came of the next move, with the share `trust` (λ in Sutton and Barto's book).
    """

    trust = 0.8

    def losses(self, player, seen):
        promises = [player.promise(dy.inputTensor(state.picture())) for state, *_ in seen]
        known = [float(value[0]) for value in dy.npvalues(promises)]
        goal = seen[-1][3]
        for place in reversed(range(len(seen))):
            _, chances, move, _, _ = seen[place]
            yield -dy.pick(chances, move) * (goal - known[place])
            yield dy.square(promises[place] - goal)
            goal = (1 - self.trust) * known[place] + self.trust * goal


def main():
    parser = options.parser(__doc__, epochs=10, batch=8, unit="games")
    parser.add_argument("--method", choices=("reinforce", "actor-critic"), default="actor-critic")
    parser.add_argument("--doubt", type=float, default=0.1, help="how much chance is liked")
    parser.add_argument("--games", type=int, default=4000, help="games an epoch")
    chosen = options.parse(parser)
    if chosen.smoke:
        chosen.epochs, chosen.games = 1, 40

    starts = games()
    held_out = random.sample(starts, len(starts) // 5)  # starts that are never trained on, those of dqn.py
    training = sorted(set(starts) - set(held_out))
    player = Player(dy.ParameterCollection())
    method = Reinforce() if chosen.method == "reinforce" else ActorCritic()
    trainer = dy.AdamTrainer(player.model, 0.002)
    if chosen.load:
        player.model.populate(chosen.load)
        chosen.epochs = 0
    schedule = dy.optim.Scheduled(
        dy.optim.LinearSchedule(0.002, max(1, chosen.epochs * chosen.games // chosen.batch)), trainer
    )
    for epoch in range(chosen.epochs):
        progress = Progress(f"epoch {epoch + 1}", chosen.games, "games")
        for _ in range(0, chosen.games, chosen.batch):
            played = player.play(random.choices(training, k=chosen.batch), by_chance)
            losses = [loss for seen in played for loss in method.losses(player, seen)]
            # Some liking for chance, so that no move dies out before it was tried.
            doubt = [dy.dot_product(dy.exp(chances), chances) for seen in played for _, chances, *_ in seen]
            loss = dy.esum(losses) + chosen.doubt * dy.esum(doubt)
            progress.add(chosen.batch, loss.scalar_value())
            loss.backward()
            schedule.step()
            trainer.update()
        progress.close(f"held out {player.score(held_out):+.2f}")
    if chosen.save:
        player.model.save(chosen.save)
    by_luck = score(lambda state: random.choice(MOVES), 100 * held_out)
    print(f"held-out games, {chosen.method}: mean reward {player.score(held_out):+.3f}")
    print(f"random moves {by_luck:+.3f}, the best possible {best_score(held_out):+.3f}")


if __name__ == "__main__":
    main()
