"""A language model whose softmax is over all words, over classes and their words, or along a tree."""

import collections
import heapq
import itertools
import math
import pathlib
import tempfile

import options
from baselines import unigram_and_bigram
from data import minibatches
from language_model import END, predictions, verses_in_rows
from progress import Progress

import dynet as dy


def classes(counts, number=80):
    """Lines of words in classes of about the same sum of the square roots of their frequencies.

    Empirical Evaluation and Combination of Advanced Language Modeling Techniques (Mikolov and
    others, 2011).
    """
    total = sum(math.sqrt(count) for count in counts.values())
    before = 0.0
    for word, count in counts.most_common():
        yield f"{int(number * before / total)}\t{word}"
        before += math.sqrt(count)


def huffman(counts):
    """Lines of words with the names of the nodes that lead to them in Huffman's tree."""
    order = itertools.count()  # so that words are never compared
    heap = [(count, next(order), {word: ""}) for word, count in counts.items()]
    heapq.heapify(heap)
    while len(heap) > 1:
        (few, _, left), (more, _, right) = heapq.heappop(heap), heapq.heappop(heap)
        codes = {word: "0" + code for word, code in left.items()}
        codes |= {word: "1" + code for word, code in right.items()}
        heapq.heappush(heap, (few + more, next(order), codes))
    for word, code in heap[0][2].items():
        # A node is named after the whole way to it; the last step leads to the word itself.
        nodes = [code[:end] for end in range(1, len(code))]
        yield f"{' '.join(nodes)}\t{word}"


def softmax(kind, size, vocabulary, counts, model):
    """One of dynet's softmax builders; two of them read the classes of words from a file."""
    if kind == "full":
        return dy.StandardSoftmaxBuilder(size, len(vocabulary), model)
    rows = {word: row for row, word in enumerate(vocabulary)}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "classes.txt")
        lines = classes(counts) if kind == "classes" else huffman(counts)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if kind == "classes":
            return dy.ClassFactoredSoftmaxBuilder(size, str(file), rows, model)
        return dy.HierarchicalSoftmaxBuilder(size, str(file), rows, model)


class LanguageModel:
    """Predicts every word of a verse from those before it, by the softmax that was chosen."""

    def __init__(self, kind, vocabulary, counts, size=160, dropout=0.2):
        self.vocabulary, self.dropout = vocabulary, dropout
        self.parameters = dy.ParameterCollection()
        self.table = self.parameters.add_lookup_parameters((len(vocabulary), size))
        self.lstm = dy.VanillaLSTMBuilder(1, size, size, self.parameters)
        self.softmax = softmax(kind, size, vocabulary, counts, self.parameters)

    def loss(self, verses, training=False):
        dy.renew_cg()
        self.lstm.set_dropout(self.dropout if training else 0)
        losses = []
        for verse in verses:
            state = self.lstm.initial_state()
            for row, following in itertools.pairwise(verse):
                state = state.add_input(self.table[row])
                losses.append(self.softmax.neg_log_softmax(state.output(), following))
        return dy.esum(losses)

    def sample(self, longest=40):
        """A verse drawn word by word."""
        dy.renew_cg()
        self.lstm.set_dropout(0)
        state, row, words = self.lstm.initial_state(), 0, []
        while len(words) < longest:
            state = state.add_input(self.table[row])
            row = self.softmax.sample(state.output())
            if self.vocabulary[row] == END:
                break
            words.append(self.vocabulary[row])
        return " ".join(words)


def perplexity(model, verses):
    batches = [verses[start : start + 64] for start in range(0, len(verses), 64)]
    loss = sum(model.loss(batch).scalar_value() for batch in batches)
    return math.exp(loss / predictions(verses))


def main():
    parser = options.parser(__doc__, epochs=1, batch=16, unit="verses")
    parser.add_argument("--softmax", choices=("full", "classes", "tree"), default="classes")
    chosen = options.parse(parser)

    vocabulary, training, held_out = verses_in_rows(chosen.smoke)
    counts = collections.Counter(dict.fromkeys(vocabulary, 0))  # a class for every word
    counts.update(vocabulary[row] for verse in training for row in verse)
    model = LanguageModel(chosen.softmax, vocabulary, counts)
    _, bigram = unigram_and_bigram(training, held_out)
    if chosen.load:
        model.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdamTrainer(model.parameters)
    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", predictions(training))
        for batch in minibatches(training, chosen.batch):
            loss = model.loss(batch, training=True)
            progress.add(predictions(batch), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(f"held-out perplexity {perplexity(model, held_out):.1f}")
    if chosen.save:
        model.parameters.save(chosen.save)
    print(f"held-out perplexity {perplexity(model, held_out):.1f}, bigram {bigram:.1f}")
    print(model.sample())


if __name__ == "__main__":
    main()
