// Docstrings of trainers.
#pragma once

namespace dynet::python::docs::trainer {

constexpr auto type = R"(What changes the parameters of a collection by their gradients; its classes differ
in the rule. All gradients are first scaled down together, so that their norm is at most the clip threshold,
5 unless set_clip_threshold chose another one. Weight decay belongs to the collection.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m, learning_rate=0.1)
>>> dy.square(w).backward(); trainer.update()
>>> print(w.as_array().round(4), trainer.get_clip_threshold())
[0.8] 5.0)";

constexpr auto update = R"(One step of every parameter that is not frozen and that a backward pass, or
set_gradient, gave a gradient since its last one; of tables, such rows. Their gradients are zero then. A
graph that has evaluated a parameter goes on with the values it had: begin a new one. RuntimeError, which
names the parameters, where a gradient is NaN or infinite: nothing has changed then, and reset_gradient() of
the collection drops the gradients. Without clipping nobody looks at them.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m, learning_rate=0.5)
>>> dy.square(w).backward(); trainer.update()
>>> print(w.as_array(), w.grad_as_array())
[0.] [0.])";

constexpr auto update_subset = R"(An update of some parameters and tables alone, which are given themselves
or by their position in parameters_list() and lookup_parameters_list(). The others keep value, gradient and
state, and do not count in the norm of gradients. ValueError for what is not in the trainer's collection,
IndexError for a position that is not there.

>>> m = dy.ParameterCollection()
>>> v, w, trainer = m.add_parameters(1, init=1), m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m, 0.1)
>>> (v + w).backward(); trainer.update_subset([v], [])
>>> print(v.as_array().round(4), w.as_array())
[0.9] [1.])";

constexpr auto update_epoch = R"(Has no effect but a line on stderr that says so: it made the learning rate
decay in early versions of DyNet. Set learning_rate instead, as in trainer.learning_rate *= 0.9.)";

constexpr auto restart = R"(Forgets the state of the rule, such as momentum and second moments, as in a
trainer that was just made, and sets learning_rate if one is given. The count of updates goes on. ValueError
for a rate that is not finite.

>>> m = dy.ParameterCollection()
>>> trainer = dy.AdamTrainer(m)
>>> trainer.restart(learning_rate=0.01); trainer.learning_rate
0.01)";

constexpr auto status = R"(Prints the learning rate, and how many updates there were and how many of them
clipped gradients since the last call, to stderr.)";

constexpr auto whoami = R"(The name of the class, as "AdamTrainer" for an AdamTrainer; for classes that a
program derives from one, that of ours.

>>> dy.AdamTrainer(dy.ParameterCollection()).whoami()
'AdamTrainer')";

constexpr auto set_sparse_updates = R"(Whether only those rows of lookup tables change that were used since
the last update, which is the default. With False all rows do in each update: they cost time, but momentum
and decaying averages then go on in rows without gradient too.

>>> trainer = dy.AdamTrainer(dy.ParameterCollection())
>>> trainer.set_sparse_updates(False))";

constexpr auto set_clip_threshold = R"(The largest norm that all gradients of an update may have together;
larger ones are scaled down to it, all by the same factor. 5 at first; 0 switches clipping off, and with it
the look for NaN. ValueError for NaN.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=0), dy.SimpleSGDTrainer(m, learning_rate=1)
>>> trainer.set_clip_threshold(2)
>>> (100 * w).backward(); trainer.update()
>>> print(w.as_array())
[-2.])";

constexpr auto get_clip_threshold = R"(The largest norm that all gradients of an update may have together;
5.0 unless set_clip_threshold chose another one, 0 where clipping is off.

>>> dy.AdamTrainer(dy.ParameterCollection()).get_clip_threshold()
5.0)";

constexpr auto learning_rate = R"(The learning rate of the next update, a float that may be set at any time;
a cyclical trainer sets it itself. TypeError for what is no number, ValueError for one that is not finite.

>>> trainer = dy.SimpleSGDTrainer(dy.ParameterCollection(), 0.5)
>>> trainer.learning_rate *= 0.5; trainer.learning_rate
0.25)";

constexpr auto set_learning_rate = R"(Sets the learning rate, as trainer.learning_rate = value does.
ValueError for one that is not finite.

>>> trainer = dy.SimpleSGDTrainer(dy.ParameterCollection())
>>> trainer.set_learning_rate(0.25); trainer.learning_rate
0.25)";

constexpr auto exponential_moving_average = R"(From now on keeps a moving average of every parameter, a ←
beta a + (1 - beta) w, which starts at zero and counts every freq-th update (1: all).
swap_params_to_moving_average puts it in the parameters' place. RuntimeError after the first update.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m, learning_rate=0.1)
>>> trainer.exponential_moving_average(0.5)
>>> for _ in range(2):
...     w.backward(); trainer.update()
>>> trainer.swap_params_to_moving_average()
>>> print(w.as_array().round(4))
[0.625])";

constexpr auto cumulative_moving_average = R"(From now on keeps the mean of every parameter over every
freq-th update (1: all), as averaged SGD does (Polyak and Juditsky 1992). swap_params_to_moving_average puts
it in the parameters' place. RuntimeError after the first update.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m, learning_rate=0.1)
>>> trainer.cumulative_moving_average()
>>> for _ in range(2):
...     w.backward(); trainer.update()
>>> trainer.swap_params_to_moving_average()
>>> print(w.as_array().round(4))
[0.85])";

constexpr auto moving_average = R"(Which average of the parameters the trainer keeps: "Cumulative",
"Exponential", or None.

>>> trainer = dy.SimpleSGDTrainer(dy.ParameterCollection())
>>> trainer.cumulative_moving_average(); trainer.moving_average()
'Cumulative')";

constexpr auto swap_params_to_moving_average = R"(Gives all parameters their averages, for a test or for
good; swap_params_to_weights takes that back. With bias_correction they are divided by 1 - beta^count, as
the average starts at zero (Kingma and Ba 2015). Without save_weights the weights are lost, and the next
update goes on from the averages instead of from the weights. RuntimeError if no average is kept.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m, learning_rate=0.1)
>>> trainer.exponential_moving_average(0.9)
>>> w.backward(); trainer.update(); trainer.swap_params_to_moving_average(bias_correction=True)
>>> print(w.as_array().round(4))
[0.9])";

constexpr auto swap_params_to_weights = R"(Gives all parameters their weights back after
swap_params_to_moving_average. RuntimeError if the weights were not saved.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1, init=1), dy.SimpleSGDTrainer(m, learning_rate=0.5)
>>> trainer.cumulative_moving_average()
>>> for _ in range(2):
...     w.backward(); trainer.update()
>>> trainer.swap_params_to_moving_average(); trainer.swap_params_to_weights()
>>> print(w.as_array())
[0.])";

constexpr auto save = R"(Writes the trainer's state and hyper-parameters and the state of the random numbers
to a file, but not the parameters. With both, training goes on as if it had never stopped, to the bit.
RuntimeError if the file cannot be written; one that was there is then as it was.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1), dy.AdamTrainer(m, alpha=0.02)
>>> m.save("model"); trainer.save("trainer")
>>> trainer.populate("trainer"); trainer.learning_rate
0.02)";

constexpr auto populate = R"(Reads what save wrote for a collection of the same shape; learning_rate takes
the place of the saved one. Random numbers go on from where they were, so that training with dropout does,
too. RuntimeError if it does not fit; then nothing has changed.

>>> m = dy.ParameterCollection()
>>> w, trainer = m.add_parameters(1), dy.AdamTrainer(m, alpha=0.02)
>>> trainer.save("trainer")
>>> resumed = dy.AdamTrainer(m); resumed.populate("trainer"); resumed.learning_rate
0.02)";

constexpr auto enable_cycle = R"(Lets the learning rate swing between learning_rate_min (0.01) and
learning_rate_max (0.1), up and down in step_size (2000) updates each; the swing is multiplied by gamma (1)
with each update, as in CyclicalSGDTrainer. ValueError for numbers that make no cycle. (Smith 2017)

>>> trainer = dy.EGTrainer(dy.ParameterCollection())
>>> trainer.enableCyclicalLR(learning_rate_min=0.1, learning_rate_max=0.3, step_size=100))";

constexpr auto disable_cycle = R"(Stops the swing of the learning rate that enableCyclicalLR began: the rate
stays what it is now.)";

}  // namespace dynet::python::docs::trainer
