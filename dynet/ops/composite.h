// Functions made of other operations: no kernel and no gradient of their own.
#pragma once

#include "dynet/device/device.h"
#include "dynet/ops/linear.h"
#include "dynet/ops/norm.h"
#include "dynet/ops/select.h"

namespace dynet::engine {

struct Average {
  static constexpr auto name = "average", doc = "The mean of a list of expressions of one shape.";
  static constexpr Arg args[] = {"xs"};
  static Expression call(Expressions xs) {
    if (xs.empty()) invalid(name, ": an empty list; at least one expression is needed");
    return SumOfList::call(xs) / static_cast<real>(xs.size());
  }
};

struct MaximumOfList {
  static constexpr auto name = "emax",
                        doc =
                            "The elementwise maximum of a list of expressions of one shape; of equal numbers "
                            "the first gets the gradient.";
  static constexpr Arg args[] = {"xs"};
  static Expression call(Expressions xs) {
    if (xs.empty()) invalid(name, ": an empty list; at least one expression is needed");
    Expression largest = xs[0];
    for (size_t i = 1; i < xs.size(); ++i) largest = max(xs[i], largest);
    return largest;
  }
};

struct ConcatenateColumns {
  static constexpr auto name = "concatenate_cols",
                        doc = "The expressions side by side: concatenate with d = 1.";
  static constexpr Arg args[] = {"xs"};
  static Expression call(Expressions xs) { return concatenate(xs, 1); }
};

struct TraceOfProduct {
  static constexpr auto name = "trace_of_product",
                        doc = "The trace of x times the transpose of y, two matrices of one shape: {1}.";
  static constexpr Arg args[] = {"x", "y"};
  static Expression call(const Expression& x, const Expression& y) { return dot_product(x, y); }
};

struct ToDevice {
  static constexpr auto name = "to_device", doc = "The expression on a device; \"CPU\" is the only one.";
  static constexpr Arg args[] = {"e", "device_str"};
  static Expression call(const Expression& e, std::string_view device_str) {
    if (device_str != "CPU" && !device_str.empty())
      invalid(name, ": device \"", device_str, "\"; \"CPU\" is the only one");
    return e;
  }
};

struct FoldRows {
  static constexpr auto
      name = "fold_rows",
      doc =
          "Sums of nrows consecutive rows of a matrix: {r,c} becomes {r / nrows,c}. A vector is "
          "a matrix of one column.";
  static constexpr Arg args[] = {"x", {"nrows", 2.0}};
  static Expression call(const Expression& x, unsigned nrows) {
    const Dim from = sizes_of(name, x);
    if (from.nd > 2 || nrows == 0 || from.rows() % nrows != 0)
      invalid(name, ": ", from, " in groups of ", nrows,
              " rows; a matrix whose rows are a multiple is needed");
    const Dim groups{nrows, from.rows() / nrows, from.cols()};
    return SumAxes::call(Reshape::call(x, groups, 1), {0}, false, 0);
  }
};

struct NgramColumns {
  static constexpr auto name = "kmh_ngram", doc = "Sums of v adjacent columns: {r,c} becomes {r,c - v + 1}.";
  static constexpr Arg args[] = {"x", "v"};
  static Expression call(const Expression& x, unsigned v) {
    const Dim from = sizes_of(name, x);
    if (from.nd != 2 || v == 0 || v > from.cols())
      invalid(name, ": ", v, " columns of ", from,
              "; a matrix of at least so many, and 1 or more, are needed");
    std::vector<Expression> shifted;
    for (unsigned i = 0; i < v; ++i) shifted.push_back(pick_range(x, i, from.cols() - v + 1 + i, 1));
    return sum(shifted);
  }
};

struct NarrowFilter {
  static constexpr auto
      name = "filter1d_narrow",
      doc =
          "Correlation along the columns of x {d,s} with n filters y {d,m} or {d,m,n} of full "
          "height: {n,s - m + 1}.";
  static constexpr Arg args[] = {"x", "y"};
  static Expression call(const Expression& x, const Expression& y) {
    const Dim from = sizes_of(name, x), filter = sizes_of(name, y);
    if (from.nd > 2 || filter.nd > 3 || from.rows() != filter.rows() || from.cols() < filter.cols())
      invalid(name, ": ", from, " and filters ", filter, "; as many rows and no more columns are needed");
    const unsigned width = filter.cols(), places = from.cols() - width + 1;
    std::vector<Expression> shifted;
    for (unsigned i = 0; i < width; ++i) shifted.push_back(pick_range(x, i, places + i, 1));
    const Expression filters = Reshape::call(y, {from.rows() * width, filter[2]}, 1);
    return transpose(filters) * concatenate(shifted);
  }
};

// -- contractions of a tensor of three axes

/// Σ_k x_ijk y_k as a matrix.
inline Expression contract_last(std::string_view caller, const Expression& x, const Expression& y) {
  const Dim from = sizes_of(caller, x), with = sizes_of(caller, y);
  if (from.nd != 3 || !with.is_vector() || with.rows() != from[2])
    invalid(caller, ": ", from, " and ", with, "; three axes, and a vector as long as the last, are needed");
  const Expression rows = Reshape::call(x, {from[0] * from[1], from[2]}, 1) * y;
  return Reshape::call(rows, {from[0], from[1]}, 1);
}

struct Contract3d1d {
  static constexpr auto name = "contract3d_1d", doc = "The matrix Σ_k x_ijk y_k.";
  static constexpr Arg args[] = {"x", "y"};
  static Expression call(const Expression& x, const Expression& y) { return contract_last(name, x, y); }
};

struct Contract3d1dBias {
  static constexpr auto name = "contract3d_1d_bias", doc = "The matrix Σ_k x_ijk y_k + b_ij.";
  static constexpr Arg args[] = {"x", "y", "b"};
  static Expression call(const Expression& x, const Expression& y, const Expression& b) {
    return contract_last(name, x, y) + b;
  }
};

struct Contract3d1d1d {
  static constexpr auto name = "contract3d_1d_1d", doc = "The vector Σ_jk x_ijk y_k z_j.";
  static constexpr Arg args[] = {"x", "y", "z"};
  static Expression call(const Expression& x, const Expression& y, const Expression& z) {
    return contract_last(name, x, y) * z;
  }
};

struct Contract3d1d1dBias {
  static constexpr auto name = "contract3d_1d_1d_bias", doc = "The vector Σ_jk x_ijk y_k z_j + b_i.";
  static constexpr Arg args[] = {"x", "y", "z", "b"};
  static Expression call(const Expression& x, const Expression& y, const Expression& z, const Expression& b) {
    return affine_transform({b, contract_last(name, x, y), z});
  }
};

using CompositeForms =
    Ops<Average, MaximumOfList, ConcatenateColumns, TraceOfProduct, ToDevice, FoldRows, NgramColumns,
        NarrowFilter, Contract3d1d, Contract3d1dBias, Contract3d1d1d, Contract3d1d1dBias>;

}  // namespace dynet::engine

namespace dynet {

inline Expression average(engine::Expressions xs) { return engine::Average::call(xs); }
inline Expression max(engine::Expressions xs) { return engine::MaximumOfList::call(xs); }
// Braces would choose std::max where a program uses both namespaces.
inline Expression max(std::initializer_list<Expression> xs) {
  return engine::MaximumOfList::call(std::span(xs.begin(), xs.size()));
}
inline Expression concatenate_cols(engine::Expressions xs) { return engine::ConcatenateColumns::call(xs); }
inline Expression trace_of_product(const Expression& x, const Expression& y) {
  return engine::TraceOfProduct::call(x, y);
}
inline Expression to_device(const Expression& x, std::string_view device) {
  return engine::ToDevice::call(x, device);
}
inline Expression to_device(const Expression& x, const Device* device) {
  engine::check_device("to_device", device);
  return x;
}
inline Expression fold_rows(const Expression& x, unsigned nrows = 2) {
  return engine::FoldRows::call(x, nrows);
}
inline Expression kmh_ngram(const Expression& x, unsigned n) { return engine::NgramColumns::call(x, n); }
inline Expression filter1d_narrow(const Expression& x, const Expression& f) {
  return engine::NarrowFilter::call(x, f);
}
inline Expression contract3d_1d(const Expression& x, const Expression& y) {
  return engine::Contract3d1d::call(x, y);
}
inline Expression contract3d_1d(const Expression& x, const Expression& y, const Expression& b) {
  return engine::Contract3d1dBias::call(x, y, b);
}
inline Expression contract3d_1d_1d(const Expression& x, const Expression& y, const Expression& z) {
  return engine::Contract3d1d1d::call(x, y, z);
}
inline Expression contract3d_1d_1d(const Expression& x, const Expression& y, const Expression& z,
                                   const Expression& b) {
  return engine::Contract3d1d1dBias::call(x, y, z, b);
}

}  // namespace dynet
