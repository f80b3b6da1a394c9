// Docstrings of softmax layers.
#pragma once

namespace dynet::python::docs::softmax {

constexpr auto type = R"(An output layer: a distribution over classes given a vector x (I,). It belongs to
no graph and works in that of x; where a method has update=False, its parameters get no gradient.)";

constexpr auto neg_log_softmax = R"(The negative log likelihood of class c given x, -ln p(c | x): shape
(1,), the loss of one decision. IndexError if there is no such class, ValueError if x has another shape or
is a mini-batch.

>>> softmax = dy.StandardSoftmaxBuilder(3, 4, dy.ParameterCollection())
>>> softmax.neg_log_softmax(dy.inputVector([1, 2, 3]), 0).dim()
((1,), 1))";

constexpr auto neg_log_softmax_batch = R"(The negative log likelihoods of a class for each element of the
mini-batch x, of which c is the list: shape (1,), batch size as x. IndexError for a class that is not there,
ValueError for another number of them.

>>> softmax = dy.StandardSoftmaxBuilder(3, 4, dy.ParameterCollection())
>>> softmax.neg_log_softmax_batch(dy.zeros(3, batch_size=2), [0, 3]).dim()
((1,), 2))";

constexpr auto sample = R"(A class drawn from the distribution given x, as an int; x is evaluated, and must
be no mini-batch. What is drawn follows from the seed.

>>> softmax = dy.StandardSoftmaxBuilder(3, 4, dy.ParameterCollection())
>>> softmax.sample(dy.inputVector([1, 2, 3])) in range(4)
True)";

constexpr auto full_log_distribution = R"(The logarithms of the probabilities of all classes given x: shape
(C,), batch size as x. For the best class full_logits is enough.

>>> softmax = dy.StandardSoftmaxBuilder(3, 4, dy.ParameterCollection())
>>> p = dy.exp(softmax.full_log_distribution(dy.inputVector([1, 2, 3])))
>>> print(p.dim(), p.npvalue().sum().round(4))
((4,), 1) 1.0)";

constexpr auto full_logits = R"(Numbers for all classes whose softmax is the distribution given x: shape
(C,), batch size as x; of the layers with classes the log probabilities themselves.

>>> softmax = dy.StandardSoftmaxBuilder(3, 4, dy.ParameterCollection())
>>> softmax.full_logits(dy.inputVector([1, 2, 3])).dim()
((4,), 1))";

constexpr auto param_collection = R"(The builder's own collection, a sub-collection of the one it was made
with: its parameters can be saved, frozen or updated apart from others.

>>> softmax = dy.StandardSoftmaxBuilder(3, 4, dy.ParameterCollection())
>>> softmax.param_collection().name(), softmax.param_collection().parameter_count()
('/standard-softmax-builder/', 16))";

constexpr auto whoami = R"(The name of the class that the builder is of, as "StandardSoftmaxBuilder"; for
classes that a program derives from one, that of ours.)";

constexpr auto class_log_distribution = R"(The logarithms of the probabilities p(class | x) of the classes,
in the order in which the file names them: shape (K,) for K classes.

>>> with open("classes.txt", "w") as file: _ = file.write("noun dog\nnoun cat\nverb runs\n")
>>> m, ids = dy.ParameterCollection(), {"dog": 0, "cat": 1, "runs": 2}
>>> dy.ClassFactoredSoftmaxBuilder(3, "classes.txt", ids, m).class_log_distribution(dy.zeros(3)).dim()
((2,), 1))";

constexpr auto class_logits = R"(Numbers for the classes whose softmax is p(class | x), in the order in
which the file names them: shape (K,) for K classes.)";

constexpr auto subclass_log_distribution = R"(The logarithms of the probabilities p(word | class, x) of the
words within class number classid, in the order of the file: shape (n,) for n words. IndexError if there is
no such class.

>>> with open("classes.txt", "w") as file: _ = file.write("noun dog\nnoun cat\nverb runs\n")
>>> m, ids = dy.ParameterCollection(), {"dog": 0, "cat": 1, "runs": 2}
>>> softmax = dy.ClassFactoredSoftmaxBuilder(3, "classes.txt", ids, m)
>>> softmax.subclass_log_distribution(dy.zeros(3), 0).dim()
((2,), 1))";

constexpr auto subclass_logits = R"(Numbers for the words of class number classid whose softmax is p(word |
class, x), in the order of the file: shape (n,) for n words. IndexError if there is no such class.)";

}  // namespace dynet::python::docs::softmax
