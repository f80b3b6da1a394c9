// Docstrings of what parameters and lookup tables have.
#pragma once

namespace dynet::python::docs::parameters {

constexpr auto name = R"(The full name, a path of the names of its collections from / on; error messages and
files call it so. Names that occur twice in a collection get a number.

>>> m = dy.ParameterCollection()
>>> m.add_parameters(3, name="w").name(), m.add_parameters(3, name="w").name()
('/w', '/w_1'))";

constexpr auto zero = R"(Sets all values and the gradient to zero, at once; in graphs that begin from now
on, as the others keep what they have evaluated.

>>> w = dy.ParameterCollection().add_parameters(2, init=1)
>>> w.zero(); print(w.as_array())
[0. 0.])";

constexpr auto scale = R"(Multiplies all values by the number s, at once, without a graph or a gradient.

>>> w = dy.ParameterCollection().add_parameters(2, init=3)
>>> w.scale(0.5); print(w.as_array())
[1.5 1.5])";

constexpr auto scale_gradient = R"(Multiplies the gradient that is there by the number s, before a trainer
uses it: by 1 / n, for example, where n backward passes were summed.

>>> w = dy.ParameterCollection().add_parameters(2, init=3)
>>> w.set_gradient([2, 4]); w.scale_gradient(0.5); print(w.grad_as_array())
[1. 2.])";

constexpr auto is_updated = R"(Whether trainers change it: True at first, False after set_updated(False).

>>> w = dy.ParameterCollection().add_parameters(2)
>>> w.set_updated(False); w.is_updated()
False)";

constexpr auto set_updated = R"(Freezes it (False), or lets trainers change it (True). A frozen parameter
rests: it gets no gradient, does not count in the norm of gradients, and trainers neither change nor decay
it. Both drop the gradient there is.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m)
>>> w.set_updated(False)
>>> dy.square(w).backward(); trainer.update(); print(w.as_array())
[1.])";

constexpr auto clip_inplace = R"(Forces every value into [left, right], at once: smaller ones become left,
larger ones right. ValueError if left is larger than right.

>>> w = dy.ParameterCollection().add_parameters(3, init=[-5, 0, 5])
>>> w.clip_inplace(-1, 1); print(w.as_array())
[-1.  0.  1.])";

constexpr auto set_value = R"(Replaces the values by those of an array of the same shape, of a table with
its rows first; ValueError for another shape. Graphs that have evaluated the parameter keep the old values:
begin a new one.

>>> w = dy.ParameterCollection().add_parameters((2, 2))
>>> w.set_value([[1, 2], [3, 4]]); print(w.as_array())
[[1. 2.]
 [3. 4.]])";

constexpr auto set_gradient = R"(Replaces the gradient by an array of the same shape, such as the sum of
those of several processes. The next update() applies it, as if a graph had left it; of a table, the rows
that are not all zeros. A frozen parameter keeps it without effect. ValueError for another shape.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(2, init=0), dy.SimpleSGDTrainer(m, learning_rate=1)
>>> w.set_gradient([1, 2]); trainer.update(); print(w.as_array())
[-1. -2.])";

constexpr auto save = R"(Writes it to a file, under a key or its full name, in DyNet 2's text format, or as
safetensors if the file's name ends in .safetensors. append adds it to what a text file holds. populate
reads it again; RuntimeError if the file cannot be written.

>>> m = dy.ParameterCollection()
>>> v, w = m.add_parameters(2, init=1), m.add_parameters(2, init=2)
>>> v.save("file", key="/v"); w.save("file", key="/w", append=True)
>>> v.populate("file", key="/w"); print(v.as_array())
[2. 2.])";

constexpr auto populate = R"(Reads values from what a file holds under a key; the shape must be the same.
ValueError without a key, RuntimeError where the file has no such key, or does not fit; then nothing has
changed.

>>> m = dy.ParameterCollection()
>>> v, w = m.add_parameters(2, init=1), m.add_parameters(2, init=2)
>>> v.save("file", key="/v"); w.populate("file", key="/v"); print(w.as_array())
[1. 1.])";

constexpr auto shape = R"(The sizes, as a tuple: (r, c) for a matrix, (n,) for a vector.

>>> dy.ParameterCollection().add_parameters((2, 3)).shape()
(2, 3))";

constexpr auto as_array = R"(The values as a new NumPy array of the shape of the parameter, as the next
graph sees them, weight decay included. set_value puts values back.

>>> print(dy.ParameterCollection().add_parameters((1, 2), init=0.5).as_array())
[[0.5 0.5]])";

constexpr auto grad_as_array = R"(The gradient as a new NumPy array of the shape of the parameter: what
backward passes have added since the last update(), zero if none did.

>>> w = dy.ParameterCollection().add_parameters(2, init=[1, 2])
>>> dy.squared_norm(w).backward(); print(w.grad_as_array())
[2. 4.])";

constexpr auto grad_view = R"(The gradient as a NumPy array over its own memory, column-major as that is: what
is written there is the gradient, without copies, as for a sum over processes between backward() and
update(), which clips it. It stays the gradient after update() and reset_gradient(), which clear it; workers
of dy.mp have gradients of their own, of which they make views anew.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(2, init=0), dy.SimpleSGDTrainer(m, learning_rate=1)
>>> dy.sum_elems(w).backward(); view = w.grad_view(); view *= 3; trainer.update(); print(w.as_array())
[-3. -3.])";

constexpr auto expr = R"(Its node in the current graph. Unless update is set it gets no gradient, as in
DyNet 2; the parameter itself, used as an expression, gets one.

>>> w = dy.ParameterCollection().add_parameters(2, init=1)
>>> dy.squared_norm(w.expr()).backward(); print(w.grad_as_array())
[0. 0.])";

constexpr auto type = R"(A tensor that is learned; an expression of every graph, wherever one is needed: no
call puts it into a graph. A graph has it as it was when the graph first evaluated it: after an update() or
set_value(), begin a new one by renew_cg(). Handles of the same one are equal.
ParameterCollection.add_parameters makes one.

>>> w = dy.ParameterCollection().add_parameters((2, 2), init="identity")
>>> print((w * dy.inputVector([3, 4])).npvalue())
[3. 4.])";

}  // namespace dynet::python::docs::parameters
