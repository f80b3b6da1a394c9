// Tensors as text.
#include "dynet/core/tensor.h"

namespace dynet {

std::ostream& operator<<(std::ostream& out, const Tensor& t) {
  const size_t rows = t.d.rows(), columns = t.d.cols(), size = t.d.size();
  for (size_t matrix = 0; matrix < size; matrix += rows * columns) {
    if (matrix > 0) out << "\n\n";
    for (size_t row = 0; row < rows; ++row)
      for (size_t column = 0; column < columns; ++column)
        out << (column > 0 ? " " : row > 0 ? "\n" : "") << t.v[matrix + column * rows + row];
  }
  return out;
}

}  // namespace dynet
