// y = f(x0) ∘ g(x1) and y = x + f(x0) ∘ g(x1), as gates of recurrent cells are: one node instead of up to
// four.
//
// Products and sums become such nodes of their own accord (fusion.cc). A node tells as which operation of
// which nodes the program wrote it; of those the ones that it computes itself are fused away.
#pragma once

#include "dynet/ops/zip.h"

namespace dynet::engine {

/// Leaves its argument as it is.
struct Unchanged {
  static auto value(auto x) { return x; }
  static auto slope(auto, auto y) { return decltype(y)(1); }
};
/// What a factor may be, by number; the slope of each is known from its value.
using Activations = Ops<Unchanged, Tanh, Logistic>;

struct GateAttrs {
  uint32_t f[2];         // the activations
  uint32_t original[2];  // the nodes of the operation as it was written
};

template <class Self>
struct GateOp : OpDefaults {
  using Attrs = GateAttrs;
  static constexpr uint32_t own_size = sizeof(GateAttrs::original);
  static constexpr bool hidden = true, overwrites = true;
  static Dim shape(const Attrs&, Dims x) { return x[0]; }
  static void tell(const Attrs& a, Dims, AttributeList& list) { list.add("activations", a.f); }
  static size_t saved_size(const Attrs& a, Dims x) {
    return x[0].batch_size() * ((a.f[0] != 0) + (a.f[1] != 0));
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) { e.gate(gated(a, c)); }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i) {
    if (i < Self::first)
      identity_backward(e, c, c.dim.batch_size(), c.dy);
    else
      e.gate_backward(i - Self::first, gated(a, c));
  }
  static std::span<const uint32_t, 2> original_args(const Attrs& a) { return a.original; }

 private:
  static Gated gated(const Attrs& a, const Call& c) {
    return {{a.f[0], a.f[1]},
            c.count,
            c.dim.batch_size(),
            Self::first ? c.x[0] : Items{},
            {c.x[Self::first], c.x[Self::first + 1]},
            c.saved,
            c.y,
            c.dy,
            c.dx,
            c.accumulate};
  }
};

struct GatedProduct : GateOp<GatedProduct> {
  static constexpr Fusible fusible_into = fusible_into_sums;
  static constexpr auto name = "gated_product",
                        doc = "Elementwise product of two expressions, of which some are activated first.";
  static constexpr Arg args[] = {"x0", "x1"};
  static constexpr unsigned first = 0;  // factor
  static constexpr const Op& original = op<Multiply>;
};

struct GatedSum : GateOp<GatedSum> {
  static constexpr auto name = "gated_sum", doc = "An expression plus such a product.";
  static constexpr Arg args[] = {"x", "x0", "x1"};
  static constexpr uint32_t identity = 1;
  static constexpr unsigned first = 1;
  static constexpr const Op& original = op<Add>;
};

using Gates = Ops<GatedProduct, GatedSum>;

}  // namespace dynet::engine
