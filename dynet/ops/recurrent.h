// One step of an LSTM as one node, and DyNet's operations for its halves.
#pragma once

#include "dynet/ops/linear.h"
#include "dynet/ops/noise.h"
#include "dynet/ops/select.h"

namespace dynet::engine {

/// gates = wx + Wh h; c' = f ∘ c + i ∘ g; h' = o ∘ tanh(c'). The first step has wx alone.
struct LstmCell : OpDefaults {
  struct Attrs {
    real forget_bias;
  };
  static constexpr auto
      name = "lstm_cell",
      doc =
          "One LSTM step (Hochreiter and Schmidhuber 1997): {2H}, the new cell state above the new "
          "output. Arguments: the input's part of the gates {4H} (input, forget, output, "
          "candidate), the recurrent weights {4H,H}, the last output {H} and the last cell state "
          "{H}; or, in a first step, the input's part alone.";
  static constexpr bool hidden = true, overwrites = true, writes_workspace = true;
  static constexpr bool saved_in_place = true, saved_becomes_gradient = true;
  static constexpr Arg args[] = {"xs", {"forget_bias", 1.0}};
  static constexpr bool is_matrix(unsigned i) { return i == 1; }

  static Dim shape(const Attrs&, Dims x) {
    if (x.size() != 1 && x.size() != 4) invalid(x.size(), " arguments; 1 or 4 are needed");
    const unsigned hidden_size = x[0].rows() / 4;
    if (!x[0].is_vector() || hidden_size * 4 != x[0].rows())
      invalid("gates of shape ", x[0], "; a vector of four blocks is needed");
    if (x.size() == 4) {
      if (!x[1].same_sizes({4 * hidden_size, hidden_size}))
        invalid("recurrent weights of shape ", x[1], "; {", 4 * hidden_size, ",", hidden_size, "} is needed");
      for (unsigned i : {2u, 3u})
        if (!x[i].same_sizes({hidden_size}))
          invalid("a state of shape ", x[i], "; {", hidden_size, "} is needed");
    }
    return Dim({2 * hidden_size}, common_batch(x));
  }
  // Kept: the gates after their activation, then their gradients. Backward: that of the last cell state.
  static size_t saved_size(const Attrs&, Dims x) { return x[0].rows(); }
  static size_t workspace_size(const Attrs&, Dims x) { return x[0].rows() / 4; }

  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const unsigned size = c.dim.rows() / 2;
    if (c.x.size() == 1) {
      if (c.saved[0] != c.x[0][0]) e.move(c.count, run_of(4 * size), {}, false, c.x[0], c.saved);
      return e.lstm_cell(c.count, size, a.forget_bias, c.saved, {}, c.y);
    }
    e.product({.m = 4 * size,
               .k = size,
               .n = 1,
               .count = c.count,
               .a = c.x[1],
               .packed = c.packed[1],
               .x = c.x[2],
               .y = c.saved,
               .init = c.x[0]});
    e.lstm_cell(c.count, size, a.forget_bias, c.saved, c.x[3], c.y);
  }
  static void prepare_backward(const Attrs&, Engine& e, const Call& c) {
    const bool is_first = c.x.size() == 1;
    e.lstm_cell_backward(c.count, c.dim.rows() / 2, c.saved, is_first ? Items{} : c.x[3], c.y, c.dy,
                         is_first ? Items{} : c.workspace);
  }
  static void backward(const Attrs&, Engine& e, const Call& c, unsigned i) {
    const unsigned size = c.dim.rows() / 2;
    if (i == 0) {
      identity_backward(e, c, size_t{4} * size, c.saved);
    } else if (i == 1) {
      for (size_t item = 0; item < c.count; ++item) {
        const real *dy = c.saved[item], *x = c.x[2][item];
        e.outer_sum({4 * size, size, 1, &dy, &x, c.dx[item], c.accumulate});
      }
    } else if (i == 2) {
      e.product({.m = 4 * size,
                 .k = size,
                 .n = 1,
                 .transposed = true,
                 .count = c.count,
                 .a = c.x[1],
                 .packed = c.packed[1],
                 .x = c.saved,
                 .y = c.dx,
                 .init = c.accumulate ? c.dx : Items{}});
    } else {
      identity_backward(e, c, size, c.workspace);
    }
  }
  static OuterPair outer(const Attrs&, const NodeView& v, unsigned) { return {v.saved, v.x[2], 1}; }
  static Expression call(Expressions xs, real forget_bias) { return apply<LstmCell>(xs, {forget_bias}); }
};

/// Throws unless the gates have four blocks of the state's size.
inline void check_gates(std::string_view op, const Dim& gates, const Dim& state) {
  const size_t size = state.rows();
  if (!state.is_vector() || gates.rows() != 4 * size || !gates.is_vector())
    invalid(op, ": gates of shape ", gates, " for a state of shape ", state, "; {", 4 * size, "} and {", size,
            "} would be right");
}

/// The four gates of a step, with DyNet's forget bias of 1: [σ(i), σ(f + 1), σ(o), tanh(g)].
inline Expression lstm_gates(Expressions sum_of_products) {
  const Expression sum = affine_transform(sum_of_products);
  const unsigned size = sizes_of("vanilla_lstm_gates", sum).rows() / 4;
  const Expression i = logistic(pick_range(sum, 0, size)),
                   f = logistic(pick_range(sum, size, 2 * size) + real(1));
  const Expression o = logistic(pick_range(sum, 2 * size, 3 * size)),
                   g = tanh(pick_range(sum, 3 * size, 4 * size));
  return concatenate({i, f, o, g});
}

inline Expression with_noise(const Expression& weights, real deviation) {
  if (!(deviation >= 0))
    invalid("vanilla_lstm_gates: weightnoise_std ", deviation, "; a number from 0 on is needed");
  return deviation > 0 ? noise(weights, deviation) : weights;
}

struct VanillaLstmGates {
  static constexpr auto name = "vanilla_lstm_gates";
  static constexpr auto doc = R"(
      The gates of one LSTM step for a hidden size H, (4H,): [σ(i), σ(f + 1), σ(o), tanh(g)] of [i, f, o, g]
      = Wx x_t + Wh h_tm1 + b, the input, forget and output gates and the candidate. x_t is (I,), h_tm1
      (H,), Wx (4H, I), Wh (4H, H), b (4H,). weightnoise_std (0) adds normal noise to weights and bias.
      ValueError where sizes do not fit. vanilla_lstm_c and vanilla_lstm_h make the rest of the step;
      VanillaLSTMBuilder does all of it faster. (Hochreiter and Schmidhuber 1997; Gers et al. 2000)

      >>> x, h = dy.zeros(3), dy.zeros(1)
      >>> gates = dy.vanilla_lstm_gates(x, h, dy.zeros((4, 3)), dy.zeros((4, 1)), dy.zeros(4))
      >>> print(gates.npvalue().round(4))
      [0.5    0.7311 0.5    0.    ])";
  static constexpr Arg args[] = {"x_t", "h_tm1", "Wx", "Wh", "b", {"weightnoise_std", 0.0}};
  static Expression call(const Expression& x_t, const Expression& h_tm1, const Expression& Wx,
                         const Expression& Wh, const Expression& b, real weightnoise_std) {
    check_gates(name, Dim({sizes_of(name, Wx).rows()}), sizes_of(name, h_tm1));
    return lstm_gates({with_noise(b, weightnoise_std), with_noise(Wx, weightnoise_std), x_t,
                       with_noise(Wh, weightnoise_std), h_tm1});
  }
};

struct VanillaLstmGatesConcat {
  static constexpr auto name = "vanilla_lstm_gates_concat";
  static constexpr auto doc = R"(
      vanilla_lstm_gates of a list of inputs x_t, put one above another: as
      vanilla_lstm_gates(concatenate(x_t), h_tm1, Wx, Wh, b), with as many columns in Wx as the inputs have
      rows together.

      >>> xs, h = [dy.zeros(2), dy.zeros(1)], dy.zeros(1)
      >>> gates = dy.vanilla_lstm_gates_concat(xs, h, dy.zeros((4, 3)), dy.zeros((4, 1)), dy.zeros(4))
      >>> gates.dim()
      ((4,), 1))";
  static constexpr Arg args[] = {"x_t", "h_tm1", "Wx", "Wh", "b", {"weightnoise_std", 0.0}};
  static Expression call(Expressions x_t, const Expression& h_tm1, const Expression& Wx, const Expression& Wh,
                         const Expression& b, real weightnoise_std) {
    return VanillaLstmGates::call(concatenate(x_t), h_tm1, Wx, Wh, b, weightnoise_std);
  }
};

struct VanillaLstmGatesDropout {
  static constexpr auto name = "vanilla_lstm_gates_dropout";
  static constexpr auto doc = R"(
      vanilla_lstm_gates of x_t ∘ dropout_mask_x and h_tm1 ∘ dropout_mask_h. With the same masks at every
      step of a sequence this is variational dropout; random_bernoulli makes them. (Gal and Ghahramani 2016)

      >>> x, h, masks = dy.zeros(3), dy.zeros(1), (dy.random_bernoulli(3, 0.5, 2), dy.ones(1))
      >>> weights = dy.zeros((4, 3)), dy.zeros((4, 1)), dy.zeros(4)
      >>> dy.vanilla_lstm_gates_dropout(x, h, *weights, *masks).dim()
      ((4,), 1))";
  static constexpr Arg args[] = {
      "x_t", "h_tm1", "Wx", "Wh", "b", "dropout_mask_x", "dropout_mask_h", {"weightnoise_std", 0.0}};
  static Expression call(const Expression& x_t, const Expression& h_tm1, const Expression& Wx,
                         const Expression& Wh, const Expression& b, const Expression& dropout_mask_x,
                         const Expression& dropout_mask_h, real weightnoise_std) {
    return VanillaLstmGates::call(cmult(x_t, dropout_mask_x), cmult(h_tm1, dropout_mask_h), Wx, Wh, b,
                                  weightnoise_std);
  }
};

struct VanillaLstmGatesDropoutConcat {
  static constexpr auto name = "vanilla_lstm_gates_dropout_concat";
  static constexpr auto doc = R"(
      vanilla_lstm_gates_dropout of a list of inputs x_t, put one above another; dropout_mask_x has as many
      rows as the inputs together.

      >>> xs, h, masks = [dy.zeros(2), dy.zeros(1)], dy.zeros(1), (dy.ones(3), dy.ones(1))
      >>> weights = dy.zeros((4, 3)), dy.zeros((4, 1)), dy.zeros(4)
      >>> dy.vanilla_lstm_gates_dropout_concat(xs, h, *weights, *masks).dim()
      ((4,), 1))";
  static constexpr Arg args[] = {
      "x_t", "h_tm1", "Wx", "Wh", "b", "dropout_mask_x", "dropout_mask_h", {"weightnoise_std", 0.0}};
  static Expression call(Expressions x_t, const Expression& h_tm1, const Expression& Wx, const Expression& Wh,
                         const Expression& b, const Expression& dropout_mask_x,
                         const Expression& dropout_mask_h, real weightnoise_std) {
    return VanillaLstmGatesDropout::call(concatenate(x_t), h_tm1, Wx, Wh, b, dropout_mask_x, dropout_mask_h,
                                         weightnoise_std);
  }
};

struct VanillaLstmC {
  static constexpr auto name = "vanilla_lstm_c";
  static constexpr auto doc = R"(
      The new cell state (H,) of an LSTM step, from the last one c_tm1 (H,) and the gates (4H,) that
      vanilla_lstm_gates gives: c = f ∘ c_tm1 + i ∘ g. ValueError where sizes do not fit.

      >>> gates = dy.inputVector([0.5, 1, 0, 4])
      >>> dy.vanilla_lstm_c(dy.scalarInput(3), gates).value()
      5.0)";
  static constexpr Arg args[] = {"c_tm1", "gates_t"};
  static Expression call(const Expression& c_tm1, const Expression& gates_t) {
    const unsigned size = sizes_of(name, c_tm1).rows();
    check_gates(name, sizes_of(name, gates_t), sizes_of(name, c_tm1));
    return cmult(pick_range(gates_t, size, 2 * size), c_tm1) +
           cmult(pick_range(gates_t, 0, size), pick_range(gates_t, 3 * size, 4 * size));
  }
};

struct VanillaLstmH {
  static constexpr auto name = "vanilla_lstm_h";
  static constexpr auto doc = R"(
      The new output (H,) of an LSTM step, from the new cell state c_t (H,) and the gates (4H,) that
      vanilla_lstm_gates gives: h = o ∘ tanh(c_t). ValueError where sizes do not fit.

      >>> gates = dy.inputVector([0, 0, 0.5, 0])
      >>> print(round(dy.vanilla_lstm_h(dy.scalarInput(100), gates).value(), 4))
      0.5)";
  static constexpr Arg args[] = {"c_t", "gates_t"};
  static Expression call(const Expression& c_t, const Expression& gates_t) {
    const unsigned size = sizes_of(name, c_t).rows();
    check_gates(name, sizes_of(name, gates_t), sizes_of(name, c_t));
    return cmult(pick_range(gates_t, 2 * size, 3 * size), tanh(c_t));
  }
};

using Recurrent = Ops<LstmCell>;
using RecurrentForms = Ops<VanillaLstmGates, VanillaLstmGatesConcat, VanillaLstmGatesDropout,
                           VanillaLstmGatesDropoutConcat, VanillaLstmC, VanillaLstmH>;

}  // namespace dynet::engine

namespace dynet {

inline Expression vanilla_lstm_gates(const Expression& x_t, const Expression& h_tm1, const Expression& Wx,
                                     const Expression& Wh, const Expression& b, real weightnoise_std = 0) {
  return engine::VanillaLstmGates::call(x_t, h_tm1, Wx, Wh, b, weightnoise_std);
}
inline Expression vanilla_lstm_gates_concat(engine::Expressions x_t, const Expression& h_tm1,
                                            const Expression& Wx, const Expression& Wh, const Expression& b,
                                            real weightnoise_std = 0) {
  return engine::VanillaLstmGatesConcat::call(x_t, h_tm1, Wx, Wh, b, weightnoise_std);
}
inline Expression vanilla_lstm_gates_dropout(const Expression& x_t, const Expression& h_tm1,
                                             const Expression& Wx, const Expression& Wh, const Expression& b,
                                             const Expression& dropout_mask_x,
                                             const Expression& dropout_mask_h, real weightnoise_std = 0) {
  return engine::VanillaLstmGatesDropout::call(x_t, h_tm1, Wx, Wh, b, dropout_mask_x, dropout_mask_h,
                                               weightnoise_std);
}
inline Expression vanilla_lstm_gates_dropout_concat(engine::Expressions x_t, const Expression& h_tm1,
                                                    const Expression& Wx, const Expression& Wh,
                                                    const Expression& b, const Expression& dropout_mask_x,
                                                    const Expression& dropout_mask_h,
                                                    real weightnoise_std = 0) {
  return engine::VanillaLstmGatesDropoutConcat::call(x_t, h_tm1, Wx, Wh, b, dropout_mask_x, dropout_mask_h,
                                                     weightnoise_std);
}
inline Expression vanilla_lstm_c(const Expression& c_tm1, const Expression& gates_t) {
  return engine::VanillaLstmC::call(c_tm1, gates_t);
}
inline Expression vanilla_lstm_h(const Expression& c_t, const Expression& gates_t) {
  return engine::VanillaLstmH::call(c_t, gates_t);
}

}  // namespace dynet
