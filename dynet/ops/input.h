// Nodes without arguments: numbers of the caller, constants, and rows of lookup tables.
#pragma once

#include "dynet/device/device.h"
#include "dynet/graph/graph.h"
#include "dynet/ops/check.h"
#include "dynet/ops/loops.h"
#include "dynet/params/lookup.h"

namespace dynet::engine {

/// Adds a node without arguments to a graph that the caller names.
template <class T>
Expression leaf_of(Graph& g, const typename T::Attrs& a, std::span<const unsigned> words = {}) {
  return g.add(op<T>, {}, &a, words);
}

/// A leaf: the executor knows where its numbers are.
struct Leaf : OpDefaults {
  static constexpr bool leaf = true, hidden = true;
  static constexpr Arg args[] = {"dim"};
  static void forward(const auto&, Engine&, const Call&) {}
};

/// Numbers copied from the caller into the graph's memory.
struct Input : Leaf {
  struct Attrs {
    Dim dim;
    unsigned unused;
    real* values;
  };
  static constexpr uint32_t own_size = sizeof(real*);
  static constexpr auto name = "input", doc = "Numbers given by the caller.";
  static Dim shape(const Attrs& a, Dims) { return check_sizes(a.dim); }
  static Expression make(Graph& g, const Dim& dim, std::span<const real> numbers) {
    check_shape(dim);
    if (numbers.size() != dim.size())
      invalid(name, ": ", numbers.size(), " numbers for shape ", dim, "; ", dim.size(), " are needed");
    real* values = g.take_payload<real>(std::max<size_t>(numbers.size(), 1));
    std::copy(numbers.begin(), numbers.end(), values);
    return leaf_of<Input>(g, {dim, 0, values});
  }
  /// A tensor of one value everywhere but at the places given (column by column, batch elements last).
  static Expression sparse(Graph& g, const Dim& dim, Indices places, std::span<const real> numbers,
                           real elsewhere) {
    if (places.size() != numbers.size())
      invalid(name, ": ", numbers.size(), " numbers for ", places.size(), " places; as many are needed");
    check_shape(dim);
    if (dim.size() > std::numeric_limits<unsigned>::max())
      invalid(name, ": a tensor of shape ", dim, " has more elements than places have numbers; at most ",
              std::numeric_limits<unsigned>::max(), " are possible");
    check_indices(name, places, static_cast<unsigned>(dim.size()), "a tensor");
    std::vector<real>& room = filled(dim, elsewhere);
    for (size_t i = 0; i < places.size(); ++i) room[places[i]] = numbers[i];
    return make(g, dim, room);
  }
  static Expression one_hot(Graph& g, unsigned size, Indices places) {
    check_indices("one_hot", places, size, "a vector");
    const auto batch = static_cast<unsigned>(places.size());
    const Dim dim({size}, batch);
    check_shape(dim);
    std::vector<real>& room = filled(dim, 0);
    for (unsigned i = 0; i < batch; ++i) room[size_t{i} * size + places[i]] = 1;
    return make(g, dim, room);
  }

 private:
  static void check_shape(const Dim& dim) {
    try {
      check_sizes(dim);
    } catch (const std::invalid_argument& error) {
      invalid(name, ": ", error.what());
    }
    check_memory(name, dim);
  }
  /// Memory that lasts until the next use on this thread.
  static std::vector<real>& filled(const Dim& dim, real number) {
    thread_local std::vector<real> room;
    try {
      room.assign(dim.size(), number);
    } catch (const std::bad_alloc&) {
      throw out_of_memory(text(name, ": out of memory: a tensor of shape ", dim, " was asked for"));
    }
    return room;
  }
};

/// Numbers read from the caller's memory each time they are computed.
struct InputFromMemory : OpDefaults {
  struct Attrs {
    const std::vector<real>* numbers;  // or, if null, one number
    const real* number;
    Dim dim;
    unsigned unused = 0;
  };
  static constexpr Batching batching = Batching::nodes;
  static constexpr bool hidden = true;
  static constexpr auto name = "input_from_memory",
                        doc = "Numbers read from the caller's memory at each evaluation.";
  static constexpr Arg args[] = {"dim"};
  static Dim shape(const Attrs& a, Dims) { return check_sizes(a.dim); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    if (a.numbers && a.numbers->size() != a.dim.size())
      invalid(name, ": ", a.numbers->size(), " numbers for shape ", a.dim, "; ", a.dim.size(), " are needed");
    const real* from = a.numbers ? a.numbers->data() : a.number;
    for (size_t i = 0; i < c.count; ++i) e.copy(a.dim.size(), from, c.y[i]);
  }
};

struct Constant : OpDefaults {
  struct Attrs {
    Dim dim;
    unsigned unused;
    real value;
  };
  static constexpr auto name = "constant";
  static constexpr auto doc = R"(
      A tensor of shape dim, times batch_size (1), with the number val everywhere. dim is a number for a
      vector, or a tuple. It has no gradient. A batch size of 1 stretches wherever it is used. ValueError
      for a size of 0.

      >>> print(dy.constant((2, 3), 0.5).npvalue())
      [[0.5 0.5 0.5]
       [0.5 0.5 0.5]])";
  static constexpr Arg args[] = {"dim", "val", {"batch_size", 1.0}};
  static Dim shape(const Attrs& a, Dims) { return check_sizes(a.dim); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    fill_items(e, c.count, c.dim.batch_size(), a.value, c.y);
  }
  static Attrs attrs(const Dim& dim, real value) { return {dim, 0, value}; }
  static Expression call(const Dim& dim, real val, unsigned batch_size) {
    return apply<Constant>({}, attrs(dim.with_batch(batch_size), val));
  }
};

struct Zeros {
  static constexpr auto name = "zeros";
  static constexpr auto doc = R"(
      A tensor of shape dim, times batch_size (1), of zeros, such as the first state of a network of one's
      own. dim is a number for a vector, or a tuple. It has no gradient. ValueError for a size of 0.

      >>> print(dy.zeros((2, 3)).npvalue())
      [[0. 0. 0.]
       [0. 0. 0.]])";
  static constexpr Arg args[] = {"dim", {"batch_size", 1.0}};
  static Expression call(const Dim& dim, unsigned batch_size) { return Constant::call(dim, 0, batch_size); }
};

struct Ones {
  static constexpr auto name = "ones";
  static constexpr auto doc = R"(
      A tensor of shape dim, times batch_size (1), of ones. dim is a number for a vector, or a tuple. It has
      no gradient. ValueError for a size of 0. 1 - x needs none: numbers mix with expressions.

      >>> print(dy.ones((2, 3)).npvalue())
      [[1. 1. 1.]
       [1. 1. 1.]])";
  static constexpr Arg args[] = {"dim", {"batch_size", 1.0}};
  static Expression call(const Dim& dim, unsigned batch_size) { return Constant::call(dim, 1, batch_size); }
};

/// Rows of a lookup table; the word of each batch element is its row.
struct Lookup : Leaf {
  struct Attrs {
    uint64_t uid;  // another table may come to lie at the same address
    unsigned trained, batch;
    LookupParameterStorage* table;
  };
  static constexpr uint32_t own_size = sizeof(LookupParameterStorage*);
  static constexpr auto name = "lookup", doc = "Rows of a lookup table, one for each batch element.";
  static Dim shape(const Attrs& a, Dims) { return a.table->row_dim().with_batch(a.batch); }
  static bool trained(const Attrs& a) { return a.trained; }
  static Expression make(Graph& g, LookupParameterStorage& storage, Indices rows, bool trained) {
    if (rows.empty()) invalid(name, ": an empty list of rows; at least one is needed");
    check_indices(name, rows, storage.rows(), "the table ", storage.name);
    g.hold(storage);
    return leaf_of<Lookup>(g, {storage.uid, trained, static_cast<unsigned>(rows.size()), &storage}, rows);
  }
};

using Inputs = Ops<Input, InputFromMemory, Constant, Lookup>;
using InputForms = Ops<Zeros, Ones>;

}  // namespace dynet::engine

namespace dynet {

// Who names a device may name the CPU, which is the only one.
inline Expression input(engine::Graph& g, real number, const Device* device = nullptr) {
  if (device) engine::check_device("input", device);
  return engine::Input::make(g, {1}, {&number, 1});
}
inline Expression input(engine::Graph& g, const real* number, const Device* device = nullptr) {
  if (device) engine::check_device("input", device);
  return engine::leaf_of<engine::InputFromMemory>(g, {nullptr, number, {1}});
}
inline Expression input(engine::Graph& g, const Dim& d, const std::vector<real>& numbers,
                        const Device* device = nullptr) {
  if (device) engine::check_device("input", device);
  return engine::Input::make(g, d, numbers);
}
inline Expression input(engine::Graph& g, const Dim& d, const std::vector<real>* numbers,
                        const Device* device = nullptr) {
  if (device) engine::check_device("input", device);
  return engine::leaf_of<engine::InputFromMemory>(g, {numbers, nullptr, d});
}
inline Expression input(engine::Graph& g, const Dim& d, const std::vector<unsigned>& ids,
                        const std::vector<real>& data, real defdata = 0, const Device* device = nullptr) {
  if (device) engine::check_device("input", device);
  return engine::Input::sparse(g, d, ids, data, defdata);
}
inline Expression one_hot(engine::Graph& g, unsigned d, unsigned idx, const Device* device = nullptr) {
  if (device) engine::check_device("one_hot", device);
  return engine::Input::one_hot(g, d, engine::only(idx));
}
inline Expression one_hot(engine::Graph& g, unsigned d, const std::vector<unsigned>& ids,
                          const Device* device = nullptr) {
  if (device) engine::check_device("one_hot", device);
  return engine::Input::one_hot(g, d, ids);
}
inline Expression constant(engine::Graph& g, const Dim& d, real value, const Device* device = nullptr) {
  if (device) engine::check_device("constant", device);
  return engine::leaf_of<engine::Constant>(g, engine::Constant::attrs(d, value));
}
inline Expression zeros(engine::Graph& g, const Dim& d, const Device* device = nullptr) {
  return constant(g, d, 0, device);
}
inline Expression zeroes(engine::Graph& g, const Dim& d, const Device* device = nullptr) {
  return constant(g, d, 0, device);
}
inline Expression ones(engine::Graph& g, const Dim& d, const Device* device = nullptr) {
  return constant(g, d, 1, device);
}

/// A parameter, or a whole lookup table with its rows along the last axis, as a node of a graph.
template <class S>
Expression parameter(engine::Graph& g, const engine::Handle<S>& p) {
  return g.expression(g.add_parameter(p.get_storage(), true));
}
/// The same without a gradient.
template <class S>
Expression const_parameter(engine::Graph& g, const engine::Handle<S>& p) {
  return g.expression(g.add_parameter(p.get_storage(), false));
}
inline Expression lookup(engine::Graph& g, const LookupParameter& p, engine::Indices rows) {
  return engine::Lookup::make(g, p.get_storage(), rows, true);
}
inline Expression lookup(engine::Graph& g, const LookupParameter& p, unsigned row) {
  return engine::Lookup::make(g, p.get_storage(), engine::only(row), true);
}
inline Expression const_lookup(engine::Graph& g, const LookupParameter& p, engine::Indices rows) {
  return engine::Lookup::make(g, p.get_storage(), rows, false);
}
inline Expression const_lookup(engine::Graph& g, const LookupParameter& p, unsigned row) {
  return engine::Lookup::make(g, p.get_storage(), engine::only(row), false);
}

}  // namespace dynet
