"""A BiLSTM-CRF over words and their letters that finds the names in sentences of Hebrew newspapers."""

import options
from baselines import KnownNames
from corpora import name_tags, names, treebank

import dynet as dy


class Tagger(dy.nn.Module):
    """Neural Architectures for Named Entity Recognition (Lample and others, 2016)."""

    def __init__(self, words, letters, tags, model, size=64):
        super().__init__(model)
        self.tags = tags
        self.words = dy.nn.Embedding(words, size, self.model)
        self.letters = dy.nn.CharacterLSTM(letters, size // 2, size, self.model)
        self.context = dy.nn.BiLSTM(2 * size, 3 * size, self.model, dropout=0.4)
        self.output = dy.nn.Linear(3 * size, len(tags), self.model)
        self.transitions = self.model.add_parameters((len(tags), len(tags)), init=0, name="transitions")
        self.rules = dy.structured.tag_constraints(list(tags), "BIOES")

    def chain(self, sentence):
        """All ways to tag a sentence, and how likely each is."""
        forms = [word.form for word in sentence]
        vectors = dy.concatenate([self.words(forms), self.letters(forms)])
        scores = self.output(self.context(vectors))
        return dy.structured.LinearChain(scores, self.transitions, constraints=self.rules)

    def loss(self, sentence):
        return self.chain(sentence).nll(self.tags.rows(name_tags(sentence)))

    def names(self, sentences):
        """For each sentence the set of its names."""
        found = []
        with self.evaluating():
            for part in dy.data.batches(sentences, 64, shuffle=False):
                dy.renew_cg()
                for best in dy.structured.best_of_all([self.chain(sentence) for sentence in part]):
                    found.append(names([self.tags.words[tag] for tag in best]))
        return found


def f1(model, sentences):
    """The harmonic mean of the share of names found and the share of what was found that is right."""
    gold = [names(name_tags(sentence)) for sentence in sentences]
    found = list(model.names(sentences))
    right = sum(len(a & b) for a, b in zip(gold, found, strict=True))
    return 2 * right / max(1, sum(map(len, gold)) + sum(map(len, found)))


def follows_rules(tagger, sentence):
    """Whether the tags of a sentence are known, and in the scheme; a few are not."""
    marks = name_tags(sentence)
    if not all(mark in tagger.tags for mark in marks):
        return False
    rows, rules = tagger.tags.rows(marks), tagger.rules
    steps = zip(rows[1:], rows[:-1], strict=True)
    return rules.start[rows[0]] and rules.end[rows[-1]] and all(rules.transitions[step] for step in steps)


def main():
    chosen = options.parse(options.parser(__doc__, epochs=6, batch=8, unit="sentences"))

    training, held_out = treebank(chosen.smoke)
    chosen.epochs = 1 if chosen.smoke else chosen.epochs
    forms = [word.form for sentence in training for word in sentence]
    words = dy.data.Vocabulary(forms, minimum_count=2)
    letters = dy.data.Vocabulary(letter for form in forms for letter in form)
    tags = dy.data.Vocabulary((tag for part in training for tag in name_tags(part)), unknown=None)
    tagger = Tagger(words, letters, tags, dy.ParameterCollection())
    training = [sentence for sentence in training if follows_rules(tagger, sentence)]

    options.learn(tagger, training, tagger.loss, chosen, 0.003, key=len)
    known = KnownNames(training, [names(name_tags(sentence)) for sentence in training])
    score, baseline = f1(tagger, held_out), f1(known, held_out)
    loss = options.mean_loss(tagger, [sentence for sentence in held_out if follows_rules(tagger, sentence)])
    print(f"held-out loss of a sentence {loss:.3f}")
    print(f"held-out names: F1 {score:.1%}, names known from training {baseline:.1%}")


if __name__ == "__main__":
    main()
