"""A variational autoencoder of handwritten digits, which also draws new ones."""

import math

import numpy as np
import options
from baselines import pixel_frequencies
from data import digits, minibatches
from plot import gallery
from progress import Progress

import dynet as dy


class Autoencoder:
    """Auto-Encoding Variational Bayes (Kingma and Welling, 2014) on black and white pixels."""

    def __init__(self, latent=8, size=128, pixels=64):
        self.latent = latent
        self.parameters = dy.ParameterCollection()
        self.encode = [self.layer(pixels, size), self.layer(size, 2 * latent)]
        self.decode = [self.layer(latent, size), self.layer(size, pixels)]

    def layer(self, before, after):
        add = self.parameters.add_parameters
        return add((after, before)), add(after, init=0)

    @staticmethod
    def apply(layers, x):
        (weights, bias), (last_weights, last_bias) = layers
        hidden = dy.rectify(dy.affine_transform([bias, weights, x]))
        return dy.affine_transform([last_bias, last_weights, hidden])

    def bound(self, picture):
        """An upper bound of -log p(picture), from one draw of what the picture is encoded as."""
        pixels = picture.reshape(64)
        code = self.apply(self.encode, dy.inputTensor(pixels))
        mean, log_variance = code[: self.latent], code[self.latent : 2 * self.latent]
        # Noise enters from outside, so that the gradient goes through the mean and the variance.
        noise = dy.random_normal((self.latent,))
        drawn = mean + dy.cmult(dy.exp(0.5 * log_variance), noise)
        # log σ(x) is the log-probability of a black pixel, and log σ(-x) of a white one.
        signs = dy.inputTensor(2 * pixels - 1)
        missed = -dy.sum_elems(dy.log_sigmoid(dy.cmult(signs, self.apply(self.decode, drawn))))
        # How far the code is from the standard normal that samples are drawn from.
        spread = dy.exp(log_variance) + dy.square(mean) - log_variance - 1
        return missed + 0.5 * dy.sum_elems(spread)

    def loss(self, pictures):
        dy.renew_cg()
        return dy.esum([self.bound(picture) for picture in pictures])

    def rebuilt(self, picture):
        """What the decoder makes of the mean code of a picture."""
        dy.renew_cg()
        code = self.apply(self.encode, dy.inputTensor(picture.reshape(64)))
        return self.draw(code[: self.latent])

    def sample(self):
        """A new picture."""
        dy.renew_cg()
        return self.draw(dy.random_normal((self.latent,)))

    def draw(self, code):
        return dy.logistic(self.apply(self.decode, code)).npvalue().reshape(8, 8)


def mean_bound(model, pictures, draws=10):
    """The bound of a picture in nats, averaged over pictures and draws."""
    losses = [model.loss(pictures).scalar_value() for _ in range(draws)]
    return math.fsum(losses) / (draws * len(pictures))


def main():
    parser = options.parser(__doc__, epochs=150, batch=16, unit="pictures")
    parser.add_argument("--plot", metavar="FILE.png", help="draw pictures, rebuilt ones, new ones")
    chosen = options.parse(parser)

    # A pixel counts the dark ones of 16 finer pixels; here it is black if half of them are.
    training, held_out = [[np.round(picture) for picture, _ in part] for part in digits()]
    if chosen.smoke:
        training, held_out, chosen.epochs = training[:300], held_out[:100], 1
    baseline = pixel_frequencies(training, held_out)
    model = Autoencoder()
    if chosen.load:
        model.parameters.populate(chosen.load)
        chosen.epochs = 0

    trainer = dy.AdamTrainer(model.parameters)
    for epoch in range(chosen.epochs):
        trainer.learning_rate = 0.002 * (1 - epoch / chosen.epochs)
        progress = Progress(f"epoch {epoch + 1}", len(training), "pictures")
        for batch in minibatches(training, chosen.batch):
            loss = model.loss(batch)
            progress.add(len(batch), loss.scalar_value())
            loss.backward()
            trainer.update()
        progress.close(f"held out {mean_bound(model, held_out):.2f} nats")
    if chosen.save:
        model.parameters.save(chosen.save)
    dy.reset_random_seed(chosen.seed)  # so that a loaded model is scored with the same draws
    score = mean_bound(model, held_out)
    print(f"held-out bound {score:.2f} nats a picture, independent pixels {baseline:.2f}")
    if chosen.plot:
        shown = held_out[:10]
        new = [[model.sample() for _ in shown] for _ in range(3)]
        rows = [shown, [model.rebuilt(picture) for picture in shown], *new]
        gallery(chosen.plot, rows, "pictures held out, the same rebuilt, new ones")


if __name__ == "__main__":
    main()
