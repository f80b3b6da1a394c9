"""The twin of tests/cpp/programs/parity.cc: trains on made-up data and prints all losses."""

import sys

import dynet as dy

state = 7


def draw(n):
    global state
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % n


class Tagger:
    def __init__(self, model):
        self.words = model.add_lookup_parameters((30, 16))
        self.letters = model.add_lookup_parameters((9, 8))
        self.speller = dy.LSTMBuilder(1, 8, 12, model)
        self.forward = dy.LSTMBuilder(1, 28, 20, model)
        self.backward = dy.LSTMBuilder(1, 28, 20, model)
        self.weights = model.add_parameters((7, 40))
        self.bias = model.add_parameters(7, init=0)

    def loss(self):
        inputs = []
        for _ in range(2 + draw(6)):
            word = draw(30)
            letters = [self.letters[(word + k) % 9] for k in range(word % 4 + 1)]
            spelled = self.speller.initial_state().transduce(letters)[-1]
            inputs.append(dy.concatenate([self.words[word], spelled]))
        from_left = self.forward.initial_state().transduce(inputs)
        from_right = self.backward.initial_state().transduce(inputs[::-1])[::-1]
        losses = []
        for both in zip(from_left, from_right, strict=True):
            scores = dy.affine_transform([self.bias, self.weights, dy.concatenate(list(both))])
            losses.append(dy.pickneglogsoftmax(scores, draw(7)))
        return dy.esum(losses)


class TreeModel:
    def __init__(self, model):
        self.words = model.add_lookup_parameters((30, 16))
        self.trees = dy.NaryTreeLSTMBuilder(2, 1, 16, 16, model)
        self.weights = model.add_parameters((5, 16))

    def grow(self, depth):
        """Adds a tree of random shape below the node; gives the node's number and output."""
        children = [self.grow(depth - 1)[0] for _ in range(2)] if depth > 0 and draw(4) > 0 else []
        output = self.trees.add_input(self.count, children, self.words[draw(30)])
        self.count += 1
        return self.count - 1, output

    def loss(self):
        self.trees.start_new_sequence()
        self.count = 0
        _, output = self.grow(4)
        return dy.pickneglogsoftmax(self.weights * output, draw(5))


def losses(model, steps, trainer=None):
    for _ in range(steps):
        dy.renew_cg()
        loss = dy.esum([model.loss() for _ in range(3)])
        print(float(loss.value()).hex())
        if trainer:
            loss.backward()
            trainer.update()


def main(name, way=None, file=None):
    """100 updates of three losses each, or none where a model is loaded; then ten losses."""
    global state
    dy.reset_random_seed(5)
    collection = dy.ParameterCollection()
    model = Tagger(collection) if name == "tagger" else TreeModel(collection)
    if way == "--load":
        collection.populate(file)
    else:
        losses(model, 100, dy.AdamTrainer(collection))
    if way == "--save":
        collection.save(file)
    state = 11
    losses(model, 10)


if __name__ == "__main__":
    main(*sys.argv[1:])
