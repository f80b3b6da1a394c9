// The shape of a tensor: up to seven sizes, column-major, and a batch size that is the slowest axis.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <istream>
#include <ostream>
#include <string_view>
#include <vector>

#include "dynet/core/error.h"

namespace dynet {

/// Sizes {d0, d1, …} and batch size. A scalar is {1}.
struct Dim {
  static constexpr unsigned max_dims = 7;

  unsigned d[max_dims] = {};
  unsigned nd = 0;
  unsigned bd = 1;

  constexpr Dim() = default;
  constexpr Dim(std::initializer_list<unsigned> sizes, unsigned batch = 1)
      : Dim(sizes.begin(), sizes.size(), batch) {}
  Dim(const std::vector<long>& sizes, unsigned batch = 1) : bd(batch) {
    check_count(sizes.size());
    for (long n : sizes) d[nd++] = static_cast<unsigned>(n);
  }
  template <class Int>
  constexpr Dim(const Int* sizes, size_t count, unsigned batch) : bd(batch) {
    check_count(count);
    for (size_t i = 0; i < count; ++i) d[nd++] = static_cast<unsigned>(sizes[i]);
  }

  constexpr unsigned ndims() const { return nd; }
  constexpr unsigned batch_elems() const { return bd; }
  constexpr unsigned operator[](unsigned i) const { return i < nd ? d[i] : 1; }
  constexpr unsigned size(unsigned i) const { return (*this)[i]; }
  constexpr unsigned rows() const { return (*this)[0]; }
  constexpr unsigned cols() const { return (*this)[1]; }

  /// Elements of one batch item.
  constexpr size_t batch_size() const {
    size_t n = 1;
    for (unsigned i = 0; i < nd; ++i) n *= d[i];
    return n;
  }
  /// Elements of all batch items.
  constexpr size_t size() const { return batch_size() * bd; }
  /// The same where it may be more than size() can say.
  double number_count() const {
    double n = bd;
    for (unsigned i = 0; i < nd; ++i) n *= d[i];
    return n;
  }
  constexpr Dim single_batch() const { return with_batch(1); }
  constexpr Dim with_batch(unsigned batch) const {
    Dim r = *this;
    r.bd = batch;
    return r;
  }
  /// True when every size after the first is 1.
  constexpr bool is_vector() const {
    for (unsigned i = 1; i < nd; ++i)
      if (d[i] != 1) return false;
    return true;
  }
  /// Without trailing sizes of 1 (one size stays).
  constexpr Dim truncate() const {
    Dim r = *this;
    while (r.nd > 1 && r.d[r.nd - 1] == 1) r.d[--r.nd] = 0;
    return r;
  }
  /// Without axis i; what is left of a single axis is {1}.
  constexpr Dim without(unsigned i) const {
    Dim r;
    r.bd = bd;
    for (unsigned k = 0; k < nd; ++k)
      if (k != i) r.d[r.nd++] = d[k];
    if (r.nd == 0) r.d[r.nd++] = 1;
    return r;
  }
  /// With size n on axis i; missing axes before it are 1.
  constexpr Dim with(unsigned i, unsigned n) const {
    Dim r = *this;
    while (r.nd <= i) r.d[r.nd++] = 1;
    r.d[i] = n;
    return r;
  }
  constexpr void set(unsigned i, unsigned n) { d[i] = n; }
  constexpr unsigned sum_dims() const {
    unsigned sum = 0;
    for (unsigned i = 0; i < nd; ++i) sum += d[i];
    return sum;
  }
  /// Axes whose size is not 1.
  constexpr unsigned num_nonone_dims() const {
    unsigned count = 0;
    for (unsigned i = 0; i < nd; ++i) count += d[i] != 1;
    return count;
  }
  /// With so many axes: the last ones go, or come with size 1.
  void resize(unsigned axes) {
    check_count(axes);
    while (nd < axes) d[nd++] = 1;
    while (nd > axes) d[--nd] = 0;
  }
  /// Rows and columns change places; a vector becomes a row.
  Dim transpose() const {
    if (nd > 2) engine::invalid("transpose: ", nd, " axes; a matrix or a vector is needed");
    return Dim({cols(), rows()}, bd);
  }
  void delete_dim(unsigned i) { *this = without(i); }
  /// Without several axes, and without the batch if wanted.
  void delete_dims(const std::vector<unsigned>& axes, bool without_batch) {
    Dim r;
    r.bd = without_batch ? 1 : bd;
    for (unsigned i = 0; i < nd; ++i)
      if (std::find(axes.begin(), axes.end(), i) == axes.end()) r.d[r.nd++] = d[i];
    if (r.nd == 0) r.d[r.nd++] = 1;
    *this = r;
  }
  /// The sizes, and the batch size where there is one: "3 x 4 X 2".
  void print_profile(std::ostream& out) const {
    for (unsigned i = 0; i < nd; ++i) out << (i > 0 ? " x " : "") << d[i];
    if (bd > 1) out << " X " << bd;
  }
  /// One more axis, the last one or number i.
  void add_dim(unsigned n) { insert_dim(nd, n); }
  void insert_dim(unsigned i, unsigned n) {
    check_count(nd + 1);
    if (i > nd) engine::bad_index("insert_dim: axis ", i, " was asked for; 0 to ", nd, " are possible");
    std::copy_backward(d + i, d + nd, d + nd + 1);
    d[i] = n, ++nd;
  }
  /// Same sizes up to trailing ones, batch not compared.
  constexpr bool same_sizes(const Dim& o) const {
    for (unsigned i = 0; i < max_dims; ++i)
      if ((*this)[i] != o[i]) return false;
    return true;
  }
  constexpr bool operator==(const Dim& o) const {
    if (nd != o.nd || bd != o.bd) return false;
    for (unsigned i = 0; i < nd; ++i)
      if (d[i] != o.d[i]) return false;
    return true;
  }

 private:
  static constexpr void check_count(size_t count) {
    if (count > max_dims)
      engine::invalid("a shape has ", count, " sizes; at most ", max_dims, " are possible");
  }
};

/// {3,4}, or {3,4X2} with batch size 2.
inline std::ostream& operator<<(std::ostream& out, const Dim& dim) {
  out << '{';
  for (unsigned i = 0; i < dim.nd; ++i) out << (i ? "," : "") << dim.d[i];
  if (dim.bd > 1) out << 'X' << dim.bd;
  return out << '}';
}

/// What << wrote; the stream fails where it is something else.
std::istream& operator>>(std::istream& in, Dim& dim);

}  // namespace dynet

namespace dynet::engine {

/// How many numbers a node may have: kernels count them in 32 bits.
constexpr double most_numbers = 0xffffffff;

/// Throws where a node cannot hold so many numbers.
inline void check_memory(std::string_view op, const Dim& dim) {
  if (const double count = dim.number_count(); count > most_numbers)
    throw out_of_memory(text(op, ": out of memory: a tensor of shape ", dim, " has ", count,
                             " numbers; at most ", most_numbers, " are possible"));
}

}  // namespace dynet::engine
