"""A tagger: letters and words through an LSTM in both directions; parts of speech of Greek verses."""

import pathlib

import dynet as dy

DATA = pathlib.Path(__file__).parents[3] / "docs" / "guide" / "data" / "1_john.tsv"


class Tagger(dy.nn.Module):
    def __init__(self, words, letters, tags, model, size=32):
        super().__init__(model)
        self.tags = tags
        self.words = dy.nn.Embedding(words, size, self.model, dropout=0.3)
        self.spelling = dy.nn.CharacterLSTM(letters, size, size, self.model)
        self.context = dy.nn.BiLSTM(2 * size, 2 * size, self.model, dropout=0.2)
        self.output = dy.nn.Linear(2 * size, len(tags), self.model)

    def __call__(self, verse):
        forms = [word.form for word in verse]
        return self.output(self.context(dy.concatenate([self.words(forms), self.spelling(forms)])))

    def loss(self, verse):
        right = self.tags.rows(word.pos for word in verse)
        return dy.losses.cross_entropy(self(verse), right, reduction="sum")

    def accuracy(self, verses):
        dy.renew_cg()
        with self.evaluating():
            chosen = [scores.argmax(0) for scores in dy.npvalues([self(verse) for verse in verses])]
        right = [self.tags.rows(word.pos for word in verse) for verse in verses]
        return sum((a == b).sum() for a, b in zip(chosen, right, strict=True)) / sum(map(len, right))


def main():
    dy.reset_random_seed(1)
    verses = list(dy.data.read_columns(DATA, ["form", "pos"]))
    training, held_out = dy.data.split(verses, 0.2)
    words = dy.data.Vocabulary((word.form for verse in training for word in verse), minimum_count=2)
    letters = dy.data.Vocabulary(letter for verse in training for word in verse for letter in word.form)
    tags = dy.data.Vocabulary((word.pos for verse in verses for word in verse), unknown=None)
    model = dy.ParameterCollection()
    tagger = Tagger(words, letters, tags, model)
    trainer, schedule = dy.optim.AdamW(model), dy.optim.CosineSchedule(0.01, 8)
    dy.fit(model, trainer, training, tagger.loss, epochs=8, batch_size=4, schedule=schedule, progress=False)
    return tagger.accuracy(held_out)


if __name__ == "__main__":
    print(f"held out: {main():.0%}")
