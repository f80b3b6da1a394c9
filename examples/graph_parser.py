"""A graph-based parser of Hebrew: a BiLSTM, a score of each pair of words, and the best of all trees.

The trees are those whose arcs do not cross (Eisner's algorithm), or all (the matrix-tree theorem).
"""

import options
from baselines import UsualOffset
from corpora import dependents, heads, treebank
from data import projective

import dynet as dy

TREES = {"projective": dy.structured.ProjectiveTrees, "spanning": dy.structured.SpanningTrees}


class Parser(dy.nn.Module):
    """Deep Biaffine Attention for Neural Dependency Parsing (Dozat and Manning, 2017); the loss is that of
    whole trees, as in Simple and Accurate Dependency Parsing (Kiperwasser and Goldberg, 2016) with a sum over
    all of them.
    """

    def __init__(self, trees, words, tags, relations, model, size=64, dropout=0.3):
        super().__init__(model)
        self.trees, self.relations = TREES[trees], relations
        self.words = dy.nn.Embedding(words, size, self.model)
        self.tags = dy.nn.Embedding(tags, size, self.model)
        self.context = dy.nn.BiLSTM(2 * size, 4 * size, self.model, layers=2, dropout=dropout)
        self.root = self.model.add_parameters(4 * size, name="root")
        self.head, self.dependent, self.above, self.below = (
            dy.nn.MLP([4 * size, out], self.model, dropout=dropout, activate_last=True)
            for out in (2 * size, 2 * size, size, size)
        )
        self.arcs = dy.nn.Biaffine(2 * size, 2 * size, self.model)
        self.labels = dy.nn.Biaffine(size, size, self.model, outputs=len(relations))

    def read(self, sentence):
        """The trees of a sentence, and of each pair of head and word, one after another, a column of scores
        of the relations that may be between them.
        """
        words = self.words([word.form for word in sentence])
        tags = self.tags([word.upos for word in sentence])
        vectors = self.context(dy.concatenate([words, tags]))
        rooted = dy.concatenate_cols([self.root, vectors])
        trees = self.trees(self.arcs(self.head(rooted), self.dependent(vectors)))
        labels = self.labels(self.above(rooted), self.below(vectors))
        count, places, length = labels.shape
        return trees, dy.reshape(labels, (count, places * length))

    def relation_scores(self, labels, found):
        """The columns of the pairs that a tree has."""
        return dy.select_cols(labels, [head + word * (len(found) + 1) for word, head in enumerate(found)])

    def loss(self, sentence):
        (trees, labels), right = self.read(sentence), heads(sentence)
        relations = self.relations.rows(word.deprel for word in sentence)
        named = dy.losses.cross_entropy(self.relation_scores(labels, right), relations, reduction="sum")
        return trees.nll(right) + named

    def parse(self, sentences):
        """For each sentence the head of each word and the relation to it."""
        with self.evaluating():
            for part in dy.data.batches(sentences, 64, shuffle=False):
                dy.renew_cg()
                trees, labels = zip(*map(self.read, part), strict=True)
                found = dy.structured.best_of_all(trees)
                scores = dy.npvalues(list(map(self.relation_scores, labels, found)))
                for best, of in zip(found, scores, strict=True):
                    yield list(zip(best, (self.relations.words[row] for row in of.argmax(0)), strict=True))


def attachment(parsed, sentences):
    """The shares of words, punctuation too, that have the right head; and the right relation, too."""
    right = [(int(word.head), word.deprel) for sentence in sentences for word in sentence]
    found = [word for words in parsed for word in words]
    attached = sum(a[0] == b[0] for a, b in zip(right, found, strict=True))
    return attached / len(right), sum(a == b for a, b in zip(right, found, strict=True)) / len(right)


def main():
    parser = options.parser(__doc__, epochs=5, batch=16, unit="sentences")
    parser.add_argument("--trees", choices=sorted(TREES), default="projective")
    chosen = options.parse(parser)

    training, held_out = treebank(chosen.smoke)
    chosen.epochs = 1 if chosen.smoke else chosen.epochs
    tokens = [word for sentence in training for word in sentence]
    words = dy.data.Vocabulary((word.form for word in tokens), minimum_count=2)
    tags = dy.data.Vocabulary(word.upos for word in tokens)
    relations = dy.data.Vocabulary((word.deprel for word in tokens), unknown=None)
    model = Parser(chosen.trees, words, tags, relations, dy.ParameterCollection())
    usual = UsualOffset(list(map(dependents, training))).heads(list(map(dependents, held_out)))
    if chosen.trees == "projective":
        training = [sentence for sentence in training if projective(dependents(sentence))]

    options.learn(model, training, model.loss, chosen, 0.003, key=len)
    attached, named = attachment(model.parse(held_out), held_out)
    baseline, _ = attachment([[(head, "") for head in found] for found in usual], held_out)
    print(f"held-out words attached right {attached:.1%}, with the right relation {named:.1%}")
    print(f"usual offset of each tag {baseline:.1%}")


if __name__ == "__main__":
    main()
