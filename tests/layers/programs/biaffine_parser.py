"""A parser: a score of each pair of tokens, of which each token takes its best head; trees of expressions."""

import pathlib

import dynet as dy

DATA = pathlib.Path(__file__).parents[3] / "docs" / "tutorials" / "data" / "expressions.conll"


class Parser(dy.nn.Module):
    def __init__(self, words, kinds, model, size=48):
        super().__init__(model)
        self.words = dy.nn.Embedding(words, size, self.model)
        self.kinds = dy.nn.Embedding(kinds, size, self.model)
        self.root = self.model.add_parameters((2 * size, 1), name="root")
        self.reader = dy.nn.BiLSTM(2 * size, 2 * size, self.model, dropout=0.2)
        arguments = [2 * size, size], self.model, "relu", 0.2, True
        self.head, self.dependent = dy.nn.MLP(*arguments), dy.nn.MLP(*arguments)
        self.pairs = dy.nn.Biaffine(size, size, self.model, bias_right=False)

    def __call__(self, tree):
        """A column for each token, with the scores of its heads: the root, and all tokens."""
        texts, kinds = self.words([token.text for token in tree]), self.kinds([token.kind for token in tree])
        read = self.reader(dy.concatenate([texts, kinds]))
        heads = self.head(dy.concatenate_cols([self.root, read]))
        return self.pairs(heads, self.dependent(read))

    def loss(self, tree):
        return dy.losses.cross_entropy(self(tree), [int(token.head) for token in tree], reduction="sum")

    def heads(self, trees):
        dy.renew_cg()
        with self.evaluating():
            return [scores.argmax(0) for scores in dy.npvalues([self(tree) for tree in trees])]

    @staticmethod
    def right(heads, tree):
        return sum(head == int(token.head) for head, token in zip(heads, tree, strict=True))


def main():
    dy.reset_random_seed(1)
    trees = list(dy.data.read_columns(DATA, ["text", "kind", "head"], separator="\t"))
    held_out, training = trees[::5], [tree for place, tree in enumerate(trees) if place % 5]
    words = dy.data.Vocabulary((token.text for tree in training for token in tree), minimum_count=3)
    kinds = dy.data.Vocabulary(token.kind for tree in training for token in tree)
    model = dy.ParameterCollection()
    parser = Parser(words, kinds, model)
    trainer, schedule = dy.optim.Adam(model), dy.optim.LinearSchedule(0.003, 12)
    dy.fit(model, trainer, training, parser.loss, epochs=12, batch_size=8, schedule=schedule, progress=False)
    pairs = zip(parser.heads(held_out), held_out, strict=True)
    return sum(parser.right(*pair) for pair in pairs) / sum(map(len, held_out))


if __name__ == "__main__":
    print(f"attached right: {main():.0%}")
