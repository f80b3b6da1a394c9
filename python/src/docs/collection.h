// Docstrings of parameter collections.
#pragma once

namespace dynet::python::docs::collection {

constexpr auto type = R"(A tree of named parameters: what a trainer updates and a file holds. Collections
within it, made by add_subcollection or by builders, add theirs to it. Parameters live as long as anyone
refers to them. `parent` has no effect.

>>> m = dy.ParameterCollection()
>>> w = m.add_parameters((2, 3), name="w")
>>> print(m)
ParameterCollection / of 1 parameter and 0 tables, 6 numbers
  /w (2, 3))";

constexpr auto add_parameters = R"(Adds a parameter of shape dim, a number or a tuple, and returns it. init
is a number; an array, whose shape counts; an initializer; or 'glorot' (the default), 'uniform' (within
±scale), 'normal' (with mean and std), 'identity', or 'he', which is normal with the variance 1 / (2 n) for
a last size of n, as in DyNet 2. ValueError for another init and for a size of 0.

>>> m = dy.ParameterCollection()
>>> w, b = m.add_parameters((2, 3)), m.add_parameters(2, init=0)
>>> w.shape(), b.as_array().tolist()
((2, 3), [0.0, 0.0]))";

constexpr auto add_lookup_parameters = R"(Adds a table and returns it: the first size of dim is the number
of rows, the rest the shape of a row. init is as in add_parameters; the default, 'glorot', counts the rows
as a size, as in DyNet 2, so that large tables start with small numbers; GlorotInitializer(is_lookup=True)
does not count them.

>>> m = dy.ParameterCollection()
>>> table = m.add_lookup_parameters((1000, 50), init="normal", std=0.1)
>>> table.shape(), table[0].dim()
((1000, 50), ((50,), 1)))";

constexpr auto parameters_from_numpy = R"(Adds a parameter with the shape and the numbers of an array, and
returns it; add_parameters with init=array does the same.

>>> m = dy.ParameterCollection()
>>> print(m.parameters_from_numpy(np.array([[1, 2], [3, 4]])).as_array())
[[1. 2.]
 [3. 4.]])";

constexpr auto lookup_parameters_from_numpy = R"(Adds a table with the numbers of an array, such as
pretrained word vectors, and returns it; the first axis of the array is that of the rows.

>>> m = dy.ParameterCollection()
>>> table = m.lookup_parameters_from_numpy(np.array([[1, 2], [3, 4], [5, 6]]))
>>> print(len(table), table[2].npvalue())
3 [5. 6.])";

constexpr auto add_subcollection = R"(Adds a collection whose parameters are also listed in this one, and
returns it: its parameters can be saved, counted or updated by themselves. Without a name it has a number.

>>> m = dy.ParameterCollection()
>>> encoder = m.add_subcollection("encoder")
>>> encoder.add_parameters(3, name="b").name(), m.parameter_count()
('/encoder/b', 3))";

constexpr auto save = R"(Writes all parameters to a file, without gradients. It has DyNet 2's text format,
or, if its name ends in .safetensors, the format of that name: tensors as as_array() gives them, by name. A
name replaces that of the collection in the file; append adds to what a text file holds. The file is
replaced at once, when all is written; RuntimeError if it cannot be.

>>> m = dy.ParameterCollection()
>>> w = m.add_parameters(2, init=0.5)
>>> m.save("model.txt"); w.zero(); m.populate("model.txt"); print(w.as_array())
[0.5 0.5])";

constexpr auto populate = R"(Reads all parameters of this collection from what a file holds under a key, or
from all of it: in order from a text file, by name from a .safetensors file. Numbers and shapes of
parameters must be the same; RuntimeError if they are not, and then nothing has changed.

>>> m = dy.ParameterCollection()
>>> w = m.add_parameters(2, init=0.5)
>>> m.save("model.safetensors"); w.zero(); m.populate("model.safetensors"); print(w.as_array())
[0.5 0.5])";

constexpr auto load_param = R"(Adds the parameter that a file holds under a key, with its shape and values,
and returns it. RuntimeError if the file has no such key.

>>> m = dy.ParameterCollection()
>>> m.add_parameters(2, init=0.5, name="w").save("file")
>>> print(dy.ParameterCollection().load_param("file", "/w").as_array())
[0.5 0.5])";

constexpr auto load_lookup_param = R"(Adds the table that a file holds under a key, with its shape and
values, and returns it. RuntimeError if the file has no such key.

>>> m = dy.ParameterCollection()
>>> m.add_lookup_parameters((3, 2), name="words").save("file")
>>> dy.ParameterCollection().load_lookup_param("file", "/words").shape()
(3, 2))";

constexpr auto parameters_list = R"(All parameters that are not tables, of sub-collections too, as a list in
order of creation.

>>> m = dy.ParameterCollection()
>>> w = m.add_parameters(2, name="w")
>>> [p.name() for p in m.parameters_list()]
['/w'])";

constexpr auto lookup_parameters_list = R"(All tables, of sub-collections too, as a list in order of
creation.

>>> m = dy.ParameterCollection()
>>> table = m.add_lookup_parameters((5, 2), name="words")
>>> [t.name() for t in m.lookup_parameters_list()]
['/words'])";

constexpr auto get_weight_decay = R"(The weight decay of each update by a trainer of this collection: the
part of every value that it takes away, 0 unless set_weight_decay or the command line chose one.

>>> m = dy.ParameterCollection()
>>> m.set_weight_decay(0.25); m.get_weight_decay()
0.25)";

constexpr auto set_weight_decay = R"(Each update by a trainer of this collection multiplies the values that
it changes with 1 - lam, which lies in [0, 1); else ValueError. Frozen parameters do not decay; rows and
parameters that no graph used do.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m)
>>> m.set_weight_decay(0.25); trainer.update(); print(w.as_array())
[0.75])";

constexpr auto name = R"(The full name of the collection, a path from / on; that of one without a parent is
/ alone. The names of its parameters begin with it.

>>> m = dy.ParameterCollection()
>>> m.name(), m.add_subcollection("encoder").name()
('/', '/encoder/'))";

constexpr auto parameter_count = R"(How many numbers the parameters and tables of this collection and of
those within it have, the frozen ones included.

>>> m = dy.ParameterCollection()
>>> w, table = m.add_parameters((2, 3)), m.add_lookup_parameters((10, 4))
>>> m.parameter_count()
46)";

constexpr auto updated_parameter_count = R"(How many numbers are in the parameters and tables that trainers
change, which are those that are not frozen.

>>> m = dy.ParameterCollection()
>>> v, w = m.add_parameters(2), m.add_parameters(3)
>>> w.set_updated(False); m.updated_parameter_count()
2)";

constexpr auto project_weights = R"(Scales all parameters that trainers change by one factor, so that their
norm together is at most radius (1); returns the norm before. Where it is smaller, nothing changes.

>>> m = dy.ParameterCollection()
>>> w = m.add_parameters(2, init=[3, 4])
>>> print(m.project_weights(1), w.as_array().round(4))
5.0 [0.6 0.8])";

constexpr auto reset_gradient = R"(Sets all gradients of the collection to zero, as update() does after its
step: for dropping what a backward pass has left, after an error or a gradient that was only looked at.

>>> m = dy.ParameterCollection()
>>> w = m.add_parameters(1, init=1)
>>> dy.square(w).backward(); m.reset_gradient(); print(w.grad_as_array())
[0.])";

constexpr auto gradient_l2_norm = R"(The norm of all gradients together, √(Σ g²), without those of frozen
parameters: what clipping compares with its threshold.

>>> m = dy.ParameterCollection()
>>> w = m.add_parameters(2, init=0)
>>> w.set_gradient([3, 4]); m.gradient_l2_norm()
5.0)";

}  // namespace dynet::python::docs::collection
