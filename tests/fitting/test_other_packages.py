"""Examples from tokenizers, datasets and pandas, where they are there."""

import pytest

import dynet as dy

TEXTS = ["the cat saw the dog", "a dog", "the dog saw a cat", "cat and dog"]


class Sums:
    """Guesses a label by the sum of the rows of its pieces."""

    def __init__(self, rows):
        self.model = dy.ParameterCollection()
        self.table = self.model.add_lookup_parameters((rows, 2))

    def loss(self, example):
        scores = dy.esum([self.table[row] for row in example["rows"]])
        return dy.pickneglogsoftmax(scores, example["label"])

    def falls(self, examples, **options):
        trainer = dy.AdamTrainer(self.model, 0.1)
        history = dy.fit(self.model, trainer, examples, self.loss, epochs=20, progress=False, **options)
        return history["loss"][-1] < 0.5 * history["loss"][0]


def test_pieces_of_a_tokenizer():
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=40, special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    examples = [{"rows": tokenizer.encode(text).ids, "label": "cat" in text} for text in TEXTS]
    assert Sums(tokenizer.get_vocab_size()).falls(examples, key=lambda example: len(example["rows"]))


def test_rows_of_a_dataset():
    datasets = pytest.importorskip("datasets")
    words = dy.data.Vocabulary(word for text in TEXTS for word in text.split())
    data = datasets.Dataset.from_dict({"text": TEXTS, "label": [int("cat" in text) for text in TEXTS]})
    data = data.map(lambda row: {"rows": words.rows(row["text"].split())})
    assert Sums(len(words)).falls(data, batch_size=2)
    assert sum(map(len, dy.data.batches(data, 3))) == 4
    training, held_out = dy.data.split(data, 1)
    assert len(training) == 3 and held_out[0]["text"] in TEXTS


def test_rows_of_a_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]}, index=[7, 8, 9])
    model = dy.ParameterCollection()
    w = model.add_parameters(1, init=0.0)
    trainer = dy.SimpleSGDTrainer(model, 0.05)

    def loss(row):
        return dy.square(w * row.x - row.y)

    dy.fit(model, trainer, frame, loss, epochs=50, batch_size=1, progress=False)
    assert w.value() == pytest.approx(2)
    assert dy.data.batches(frame["x"], 2, shuffle=False) == [[1, 2], [3]]
