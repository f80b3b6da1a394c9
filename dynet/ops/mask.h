// Choosing between numbers by a mask: where it is not 0 one thing holds, elsewhere another.
#pragma once

#include "dynet/ops/zip.h"

namespace dynet::engine {

/// Neither the value nor the gradient sees what the mask covers, be it infinite or not a number.
struct MaskedFill : Zip<MaskedFill> {
  struct Attrs {
    real value;
  };
  static constexpr auto name = "masked_fill";
  static constexpr auto doc = R"(
      x with the number value in the places where mask is not 0. mask has the shape of x, and a size or a
      batch size of 1 stretches on either side; ValueError where sizes differ otherwise. The gradient of x
      is 0 where mask covers it, and mask has none. value may be infinite: -inf before a softmax takes
      places out.

      >>> x, mask = dy.inputVector([1, 2, 3]), dy.inputVector([0, 1, 0])
      >>> print(dy.masked_fill(x, mask, -1).npvalue())
      [ 1. -1.  3.])";
  static constexpr Arg args[] = {"x", "mask", "value"};
  static auto value(auto x, auto mask, const Attrs& a) { return select(mask == 0, x, decltype(x)(a.value)); }
  static auto slope0(auto x, auto mask, auto, const Attrs&) {
    using V = decltype(x);
    return select(mask == 0, V(1), V(0));
  }
  static auto slope1(auto x, auto, auto, const Attrs&) { return decltype(x)(0); }
  static Expression call(const Expression& x, const Expression& mask, real value) {
    return apply<MaskedFill>({x, mask}, {value});
  }
};

/// The other side of a mask: x where it is not 0, 0 elsewhere.
struct Kept : Zip<Kept> {
  static constexpr auto name = "kept_by_mask", doc = "x where the mask is not 0, and 0 elsewhere.";
  static constexpr bool hidden = true;
  static auto value(auto x, auto mask) { return select(mask == 0, decltype(x)(0), x); }
  static auto slope0(auto x, auto mask, auto) {
    using V = decltype(x);
    return select(mask == 0, V(0), V(1));
  }
  static auto slope1(auto x, auto, auto) { return decltype(x)(0); }
  static Expression call(const Expression& x, const Expression& mask) { return apply<Kept>({x, mask}); }
};

struct Where {
  static constexpr auto name = "where";
  static constexpr auto doc = R"(
      x where condition is not 0, and y elsewhere, number by number. A size or a batch size of 1 stretches;
      ValueError where sizes differ otherwise. The gradient of each number goes to the one that was taken,
      and condition has none: what was not taken may be infinite or NaN.

      >>> condition = dy.inputVector([1, 0, 1])
      >>> x, y = dy.inputVector([1, 2, 3]), dy.inputVector([-1, -2, -3])
      >>> print(dy.where(condition, x, y).npvalue())
      [ 1. -2.  3.])";
  static constexpr Arg args[] = {"condition", "x", "y"};
  static Expression call(const Expression& condition, const Expression& x, const Expression& y) {
    return Kept::call(x, condition) + MaskedFill::call(y, condition, 0);
  }
};

using Masks = Ops<MaskedFill, Kept>;
using MaskForms = Ops<Where>;

}  // namespace dynet::engine

namespace dynet::functional {

inline Expression masked_fill(const Expression& x, const Expression& mask, real value) {
  return engine::MaskedFill::call(x, mask, value);
}
inline Expression where(const Expression& condition, const Expression& x, const Expression& y) {
  return engine::Where::call(condition, x, y);
}

}  // namespace dynet::functional
