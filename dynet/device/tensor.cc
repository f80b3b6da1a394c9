// Reading the numbers of tensors, which are those of an engine.
#include "dynet/core/tensor.h"

#include <algorithm>
#include <cmath>

#include "dynet/device/on_host.h"

namespace dynet {

using namespace engine;

bool Tensor::is_valid() const {
  return std::ranges::all_of(OnHost<const real>(v, d.size()), [](real x) { return std::isfinite(x); });
}

real as_scalar(const Tensor& t) {
  if (t.d.size() != 1) failed("as_scalar: the tensor has shape ", t.d, "; one element is needed");
  return OnHost<const real>(t.v, 1)[0];
}

std::vector<real> as_vector(const Tensor& t) {
  std::vector<real> numbers(t.d.size());
  chosen_engine().copy(numbers.size(), t.v, numbers.data());
  return numbers;
}

std::ostream& operator<<(std::ostream& out, const Tensor& t) {
  const size_t rows = t.d.rows(), columns = t.d.cols(), size = t.d.size();
  const OnHost<const real> numbers(t.v, size);
  for (size_t matrix = 0; matrix < size; matrix += rows * columns) {
    if (matrix > 0) out << "\n\n";
    for (size_t row = 0; row < rows; ++row)
      for (size_t column = 0; column < columns; ++column)
        out << (column > 0 ? " " : row > 0 ? "\n" : "") << numbers[matrix + column * rows + row];
  }
  return out;
}

}  // namespace dynet
