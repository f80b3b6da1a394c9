// Vectors of probabilities that are scaled to a largest number of 1, and whether digits were lost.
#pragma once

#include "dynet/structured/parts.h"

namespace dynet::engine::structured {

/// What is less than the smallest double, about 1e-308, is lost. Where the largest number of every vector,
/// and the sum of what two vectors share, are above this, that is less than a rounding error.
inline constexpr double least_scale = 1e-100;

/// y = exp(x - the largest x), which is returned.
inline double exponentials(const double* x, size_t n, double* y) {
  const double top = largest(x, n);
  for (size_t i = 0; i < n; ++i) y[i] = x[i];
  exponentials(y, n, top, 1);
  return top;
}

/// Divides x by its largest number, which is returned.
inline double scale_to_one(double* x, size_t n) {
  const double top = largest(x, n), factor = 1 / top;
  for (size_t i = 0; i < n; ++i) x[i] *= factor;
  return top;
}

/// y = M x for a matrix of n columns of n numbers.
inline void multiply(const double* m, size_t n, const double* x, double* y) {
  for (size_t j = 0; j < n; ++j) y[j] = 0;
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const double *a = m + i * n, *b = a + n, *c = b + n, *d = c + n;
    const double p = x[i], q = x[i + 1], r = x[i + 2], s = x[i + 3];
    for (size_t j = 0; j < n; ++j) y[j] += (a[j] * p + b[j] * q) + (c[j] * r + d[j] * s);
  }
  for (; i < n; ++i)
    for (size_t j = 0; j < n; ++j) y[j] += m[i * n + j] * x[i];
}

}  // namespace dynet::engine::structured
