"""A BiLSTM tagger that also spells every word, for parts of speech or morphology of Greek."""

import collections
import random
import unicodedata

import options
from baselines import MostFrequentTag
from data import Word, greek_sentences
from plot import learning_curve
from progress import Progress

import dynet as dy

UNKNOWN = 0  # the row of each table for what the training data lacks


def letters(text):
    """The spelling with each accent as a letter of its own, so that 56 symbols do for 174."""
    return unicodedata.normalize("NFD", text)


class Tagger:
    """Word and spelling vectors, a BiLSTM over the sentence, a softmax over all the tags."""

    def __init__(self, sentences, task, word_size=64, letter_size=24, spelling_size=48, size=192):
        self.task = task
        self.counts = collections.Counter(word.text for words in sentences for word in words)
        self.words = {text: row for row, text in enumerate(self.counts, start=1)}
        alphabet = sorted({letter for text in self.counts for letter in letters(text)})
        self.letters = {letter: row for row, letter in enumerate(alphabet, start=1)}
        self.tags = sorted({getattr(word, task) for words in sentences for word in words})
        self.rows = {tag: row for row, tag in enumerate(self.tags)}

        self.parameters = model = dy.ParameterCollection()
        self.word_table = model.add_lookup_parameters((len(self.words) + 1, word_size))
        self.letter_table = model.add_lookup_parameters((len(self.letters) + 1, letter_size))
        self.onward = dy.VanillaLSTMBuilder(1, letter_size, spelling_size, model)
        self.backward = dy.VanillaLSTMBuilder(1, letter_size, spelling_size, model)
        inputs = word_size + 2 * spelling_size
        self.context = dy.BiRNNBuilder(1, inputs, size, model, dy.VanillaLSTMBuilder)
        self.weights = model.add_parameters((len(self.tags), size))
        self.bias = model.add_parameters(len(self.tags), init=0)

    def spell(self, text):
        """What one LSTM knows at the end of the word and another, reading back, at its start."""
        rows = [self.letters.get(letter, UNKNOWN) for letter in letters(text)]
        vectors = [self.letter_table[row] for row in rows]
        end = self.onward.initial_state().transduce(vectors)[-1]
        start = self.backward.initial_state().transduce(vectors[::-1])[-1]
        return dy.concatenate([end, start])

    def scores(self, sentences, training=False):
        """For each word of each sentence a score of every tag, all in one graph."""
        dy.renew_cg()
        self.context.set_dropout(0.3 if training else 0)
        spellings = {}
        for word in (word for words in sentences for word in words):
            if word.text not in spellings:  # a word that comes again need not be spelled again
                spellings[word.text] = self.spell(word.text)
        for words in sentences:
            rows = [self.word_row(word, training) for word in words]
            vectors = [
                dy.concatenate([self.word_table[row], spellings[word.text]])
                for row, word in zip(rows, words, strict=True)
            ]
            states = self.context.transduce(vectors)
            yield [dy.affine_transform([self.bias, self.weights, state]) for state in states]

    def word_row(self, word, training):
        """The word's row; rare words are at times unknown in training, to train that row too."""
        if training and random.random() < 0.5 / (0.5 + self.counts[word.text]):
            return UNKNOWN
        return self.words.get(word.text, UNKNOWN)

    def loss(self, sentences):
        losses = []
        for words, scores in zip(sentences, self.scores(sentences, training=True), strict=True):
            rows = [self.rows[getattr(word, self.task)] for word in words]
            losses.extend(map(dy.pickneglogsoftmax, scores, rows))
        return dy.esum(losses)

    def tag(self, sentences):
        all_scores = list(self.scores(sentences))  # the whole graph first: it runs as one batch
        return [[self.tags[s.npvalue().argmax()] for s in scores] for scores in all_scores]


def accuracy(tagger, sentences, task):
    """The share of words that the tagger, or a baseline, tags right."""
    right = []
    for start in range(0, len(sentences), 16):
        part = sentences[start : start + 16]
        for words, tags in zip(part, tagger.tag(part), strict=True):
            right += [getattr(word, task) == tag for word, tag in zip(words, tags, strict=True)]
    return sum(right) / len(right)


def train(tagger, training, held_out, chosen):
    """Trains and returns (loss a word, held-out accuracy, words a second) of every epoch."""
    trainer = dy.AdamTrainer(tagger.parameters)
    history = []
    for epoch in range(chosen.epochs):
        random.shuffle(training)
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", sum(map(len, training)))
        for start in range(0, len(training), chosen.batch):
            batch = training[start : start + chosen.batch]
            loss = tagger.loss(batch)
            progress.add(sum(map(len, batch)), loss.scalar_value())
            loss.backward()
            trainer.update()
        score = accuracy(tagger, held_out, chosen.task)
        progress.close(f"held out {score:.2%}")
        history.append((progress.loss / progress.words, score, progress.speed))
    return history


def main():
    parser = options.parser(__doc__, epochs=5, batch=4, unit="sentences")
    parser.add_argument("--task", choices=("pos", "morph"), default="pos")
    parser.add_argument("--tag", metavar="SENTENCE", help="print each word with its tag")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the learning curve")
    chosen = options.parse(parser)

    training, held_out = greek_sentences()
    if chosen.smoke:
        training, held_out, chosen.epochs = training[:100], held_out[:20], 1
    tagger = Tagger(training, chosen.task)
    baseline = accuracy(MostFrequentTag(training, chosen.task), held_out, chosen.task)
    if chosen.load:
        tagger.parameters.populate(chosen.load)
    else:
        history = train(tagger, training, held_out, chosen)
        if chosen.plot:
            learning_curve(chosen.plot, history, baseline, f"Greek tagger, task {chosen.task}")
    if chosen.save:
        tagger.parameters.save(chosen.save)
    score = accuracy(tagger, held_out, chosen.task)
    print(f"held-out accuracy {score:.2%}; most frequent tag of each word {baseline:.2%}")
    if chosen.tag:
        texts = unicodedata.normalize("NFC", chosen.tag).split()
        words = [Word(text.strip(".,·;"), pos="", morph="") for text in texts]
        for word, tag in zip(words, tagger.tag([words])[0], strict=True):
            print(f"{word.text}\t{tag}")


if __name__ == "__main__":
    main()
