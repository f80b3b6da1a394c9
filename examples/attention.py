"""An attention model that translates Greek verses, its attention scored by hand-made alignments."""

import collections
import heapq
import math
import operator

import options
from baselines import diagonal_links, unigram_and_bigram
from data import aligned_verses, minibatches
from plot import attention_picture
from progress import Progress

import dynet as dy

END, UNKNOWN = "<end>", "<unknown>"  # END closes a verse and, as the first input, opens it


def table(items, least=2):
    """Numbers UNKNOWN, END and those items that come at least so often."""
    kept = [item for item, count in collections.Counter(items).items() if count >= least]
    return {item: row for row, item in enumerate([UNKNOWN, END, *kept])}


class Translator:
    """A BiLSTM reads Greek; an LSTM writes English, looking at all the Greek before each word."""

    def __init__(self, pairs, rows, size=128, dropout=0.2):
        self.rows, self.size, self.dropout = rows, size, dropout
        greek = [word for pair in pairs for word in pair.greek]
        self.lemmas = table(word.lemma for word in greek)
        self.morphs = table(word.morph for word in greek)
        self.pace = len(greek) / sum(len(pair.english) for pair in pairs)
        self.parameters = model = dy.ParameterCollection()
        self.lemma_table = model.add_lookup_parameters((len(self.lemmas), size))
        self.morph_table = model.add_lookup_parameters((len(self.morphs), size))
        self.english_table = model.add_lookup_parameters((len(self.rows), size))
        self.reader = dy.BiRNNBuilder(1, size, size, model, dy.VanillaLSTMBuilder)
        self.writer = dy.VanillaLSTMBuilder(1, 2 * size, size, model)
        self.ask = model.add_parameters((2 * size, size))
        self.nearness = model.add_parameters(1, init=0.5)
        self.join = model.add_parameters((size, 3 * size))
        self.weights = model.add_parameters((len(self.rows), size))
        self.bias = model.add_parameters(len(self.rows), init=0)

    def read(self, greek, training=False):
        """A column, and a row, for each Greek word: what it is, and what it is in this verse."""
        self.reader.set_dropout(self.dropout if training else 0)
        self.writer.set_dropout(self.dropout if training else 0)
        lemmas = [self.lemma_table[self.lemmas.get(word.lemma, 0)] for word in greek]
        morphs = [self.morph_table[self.morphs.get(word.morph, 0)] for word in greek]
        words = list(map(operator.add, lemmas, morphs))
        both = zip(words, self.reader.transduce(words), strict=True)
        columns = dy.concatenate_cols([dy.concatenate(list(vectors)) for vectors in both])
        return columns, dy.transpose(columns)

    def step(self, greek, state, row):
        """The state after an English word, the attention to the Greek, a score of each next word."""
        columns, rows = greek
        lstm, seen, place = state or (self.writer.initial_state(), dy.zeros(self.size), 0)
        lstm = lstm.add_input(dy.concatenate([self.english_table[row], seen]))
        # Both languages tell things in much the same order, so attention starts near there.
        far = dy.inputVector([abs(other - self.pace * place) for other in range(rows.dim()[0][0])])
        attention = dy.softmax(rows * (self.ask * lstm.output()) - far * self.nearness)
        seen = dy.tanh(self.join * dy.concatenate([lstm.output(), columns * attention]))
        scores = dy.affine_transform([self.bias, self.weights, seen])
        return (lstm, seen, place + 1), attention, scores

    def follow(self, pair, training=False):
        """The loss and the attention of each word of a translation that is given, and its END."""
        greek, state, last = self.read(pair.greek, training), None, self.rows[END]
        for word in [*pair.english, END]:
            state, attention, scores = self.step(greek, state, last)
            last = self.rows[word]
            yield dy.pickneglogsoftmax(scores, last), attention

    def loss(self, pairs, training=False):
        dy.renew_cg()
        return dy.esum([loss for pair in pairs for loss, _ in self.follow(pair, training)])

    def attention(self, pair):
        """An array: a row for each English word, a column for each Greek one."""
        dy.renew_cg()
        attentions = [attention for _, attention in self.follow(pair)][:-1]
        return dy.transpose(dy.concatenate_cols(attentions)).npvalue().reshape(-1, len(pair.greek))

    def translations(self, verses, width=4):
        """The likeliest translation of each verse that a beam of this width finds."""
        dy.renew_cg()

        def translate(words):
            return (yield from self.translate(words, width))

        return dy.run_batched(translate, verses)

    def translate(self, words, width):
        """A generator for run_batched: it waits for the scores of a step, of all the beam at once."""
        greek, vocabulary = self.read(words), list(self.rows)
        beam, ended = [(0.0, [END], None)], []
        while beam and len(beam[0][1]) <= 3 * len(words):
            steps = [self.step(greek, state, self.rows[written[-1]]) for _, written, state in beam]
            likelihoods = [dy.log_softmax(scores) for _, _, scores in steps]
            yield likelihoods
            longer = []
            for (total, written, _), (state, _, _), scores in zip(beam, steps, likelihoods, strict=True):
                values = scores.npvalue()
                for row in values.argsort()[-width:]:
                    longer.append((total + float(values[row]), [*written, vocabulary[row]], state))
            best = heapq.nlargest(width, longer, key=operator.itemgetter(0))
            beam = [hypothesis for hypothesis in best if hypothesis[1][-1] != END]
            ended += [hypothesis for hypothesis in best if hypothesis[1][-1] == END]
            width -= len(best) - len(beam)
        # Each word costs; of long and of short translations the likelier word by word is the better one.
        _, written, _ = max(ended or beam, key=lambda hypothesis: hypothesis[0] / len(hypothesis[1]))
        return " ".join(written).replace(END, "").strip()


def aligned(pairs, choose):
    """The share of linked English words whose chosen Greek word is one of those linked to it."""
    right = [hit for pair in pairs for hit in pair.right(choose(pair))]
    return sum(right) / len(right)


def report(model, pairs):
    """The share of words that attention aligns right, and the perplexity."""
    share = aligned(pairs, lambda pair: model.attention(pair).argmax(axis=1))
    loss = math.fsum(model.loss([pair]).scalar_value() for pair in pairs)
    words = sum(len(pair.english) + 1 for pair in pairs)
    return f"{share:.1%} aligned, perplexity {math.exp(loss / words):.1f}"


def main():
    parser = options.parser(__doc__, epochs=5, batch=8, unit="verses")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the attention of one verse")
    chosen = options.parse(parser)

    training, held_out = aligned_verses()
    if chosen.smoke:
        training, held_out, chosen.epochs = training[:60], held_out[:10], 1
    rows = table((word for pair in training for word in pair.english), least=3)
    for words in (pair.english for part in (training, held_out) for pair in part):
        words[:] = [word if word in rows else UNKNOWN for word in words]
    both = ([[END, *pair.english, END] for pair in part] for part in (training, held_out))
    _, bigram = unigram_and_bigram(*both)
    model = Translator(training, rows)
    if chosen.load:
        model.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdamTrainer(model.parameters)
    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", len(training), "verses")
        for batch in minibatches(training, chosen.batch):
            loss = model.loss(batch, training=True)
            progress.add(len(batch), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(report(model, held_out))
    if chosen.save:
        model.parameters.save(chosen.save)
    print(f"held-out verses: {report(model, held_out)}")
    print(f"baselines: diagonal {aligned(held_out, diagonal_links):.1%}, bigrams {bigram:.1f}")
    shown = sorted(held_out, key=lambda pair: abs(len(pair.english) - 16))[:2]
    for pair, written in zip(shown, model.translations([pair.greek for pair in shown]), strict=True):
        print(f"by people: {' '.join(pair.english)}\nby the model: {written}")
    if chosen.plot:
        attention_picture(chosen.plot, model.attention(shown[0]), shown[0])


if __name__ == "__main__":
    main()
