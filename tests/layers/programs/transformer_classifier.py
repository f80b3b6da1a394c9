"""A Transformer over the letters of a word; the word's part of speech, from the mean of its columns."""

import pathlib
import unicodedata

import dynet as dy

DATA = pathlib.Path(__file__).parents[3] / "docs" / "tutorials" / "data" / "greek.conll"


class Classifier(dy.nn.Module):
    def __init__(self, letters, tags, model, size=48):
        super().__init__(model)
        self.tags = tags
        self.letters = dy.nn.Embedding(letters, size, self.model)
        self.encoder = dy.nn.TransformerEncoder(2, size, 4, 2 * size, self.model, dropout=0.2, rotary=True)
        self.output = dy.nn.Linear(size, len(tags), self.model)

    def __call__(self, word):
        columns = self.encoder(self.letters([*word, "<end>"]))
        return self.output(dy.mean_dim(columns, [1]))

    def loss(self, example):
        word, tag = example
        return dy.losses.cross_entropy(self(word), self.tags[tag], smoothing=0.1)

    def accuracy(self, examples):
        dy.renew_cg()
        with self.evaluating():
            chosen = [scores.argmax() for scores in dy.npvalues([self(word) for word, _ in examples])]
        return sum(c == self.tags[tag] for c, (_, tag) in zip(chosen, examples, strict=True)) / len(examples)


def main():
    dy.reset_random_seed(1)
    verses = dy.data.read_columns(DATA, ["form", "lemma", "tag", "morphology"])
    words = {unicodedata.normalize("NFD", word.form.lower()): word.tag for verse in verses for word in verse}
    examples = list(words.items())
    held_out, training = examples[::5], [each for place, each in enumerate(examples) if place % 5]
    letters = dy.data.Vocabulary((letter for word, _ in training for letter in word), special=["<end>"])
    tags = dy.data.Vocabulary((tag for _, tag in examples), unknown=None)
    model = dy.ParameterCollection()
    classifier = Classifier(letters, tags, model)
    trainer = dy.optim.AdamW(model)
    schedule = dy.optim.WarmUp(dy.optim.CosineSchedule(0.003, 14), 1)
    dy.fit(model, trainer, training, classifier.loss, epochs=15, schedule=schedule, progress=False)
    return classifier.accuracy(held_out)


if __name__ == "__main__":
    print(f"held out: {main():.0%}")
