// Random tensors, noise and dropout. Numbers depend on the seed, the graph, the node and the element alone.
#pragma once

#include <cmath>

#include "dynet/device/device.h"
#include "dynet/ops/input.h"
#include "dynet/ops/zip.h"

namespace dynet::engine {

/// Throws unless numbers can be drawn with this standard deviation.
inline void check_deviation(real deviation) {
  if (!(deviation >= 0 && std::isfinite(deviation)))
    invalid("standard deviation ", deviation, "; it must be a finite number from 0 on");
}

/// A tensor of random numbers, drawn anew in each graph.
template <Distribution distribution>
struct RandomTensor : OpDefaults {
  struct Attrs {
    Dim dim;
    unsigned unused;
    real a, b;
  };
  static constexpr bool random = true;
  static Dim shape(const Attrs& a, Dims) { return check_sizes(a.dim); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    e.random(distribution, a.a, a.b, c.key, c.count, c.dim.batch_size(), c.words, c.y);
  }
};

struct RandomNormal : RandomTensor<Distribution::normal> {
  static constexpr auto name = "random_normal";
  static constexpr auto doc = R"(
      A tensor of shape dim, times batch_size, of normally distributed numbers with the given mean (0) and
      standard deviation (1). They are drawn when the graph is evaluated, anew in each graph, and follow
      from the seed. ValueError unless stddev is finite and 0 or more.

      >>> z = dy.random_normal((2, 3), mean=5, stddev=0.1, batch_size=4)
      >>> z.dim(), bool(abs(z.npvalue() - 5).max() < 1)
      (((2, 3), 4), True))";
  static constexpr Arg args[] = {"dim", {"mean", 0.0}, {"stddev", 1.0}, {"batch_size", 1.0}};
  static Dim shape(const Attrs& a, Dims x) {
    check_deviation(a.b);
    return RandomTensor::shape(a, x);
  }
  static Expression call(const Dim& dim, real mean, real stddev, unsigned batch_size) {
    return apply<RandomNormal>({}, {dim.with_batch(batch_size), 0, mean, stddev});
  }
};

struct RandomUniform : RandomTensor<Distribution::uniform> {
  static constexpr auto name = "random_uniform";
  static constexpr auto doc = R"(
      A tensor of shape dim, times batch_size, of numbers spread evenly from left to right. They are drawn
      when the graph is evaluated, anew in each graph, and follow from the seed. ValueError unless both are
      finite and left is not the larger.

      >>> z = dy.random_uniform((2, 3), left=-1, right=1)
      >>> z.dim(), bool(abs(z.npvalue()).max() <= 1)
      (((2, 3), 1), True))";
  static constexpr Arg args[] = {"dim", "left", "right", {"batch_size", 1.0}};
  static Dim shape(const Attrs& a, Dims x) {
    if (!(a.a <= a.b && std::isfinite(a.b - a.a)))
      invalid("left ", a.a, " and right ", a.b,
              "; numbers between two finite ones can be drawn, of which left is not the greater");
    return RandomTensor::shape(a, x);
  }
  static Expression call(const Dim& dim, real left, real right, unsigned batch_size) {
    return apply<RandomUniform>({}, {dim.with_batch(batch_size), 0, left, right});
  }
};

struct RandomBernoulli : RandomTensor<Distribution::bernoulli> {
  static constexpr auto name = "random_bernoulli";
  static constexpr auto doc = R"(
      A tensor of shape dim, times batch_size, whose numbers are scale (1) with probability p, else 0. They
      are drawn when the graph is evaluated, anew in each graph, and follow from the seed. With scale = 1 /
      p it is a mask for dropout that several products may share. ValueError unless p is from 0 to 1.

      >>> mask = dy.random_bernoulli(1000, p=0.5, scale=2)
      >>> np.unique(mask.npvalue())
      array([0., 2.], dtype=float32))";
  static constexpr Arg args[] = {"dim", "p", {"scale", 1.0}, {"batch_size", 1.0}};
  static Dim shape(const Attrs& a, Dims x) {
    if (!(a.a >= 0 && a.a <= 1)) invalid("probability ", a.a, "; it must be from 0 to 1");
    return RandomTensor::shape(a, x);
  }
  static Expression call(const Dim& dim, real p, real scale, unsigned batch_size) {
    return apply<RandomBernoulli>({}, {dim.with_batch(batch_size), 0, p, scale});
  }
};

struct RandomGumbel : RandomTensor<Distribution::gumbel> {
  static constexpr auto name = "random_gumbel";
  static constexpr auto doc = R"(
      A tensor of shape dim, times batch_size, of numbers from the standard Gumbel distribution, -ln(-ln u)
      for uniform u. The largest of logits plus such numbers is a sample of their softmax (Jang, Gu and
      Poole 2017). Drawn when the graph is evaluated, anew in each graph. ValueError unless mu is 0 and beta
      is 1.

      >>> z = dy.random_gumbel((2, 3), batch_size=4)
      >>> z.dim(), bool(np.isfinite(z.npvalue()).all())
      (((2, 3), 4), True))";
  static constexpr Arg args[] = {"dim", {"mu", 0.0}, {"beta", 1.0}, {"batch_size", 1.0}};
  static Dim shape(const Attrs& a, Dims x) {
    if (a.a != 0 || a.b != 1) invalid("mu ", a.a, " and beta ", a.b, "; only 0 and 1 are possible");
    return RandomTensor::shape(a, x);
  }
  static Expression call(const Dim& dim, real mu, real beta, unsigned batch_size) {
    return apply<RandomGumbel>({}, {dim.with_batch(batch_size), 0, mu, beta});
  }
};

struct Noise : OpDefaults {
  struct Attrs {
    real deviation;
  };
  static constexpr bool random = true;
  static constexpr auto name = "noise";
  static constexpr auto doc = R"(
      x plus normally distributed noise with mean 0 and standard deviation stddev, drawn anew for every
      number, batch element and graph. The gradient passes unchanged. Leave the call out when testing.
      ValueError unless stddev is finite and 0 or more.

      >>> x = dy.zeros(1000)
      >>> print(round(float(dy.noise(x, 0.5).npvalue().std()), 1))
      0.5)";
  static constexpr uint32_t identity = 1;
  static constexpr Arg args[] = {"x", "stddev"};
  static Dim shape(const Attrs& a, Dims x) {
    check_deviation(a.deviation);
    return x[0];
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const size_t size = c.dim.batch_size();
    e.random(Distribution::normal, 0, a.deviation, c.key, c.count, size, c.words, c.y);
    e.move(c.count, run_of(size), {}, true, c.x[0], c.y);
  }
  static void backward(const Attrs&, Engine& e, const Call& c, unsigned) {
    e.move(c.count, run_of(c.dim.batch_size()), {}, true, c.dy, c.dx);
  }
  static Expression call(const Expression& x, real stddev) { return apply<Noise>(x, {stddev}); }
};

/// x times a mask that is broadcast over x: 0 with probability `rate`, else 1 / (1 - rate).
template <class Self>
struct Masked : OpDefaults {
  struct Attrs {
    real rate;
    unsigned axis, unused;
  };
  static constexpr bool random = true, overwrites = true;
  static constexpr Arg args[] = {"x", "p"};
  static Dim shape(const Attrs& a, Dims x) {
    if (!(a.rate >= 0 && a.rate <= 1)) invalid("dropout probability ", a.rate, "; it must be from 0 to 1");
    check_axis(a.axis, x[0]);
    return x[0];
  }
  static size_t saved_size(const Attrs& a, Dims x) { return Self::mask(a, x[0]).batch_size(); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Dim mask = Self::mask(a, c.dim);
    const real kept = a.rate < 1 ? 1 / (1 - a.rate) : 0;
    e.random(Distribution::bernoulli, 1 - a.rate, kept, c.key, c.count, mask.batch_size(), c.words, c.saved);
    e.zip(zip_position<Multiply>(), nullptr, c.count, c.dim, c.dim, mask, c.x[0], c.saved, c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    e.zip_backward(zip_position<Multiply>(), 0, nullptr, c.count, c.dim, c.dim, Self::mask(a, c.dim), c.x[0],
                   c.saved, c.y, c.dy, c.dx, c.accumulate);
  }
  static Expression make(const Expression& x, real rate, unsigned axis = 0) {
    return rate == 0 ? x : apply<Self>(x, {rate, axis, 0});
  }
};

struct Dropout : Masked<Dropout> {
  static constexpr auto name = "dropout";
  static constexpr auto doc = R"(
      Each number becomes 0 with probability p, the others are divided by 1 - p, so that the expected value
      stays; each batch element has a mask of its own. The gradient is that of the numbers kept, divided
      likewise. Drawn anew in each graph: leave the call out when testing. p = 0 gives x itself; ValueError
      unless p is from 0 to 1. (Srivastava et al. 2014)

      >>> x = dy.ones(1000)
      >>> np.unique(dy.dropout(x, 0.5).npvalue())
      array([0., 2.], dtype=float32))";
  static Dim mask(const Attrs&, const Dim& x) { return x.single_batch(); }
  static Expression call(const Expression& x, real p) { return make(x, p); }
};

struct DropoutAlongAxis : Masked<DropoutAlongAxis> {
  static constexpr auto name = "dropout_dim";
  static constexpr auto doc = R"(
      Dropout with one mask for all places along axis d: with d = 1 whole rows of a matrix become 0 with
      probability p, with d = 0 whole columns; the others are divided by 1 - p. Each batch element has a
      mask of its own. Drawn anew in each graph: leave the call out when testing. ValueError unless p is
      from 0 to 1, and for an axis that is not there.

      >>> y = dy.dropout_dim(dy.ones((4, 100)), 0, 0.5).npvalue()
      >>> bool((y == y[0]).all())
      True)";
  static constexpr Arg args[] = {"x", "d", "p"};
  static Dim mask(const Attrs& a, const Dim& x) { return x.with(a.axis, 1).single_batch(); }
  static Expression call(const Expression& x, unsigned d, real p) { return make(x, p, d); }
};

struct DropoutBatch : Masked<DropoutBatch> {
  static constexpr auto name = "dropout_batch";
  static constexpr auto doc = R"(
      Dropout of whole batch elements: each becomes 0 with probability p, the others are divided by 1 - p.
      Drawn anew in each graph: leave the call out when testing. ValueError unless p is from 0 to 1.

      >>> y = dy.dropout_batch(dy.ones(3, batch_size=100), 0.5).npvalue()
      >>> bool((y == y[0]).all()), np.unique(y)
      (True, array([0., 2.], dtype=float32)))";
  static Dim mask(const Attrs&, const Dim&) { return {1}; }
  static Expression call(const Expression& x, real p) { return make(x, p); }
};

struct BlockDropout : Masked<BlockDropout> {
  static constexpr auto name = "block_dropout";
  static constexpr auto doc = R"(
      Dropout of x as a whole: each batch element is 0 with probability p, else x / (1 - p), so that the
      expected value stays. For dropping a feature template or an input at once. Drawn anew in each graph:
      leave the call out when testing. ValueError unless p is from 0 to 1.

      >>> y = dy.block_dropout(dy.ones(3), 0.5).npvalue()
      >>> y.tolist() in ([0, 0, 0], [2, 2, 2])
      True)";
  static Dim mask(const Attrs&, const Dim&) { return {1}; }
  static Expression call(const Expression& x, real p) { return make(x, p); }
};

using Random = Ops<RandomNormal, RandomUniform, RandomBernoulli, RandomGumbel, Noise, Dropout,
                   DropoutAlongAxis, DropoutBatch, BlockDropout>;

}  // namespace dynet::engine

namespace dynet {

inline Expression random_normal(engine::Graph& g, const Dim& d, real mean = 0, real stddev = 1,
                                const Device* device = nullptr) {
  if (device) engine::check_device("random_normal", device);
  return engine::leaf_of<engine::RandomNormal>(g, {d, 0, mean, stddev});
}
inline Expression random_uniform(engine::Graph& g, const Dim& d, real left, real right,
                                 const Device* device = nullptr) {
  if (device) engine::check_device("random_uniform", device);
  return engine::leaf_of<engine::RandomUniform>(g, {d, 0, left, right});
}
inline Expression random_bernoulli(engine::Graph& g, const Dim& d, real p, real scale = 1,
                                   const Device* device = nullptr) {
  if (device) engine::check_device("random_bernoulli", device);
  return engine::leaf_of<engine::RandomBernoulli>(g, {d, 0, p, scale});
}
inline Expression random_gumbel(engine::Graph& g, const Dim& d, real mu = 0, real beta = 1,
                                const Device* device = nullptr) {
  if (device) engine::check_device("random_gumbel", device);
  return engine::leaf_of<engine::RandomGumbel>(g, {d, 0, mu, beta});
}
inline Expression noise(const Expression& x, real stddev) { return engine::Noise::call(x, stddev); }
inline Expression dropout(const Expression& x, real p) { return engine::Dropout::call(x, p); }
inline Expression dropout_dim(const Expression& x, unsigned d, real p) {
  return engine::DropoutAlongAxis::call(x, d, p);
}
inline Expression dropout_batch(const Expression& x, real p) { return engine::DropoutBatch::call(x, p); }
inline Expression block_dropout(const Expression& x, real p) { return engine::BlockDropout::call(x, p); }

}  // namespace dynet
