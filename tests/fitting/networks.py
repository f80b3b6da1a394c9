"""Networks for estimators, where other processes find them."""

import dynet as dy


class Dense:
    def __init__(self, model, examples, outputs, size=16):
        self.hidden = model.add_parameters((size, len(examples[0])))
        self.bias = model.add_parameters(size)
        self.output = model.add_parameters((outputs, size))

    def __call__(self, x):
        return self.output * dy.tanh(self.hidden * dy.inputVector(x) + self.bias)


class Letters:
    def __init__(self, model, examples, outputs, size=8):
        self.letters = dy.data.Vocabulary(letter for text in examples for letter in text)
        self.table = model.add_lookup_parameters((len(self.letters), size))
        self.lstm = dy.VanillaLSTMBuilder(1, size, size, model)
        self.output = model.add_parameters((outputs, size))

    def __call__(self, text):
        states = self.lstm.initial_state().transduce(
            [self.table[row] for row in self.letters.rows(list(text))]
        )
        return self.output * states[-1]
