// The same numbers in another shape: views where nothing has to move, copies elsewhere.
#pragma once

#include "dynet/ops/check.h"
#include "dynet/ops/loops.h"
#include "dynet/ops/parts.h"

namespace dynet::engine {

/// An op without a kernel: its value is its argument's memory.
struct View : OpDefaults {
  static constexpr bool view = true;
  static void forward(const auto&, Engine&, const Call&) {}
};

struct Reshape : View {
  struct Attrs {
    Dim to;  // the batch is the argument's
  };
  static constexpr auto name = "reshape";
  static constexpr auto doc = R"(
      The same numbers as a tensor of shape d, taken column by column (column-major, as Fortran and MATLAB;
      for NumPy's order transpose first). The batch size stays when d has as many numbers as one batch
      element; otherwise give batch_size, and batch elements become numbers or the other way round.
      ValueError unless the number of elements stays. Nothing is copied unless the batch size changes.

      >>> x = dy.inputTensor([[1, 2, 3], [4, 5, 6]])
      >>> print(dy.reshape(x, (3, 2)).npvalue())
      [[1. 5.]
       [4. 3.]
       [2. 6.]])";
  static constexpr Arg args[] = {"x", "d", {"batch_size", 1.0}};
  static Dim shape(const Attrs& a, Dims x) { return a.to.with_batch(x[0].bd); }
  static Expression call(const Expression& x, const Dim& d, unsigned batch_size);
};

/// Reshape with another batch size.
struct ReshapeBatch : OpDefaults {
  struct Attrs {
    Dim to;
  };
  static constexpr Batching batching = Batching::nodes;
  static constexpr auto name = "reshape_batch", doc = "The same numbers with another batch size.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "d"};
  static Dim shape(const Attrs& a, Dims) { return a.to; }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.move(c.count, run_of(a.to.size()), {}, false, c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.move(c.count, run_of(a.to.size()), {}, true, c.dy, c.dx);
  }
  static Expression call(const Expression& x, const Dim& d) { return apply<ReshapeBatch>(x, {d}); }
};

inline Expression Reshape::call(const Expression& x, const Dim& d, unsigned batch_size) {
  const Dim to = d.with_batch(batch_size), sizes = sizes_of(name, x);
  if (to.bd == 1 && to.size() == sizes.size() && to.size() > 0)
    return to == dim_of(x) ? x : apply<Reshape>(x, {to});
  const Dim from = shape_of(name, x);
  if (to == from) return x;
  if (to.size() == from.size() && to.size() > 0)
    return to.bd == from.bd ? apply<Reshape>(x, {to.single_batch()}) : ReshapeBatch::call(x, to);
  invalid(name, ": ", from, " to ", to, "; the number of elements must stay ", from.size());
}

struct Transpose : OpDefaults {
  struct Attrs {
    unsigned nd, order[Dim::max_dims];
  };
  static constexpr auto name = "transpose";
  static constexpr auto doc = R"(
      The axes in another order: axis i of the result is axis dims[i] of x. The default (1, 0) transposes a
      matrix; a vector (n,) becomes (1, n). ValueError unless dims is a permutation of all axes; axes of
      size 1 may be left out.

      >>> x = dy.inputTensor([[1, 2, 3], [4, 5, 6]])
      >>> print(dy.transpose(x).npvalue())
      [[1. 4.]
       [2. 5.]
       [3. 6.]])";
  static constexpr Arg args[] = {"x", {"dims", {1, 0}}};
  static Dim shape(const Attrs& a, Dims x) {
    Dim y;
    y.bd = x[0].bd;
    for (unsigned i = 0; i < a.nd; ++i) y.d[y.nd++] = x[0][a.order[i]];
    return y;
  }
  static void tell(const Attrs& a, Dims, AttributeList& list) { list.add_list("dims", a.order, a.nd); }
  static Strides loops(const Attrs& a, const Dim& x) {
    size_t distance[Dim::max_dims + 1] = {1};
    for (unsigned i = 0; i < Dim::max_dims; ++i) distance[i + 1] = distance[i] * x[i];
    Strides s;
    size_t to = 1;
    for (unsigned i = 0; i < a.nd; ++i) {
      const unsigned n = x[a.order[i]];
      if (n > 1) s.axis(n, static_cast<ptrdiff_t>(distance[a.order[i]]), static_cast<ptrdiff_t>(to));
      to *= n;
    }
    if (s.nd == 0) s.axis(1, 1, 1);
    return s;
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.move(c.count, loops(a, c.x_dims[0]), {}, false, c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.move(c.count, loops(a, c.x_dims[0]).swapped(), {}, true, c.dy, c.dx);
  }
  static Expression call(const Expression& x, Indices dims) {
    const Dim from = sizes_of(name, x);
    const Attrs a = permutation(from, dims);
    const Dim to = shape(a, Dims(&from, 1));
    return to.size() == from.size() && moves_nothing(loops(a, from)) ? apply<Reshape>(x, {to.single_batch()})
                                                                     : apply<Transpose>(x, a);
  }

 private:
  static Attrs permutation(const Dim& x, Indices dims) {
    Attrs a{};
    unsigned seen = 0;
    for (unsigned i : dims) {
      if (i >= dims.size() || a.nd == Dim::max_dims || seen >> i & 1)
        invalid(name, ": the axes are not a permutation of 0 to ", dims.size() - 1);
      seen |= 1u << i;
      a.order[a.nd++] = i;
    }
    for (unsigned i = a.nd; i < x.nd; ++i)
      if (x[i] != 1 && x.num_nonone_dims() > 1)
        invalid(name, ": ", a.nd, " axes for a tensor of shape ", x, "; ", x.nd, " are needed");
    return a;
  }
  /// True if the loops step through both sides in the same order without a gap.
  static bool moves_nothing(const Strides& s) {
    for (unsigned i = 0; i < s.nd; ++i)
      if (s.from[i] != s.to[i]) return false;
    return true;
  }
};

struct Concatenate : OpDefaults {
  struct Attrs {
    unsigned axis;
  };
  static constexpr auto name = "concatenate";
  static constexpr auto doc = R"(
      The expressions one after another along axis d: (2,) and (3,) become (5,). All other sizes must be
      equal, else ValueError, as for an empty list; d is 0 by default. A batch size of 1 stretches. Each
      argument gets its part of the gradient.

      >>> x, y = dy.inputVector([1, 2]), dy.inputVector([3, 4])
      >>> print(dy.concatenate([x, y]).npvalue())
      [1. 2. 3. 4.])";
  static constexpr Arg args[] = {"xs", {"d", 0.0}};
  static Dim shape(const Attrs& a, Dims x) {
    if (a.axis >= Dim::max_dims) invalid("axis ", a.axis, "; the axes are 0 to ", Dim::max_dims - 1);
    Dim y = x[0].with(a.axis, 0);
    size_t size = 0;
    for (const Dim& d : x) {
      if (!d.with(a.axis, 0).same_sizes(y.with(a.axis, 0)))
        invalid("shapes ", x[0], " and ", d, " along axis ", a.axis, "; the other sizes must be equal");
      size += d[a.axis];
    }
    y.d[a.axis] = size_of_axis(size);
    return y.with_batch(common_batch(x));
  }
  /// One call moves many equally sized arguments of a single node.
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Axis all = Axis::of(c.dim, a.axis);
    size_t offset = 0;
    for (size_t i = 0; i < c.x.size();) {
      const size_t n = all.inner * c.x_dims[i][a.axis];
      const Strides s = blocks_of(n, all.outer, n, all.inner * all.n);
      if (c.count > 1) {
        e.move(c.count, s, {.to_offset = offset}, false, c.x[i++], c.y);
        offset += n;
      } else {
        ItemList list;
        while (i < c.x.size() && !list.full() && all.inner * c.x_dims[i][a.axis] == n) list.add(c.x[i++][0]);
        e.move(list.count, s, {.to_offset = offset}, false, list.items(), {c.y[0], nullptr, n});
        offset += n * list.count;
      }
    }
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i) {
    const Axis all = Axis::of(c.dim, a.axis);
    size_t before = 0;
    for (unsigned k = 0; k < i; ++k) before += c.x_dims[k][a.axis];
    const size_t n = all.inner * c.x_dims[i][a.axis];
    e.move(c.count, blocks_of(n, all.outer, all.inner * all.n, n), {.from_offset = all.inner * before}, true,
           c.dy, c.dx);
  }
  static Expression call(Expressions xs, unsigned d) {
    if (xs.empty()) invalid(name, ": an empty list; at least one expression is needed");
    return in_parts(xs, [d](const Expressions& part) { return apply<Concatenate>(part, {d}); });
  }
};

struct ConcatenateToBatch : OpDefaults {
  static constexpr Batching batching = Batching::nodes;
  static constexpr auto name = "concatenate_to_batch";
  static constexpr auto doc = R"(
      The batch elements of all expressions as one mini-batch, in the order of the list: batch sizes 2 and 3
      become 5. All have one shape, else ValueError, as for an empty list. What follows is then computed for
      all at once.

      >>> x, y = dy.inputVector([1, 2]), dy.inputVector([3, 4])
      >>> dy.concatenate_to_batch([x, y]).dim()
      ((2,), 2))";
  static constexpr Arg args[] = {"xs"};
  static Dim shape(const auto&, Dims x) {
    if (x.empty()) invalid("an empty list; at least one expression is needed");
    size_t batch = 0;
    for (const Dim& d : x) {
      if (!d.same_sizes(x[0])) invalid("shapes differ: ", x[0], " and ", d, "; they must be equal");
      batch += d.bd;
    }
    return x[0].with_batch(size_of_axis(batch));
  }
  static void forward(const auto&, Engine& e, const Call& c) {
    size_t offset = 0;
    for (size_t i = 0; i < c.x.size(); offset += c.x_dims[i++].size())
      e.move(c.count, run_of(c.x_dims[i].size()), {.to_offset = offset}, false, c.x[i], c.y);
  }
  static void backward(const auto&, Engine& e, const Call& c, unsigned i) {
    size_t offset = 0;
    for (unsigned k = 0; k < i; ++k) offset += c.x_dims[k].size();
    e.move(c.count, run_of(c.x_dims[i].size()), {.from_offset = offset}, true, c.dy, c.dx);
  }
  static Expression call(Expressions xs) {
    return in_parts(xs, [](const Expressions& part) { return apply<ConcatenateToBatch>(part); });
  }
};

struct NoBackprop : View {
  static constexpr bool differentiable = false;
  static constexpr auto name = "nobackprop";
  static constexpr auto doc = R"(
      x itself, without a gradient: what x depends on learns nothing through it. For targets that are
      computed, as in reinforcement learning, and for parts that are to stay as they are. scale_gradient
      with 0 does the same, at more cost.

      >>> x = dy.ParameterCollection().add_parameters(1, init=3)
      >>> (dy.nobackprop(x) * x).backward()
      >>> print(x.grad_as_array())
      [3.])";
  static constexpr Arg args[] = {"x"};
  static Dim shape(const auto&, Dims x) { return x[0]; }
  static Expression call(const Expression& x) { return apply<NoBackprop>(x); }
};

using Shaping = Ops<Reshape, ReshapeBatch, Transpose, Concatenate, ConcatenateToBatch, NoBackprop>;

}  // namespace dynet::engine

namespace dynet {

inline Expression reshape(const Expression& x, const Dim& d) {
  return engine::Reshape::call(x, d.single_batch(), d.bd);
}
inline Expression transpose(const Expression& x, engine::Indices dims = {1, 0}) {
  return engine::Transpose::call(x, dims);
}
inline Expression concatenate(engine::Expressions xs, unsigned d = 0) {
  return engine::Concatenate::call(xs, d);
}
inline Expression concatenate_to_batch(engine::Expressions xs) {
  return engine::ConcatenateToBatch::call(xs);
}
inline Expression nobackprop(const Expression& x) { return engine::NoBackprop::call(x); }

}  // namespace dynet
