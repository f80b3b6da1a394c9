// Sorting along an axis, and the largest numbers of it.
#pragma once

#include <numeric>

#include "dynet/ops/check.h"
#include "dynet/ops/parts.h"

namespace dynet::engine {

/// The first numbers of each line in order, or, where Self::keeps_order, in the order of x. Kept: the
/// places that they come from.
template <class Self>
struct Ordered : OpDefaults {
  static constexpr bool on_host = true, keeps_order = false;

  static Dim shape(const auto& a, Dims x) {
    check_axis(a.axis, x[0]);
    const unsigned size = x[0][a.axis], count = Self::taken(a, x[0]);
    if (count == 0 || count > size)
      invalid(count, " numbers along axis ", a.axis, " of ", x[0], "; 1 to ", size, " are possible");
    return x[0].with(a.axis, count);
  }
  static size_t saved_size(const auto& a, Dims x) {
    return x[0].with(a.axis, Self::taken(a, x[0])).batch_size();
  }
  static void forward(const auto& a, Engine&, const Call& c) {
    const Axis from = Axis::of(c.x_dims[0], a.axis);
    thread_local std::vector<unsigned> places;
    each_line(a, c, [&](size_t item, size_t start, size_t to) {
      const real* x = c.x[0][item] + start;
      places.resize(from.n);
      std::iota(places.begin(), places.end(), 0u);
      const auto before = [&](unsigned i, unsigned k) {
        const real p = x[i * from.inner], q = x[k * from.inner];
        const bool above = ranks_above(p, q), below = ranks_above(q, p);
        return above == below ? i < k : above == descends(a);
      };
      const auto end = places.begin() + c.dim[a.axis];
      if constexpr (Self::keeps_order) {
        std::nth_element(places.begin(), end, places.end(), before);
        std::sort(places.begin(), end);
      } else {
        std::partial_sort(places.begin(), end, places.end(), before);
      }
      for (unsigned i = 0; i < c.dim[a.axis]; ++i) {
        const auto place = static_cast<real>(places[i]);
        c.saved[item][to + i * from.inner] = place;
        c.y[item][to + i * from.inner] = Self::tells_places ? place : x[places[i] * from.inner];
      }
    });
  }
  static void backward(const auto& a, Engine&, const Call& c, unsigned) {
    const size_t step = Axis::of(c.x_dims[0], a.axis).inner;
    each_line(a, c, [&](size_t item, size_t start, size_t to) {
      for (unsigned i = 0; i < c.dim[a.axis]; ++i) {
        const size_t at = to + i * step;
        c.dx[item][start + static_cast<size_t>(c.saved[item][at]) * step] += c.dy[item][at];
      }
    });
  }

 private:
  static bool descends(const auto& a) {
    if constexpr (requires { a.descending; })
      return a.descending;
    else
      return true;
  }
  /// The first place of each line in x and in y.
  static void each_line(const auto& a, const Call& c, auto act) {
    const Axis x = Axis::of(c.x_dims[0], a.axis), y = Axis::of(c.dim, a.axis);
    for (size_t item = 0; item < c.count; ++item)
      for (size_t line = 0; line < x.lines(); ++line) act(item, x.start(line), y.start(line));
  }
};

struct Sort : Ordered<Sort> {
  struct Attrs {
    unsigned axis, descending;
  };
  static constexpr bool tells_places = false;
  static constexpr auto name = "sort";
  static constexpr auto doc = R"(
      The numbers along axis d in ascending order, or with reverse=True in descending order; equal numbers
      keep theirs, and NaN counts as largest. The shape and the batch size stay. The gradient of a number
      goes to where it came from. ValueError for an axis that x does not have. argsort tells the places.

      >>> x = dy.inputVector([3, 1, 2])
      >>> print(dy.sort(x).npvalue(), dy.sort(x, reverse=True).npvalue())
      [1. 2. 3.] [3. 2. 1.])";
  static constexpr Arg args[] = {"x", {"d", 0.0}, {"reverse", 0.0}};
  static unsigned taken(const Attrs& a, const Dim& x) { return x[a.axis]; }
  static Expression call(const Expression& x, unsigned d, bool reverse) {
    return apply<Sort>(x, {d, reverse});
  }
};

struct SortedPlaces : Ordered<SortedPlaces> {
  using Attrs = Sort::Attrs;
  static constexpr bool tells_places = true, differentiable = false;
  static constexpr auto name = "argsort";
  static constexpr auto doc = R"(
      The places along axis d, from 0, of the numbers in ascending order, or with reverse=True in descending
      order: sort takes its numbers from there. Equal numbers keep their order, and NaN counts as largest.
      The shape and the batch size stay, and there is no gradient. ValueError for an axis that x does not
      have. argmax tells where the largest number is alone.

      >>> x = dy.inputVector([3, 1, 2])
      >>> print(dy.argsort(x).npvalue())
      [1. 2. 0.])";
  static constexpr Arg args[] = {"x", {"d", 0.0}, {"reverse", 0.0}};
  static unsigned taken(const Attrs& a, const Dim& x) { return x[a.axis]; }
  static Expression call(const Expression& x, unsigned d, bool reverse) {
    return apply<SortedPlaces>(x, {d, reverse});
  }
};

struct TopK : Ordered<TopK> {
  struct Attrs {
    unsigned count, axis;
  };
  static constexpr bool tells_places = false;
  static constexpr auto name = "top_k";
  static constexpr auto doc = R"(
      The k largest numbers along axis d, the largest first: (r, c) becomes (k, c) for d = 0, the default.
      Of equal numbers the first ones are taken; NaN counts as largest. The gradient of a number goes to
      where it came from. ValueError unless 1 ≤ k ≤ the size of the axis, or for an axis that x does not
      have. kmax_pooling gives them in the order they have in x, argsort(x, reverse=True) the places.

      >>> x = dy.inputVector([3, 1, 4, 1, 5])
      >>> print(dy.top_k(x, 3).npvalue())
      [5. 4. 3.])";
  static constexpr Arg args[] = {"x", "k", {"d", 0.0}};
  static unsigned taken(const Attrs& a, const Dim&) { return a.count; }
  static Expression call(const Expression& x, unsigned k, unsigned d) { return apply<TopK>(x, {k, d}); }
};

using Orders = Ops<Sort, SortedPlaces, TopK>;

}  // namespace dynet::engine

namespace dynet::functional {

inline Expression sort(const Expression& x, unsigned d = 0, bool reverse = false) {
  return engine::Sort::call(x, d, reverse);
}
inline Expression argsort(const Expression& x, unsigned d = 0, bool reverse = false) {
  return engine::SortedPlaces::call(x, d, reverse);
}
inline Expression top_k(const Expression& x, unsigned k, unsigned d = 0) {
  return engine::TopK::call(x, k, d);
}

}  // namespace dynet::functional
