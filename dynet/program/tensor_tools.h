// Work on tensors outside of any graph: filling, drawing, comparing and choosing.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "dynet/core/tensor.h"

namespace dynet {

/// Indices in the shape of a tensor. Copies share them.
struct IndexTensor {
  IndexTensor() = default;
  explicit IndexTensor(const Dim& dim) : d(dim), numbers(std::make_shared<std::vector<long>>(dim.size())) {
    v = numbers->data();
  }

  Dim d;
  long* v = nullptr;
  std::shared_ptr<std::vector<long>> numbers;
};

inline std::vector<long> as_vector(const IndexTensor& t) { return {t.v, t.v + t.d.size()}; }

/// Tensors are views, so that a const one can be written.
struct TensorTools {
  static void constant(const Tensor& t, real c);
  static void zero(const Tensor& t) { constant(t, 0); }
  static void identity(const Tensor& t);
  static void randomize_bernoulli(const Tensor& t, real p, real scale = 1);
  static void randomize_normal(const Tensor& t, real mean = 0, real stddev = 1);
  static void randomize_uniform(const Tensor& t, real left = 0, real right = 1);
  static void randomize_orthonormal(const Tensor& t, real scale = 1);
  /// Numbers from 0 to 1 become 1 where they are below p, else 0.
  static void uniform_to_bernoulli(const Tensor& t, real p);

  /// By place, column-major and batch slowest; std::out_of_range if there is none.
  static real access_element(const Tensor& t, int place);
  /// By a place along each axis.
  static real access_element(const Tensor& t, const Dim& places);
  static void set_element(const Tensor& t, int place, real number);
  static void set_elements(const Tensor& t, const std::vector<real>& numbers);
  static void copy_element(const Tensor& from, int from_place, const Tensor& to, int to_place);
  static void copy_elements(const Tensor& to, const Tensor& from);

  /// Adds `from`.
  static void accumulate(const Tensor& to, const Tensor& from);
  static void clip(const Tensor& t, real left, real right);
  /// x becomes a x + b.
  static void scale(const Tensor& t, real a, real b);
  /// z becomes log Σ exp x along an axis, m the largest x.
  static void logsumexp(const Tensor& x, const Tensor& m, const Tensor& z, unsigned axis = 0);

  /// The places of the `num` largest numbers along an axis, the largest first; that axis has size num.
  static IndexTensor argmax(const Tensor& x, unsigned axis = 0, unsigned num = 1);
  /// The same with the numbers. The tensor is a view of memory that lasts until the next call on this thread.
  static std::pair<Tensor, IndexTensor> topk(const Tensor& x, unsigned axis = 0, unsigned num = 1);
  /// Places drawn with the probabilities whose logarithms x has along an axis, `num` with replacement.
  static IndexTensor categorical_sample_log_prob(const Tensor& x, unsigned axis = 0, unsigned num = 1);
};

}  // namespace dynet
