// Expressions side by side along a new axis, and with constant numbers around them.
#pragma once

#include "dynet/ops/input.h"
#include "dynet/ops/shape.h"

namespace dynet::engine {

struct Stack {
  static constexpr auto name = "stack";
  static constexpr auto doc = R"(
      The expressions of a list, all of one shape, along a new axis d: n vectors (r,) become (n, r) for d =
      0, the default, and (r, n) for d = 1. A batch size of 1 stretches. ValueError for different shapes, an
      empty list, or an axis further than the next new one. concatenate joins along an axis that there is.

      >>> x, y = dy.inputVector([1, 2]), dy.inputVector([3, 4])
      >>> print(dy.stack([x, y]).npvalue())
      [[1. 2.]
       [3. 4.]])";
  static constexpr Arg args[] = {"xs", {"d", 0.0}};
  static Expression call(Expressions xs, unsigned d) {
    if (xs.empty()) invalid(name, ": an empty list; at least one expression is needed");
    const Dim first = sizes_of(name, xs[0]);
    if (d > first.nd)
      invalid(name, ": a new axis ", d, " for shape ", first, "; 0 to ", first.nd, " are possible");
    if (first.nd == Dim::max_dims)
      invalid(name, ": ", first, " has ", first.nd, " axes; there is no room for another");
    Dim with;
    for (unsigned i = 0; i <= first.nd; ++i) with.d[with.nd++] = i == d ? 1 : first.d[i < d ? i : i - 1];
    std::vector<Expression> rows;
    for (const Expression& x : xs) {
      if (const Dim other = sizes_of(name, x); !(other == first))
        invalid(name, ": shapes ", first, " and ", other, "; all must be equal");
      rows.push_back(Reshape::call(x, with, dim_of(x).bd));
    }
    return concatenate(rows, d);
  }
};

struct Pad {
  static constexpr auto name = "pad";
  static constexpr auto doc = R"(
      x with so many constant numbers before and after it along axis d: with d = 1, the default, (r, c)
      becomes (r, before + c + after), with columns of value (0). The batch size stays. What is added has no
      gradient. ValueError for an axis that x does not have.

      >>> x = dy.inputTensor([[1, 2], [3, 4]])
      >>> print(dy.pad(x, 1, 0).npvalue())
      [[0. 1. 2.]
       [0. 3. 4.]])";
  static constexpr Arg args[] = {"x", "before", "after", {"d", 1.0}, {"value", 0.0}};
  static Expression call(const Expression& x, unsigned before, unsigned after, unsigned d, real value) {
    const Dim from = sizes_of(name, x);
    if (d >= axis_count(from))
      invalid(name, ": axis ", d, " of ", from, "; the axes are 0 to ", axis_count(from) - 1);
    std::vector<Expression> parts;
    const auto add_constants = [&](unsigned size) {
      if (size > 0) parts.push_back(Constant::call(from.with(d, size), value, 1));
    };
    add_constants(before);
    parts.push_back(x);
    add_constants(after);
    return parts.size() == 1 ? x : concatenate(parts, d);
  }
};

using JoinForms = Ops<Stack, Pad>;

}  // namespace dynet::engine

namespace dynet::functional {

inline Expression stack(engine::Expressions xs, unsigned d = 0) { return engine::Stack::call(xs, d); }
inline Expression pad(const Expression& x, unsigned before, unsigned after, unsigned d = 1, real value = 0) {
  return engine::Pad::call(x, before, after, d, value);
}

}  // namespace dynet::functional
