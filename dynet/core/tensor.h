// A view of numbers: where they lie and their shape; it never owns them.
#pragma once

#include <ostream>
#include <vector>

#include "dynet/core/dim.h"
#include "dynet/core/real.h"

namespace dynet {

struct Device;

/// What DyNet 2 kept apart by purpose; it is all one here.
enum class DeviceMempool { FXS, DEDFS, PS, SCS, NONE };

struct Tensor {
  Tensor() = default;
  Tensor(const Dim& dim, real* numbers) : d(dim), v(numbers) {}
  /// std::invalid_argument for another device than the CPU.
  Tensor(const Dim& dim, real* numbers, const Device* device, DeviceMempool = DeviceMempool::NONE);

  Dim d;
  real* v = nullptr;
  // Those of all tensors, as programs of DyNet 2 read them.
  static Device* const device;
  static constexpr DeviceMempool mem_pool = DeviceMempool::FXS;

  /// Where batch element b begins; a tensor without a batch is the same for all.
  real* batch_ptr(unsigned b) const { return d.bd == 1 ? v : v + b * d.batch_size(); }
  Tensor batch_elem(unsigned b) const { return {d.single_batch(), batch_ptr(b)}; }
  /// Every batch element as a tensor.
  std::vector<Tensor> batch_elems() const {
    std::vector<Tensor> all;
    for (unsigned b = 0; b < d.bd; ++b) all.push_back(batch_elem(b));
    return all;
  }
  /// Whether no number is infinite or not a number.
  bool is_valid() const;
};

/// The number of a tensor with one element.
real as_scalar(const Tensor& t);

/// A line for each row, and an empty one between the matrices of a larger tensor or of a batch.
std::ostream& operator<<(std::ostream& out, const Tensor& t);

/// All numbers, column-major, batch slowest.
std::vector<real> as_vector(const Tensor& t);

/// The same times a number.
inline std::vector<real> as_scale_vector(const Tensor& t, real a) {
  std::vector<real> numbers = as_vector(t);
  for (real& x : numbers) x *= a;
  return numbers;
}

}  // namespace dynet
