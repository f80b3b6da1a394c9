// Docstrings of what a process chooses.
#pragma once

namespace dynet::python::docs::process {

constexpr auto instruction_sets = R"(The instruction sets there are kernels for on this machine, plainest
first; the last one is used unless set_instruction_set chose another. They round in orders of their own:
last digits may differ.

>>> len(dy.instruction_sets()) > 0
True)";

constexpr auto set_instruction_set = R"(Chooses the instruction set of graphs that start from now on, by one
of the names that instruction_sets() gives. ValueError for another one. They round in orders of their own:
last digits may differ.

>>> dy.set_instruction_set(dy.instruction_sets()[-1]))";

constexpr auto set_batching_policy = R"(How nodes are grouped into batches: "agenda", the default, which
chooses at each step among all that is ready; "depth", by the distance from the inputs; or "single", for no
batching. ValueError for another name. The values are the same bits. (Neubig, Goldberg and Dyer 2017)

>>> dy.set_batching_policy("depth")
>>> dy.set_batching_policy("agenda"))";

constexpr auto set_num_threads = R"(Chooses how many threads may compute; at first as many as there are
physical cores, and 0 counts as 1. How many of them are used is found out while the program runs: as many as
pay. The values are the same bits.

>>> before = dy.get_num_threads()
>>> dy.set_num_threads(1); dy.get_num_threads()
1
>>> dy.set_num_threads(before))";

constexpr auto get_num_threads = R"(How many threads may compute: the number of physical cores, or what
set_num_threads() chose.

>>> dy.get_num_threads() >= 1
True)";

constexpr auto reset_random_seed = R"(Starts all random numbers anew: what is drawn from now on, for
parameters, dropout and samples, follows from the seed, 0 as any other. The same seed gives the same numbers
with any number of threads and any instruction set.

>>> dy.reset_random_seed(7); first = dy.random_normal(2).value()
>>> _ = dy.renew_cg(); dy.reset_random_seed(7); dy.random_normal(2).value() == first
True)";

constexpr auto ops = R"(The names of all operations and of the functions made of them, as a list; those that
have no function of their own, such as "add" of +, too.

>>> "tanh" in dy.ops(), "add" in dy.ops()
(True, True))";

}  // namespace dynet::python::docs::process
