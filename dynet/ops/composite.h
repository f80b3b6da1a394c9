// Functions made of other operations: no kernel and no gradient of their own.
#pragma once

#include "dynet/device/device.h"
#include "dynet/ops/linear.h"
#include "dynet/ops/norm.h"
#include "dynet/ops/select.h"

namespace dynet::engine {

struct Average {
  static constexpr auto name = "average";
  static constexpr auto doc = R"(
      The mean of a list of expressions of one shape: Σ x_i / n. A batch size of 1 stretches. ValueError for
      different shapes or an empty list. Each argument gets 1 / n of the gradient.

      >>> xs = [dy.inputVector([1, 2]), dy.inputVector([3, 6])]
      >>> print(dy.average(xs).npvalue())
      [2. 4.])";
  static constexpr Arg args[] = {"xs"};
  static Expression call(Expressions xs) {
    if (xs.empty()) invalid(name, ": an empty list; at least one expression is needed");
    return SumOfList::call(xs) / static_cast<real>(xs.size());
  }
};

struct MaximumOfList {
  static constexpr auto name = "emax";
  static constexpr auto doc = R"(
      The largest of a list of expressions, number by number. The gradient goes to the largest, and to the
      first of equal numbers. A size or batch size of 1 stretches; ValueError where sizes differ otherwise,
      and for an empty list.

      >>> xs = [dy.inputVector([1, 5]), dy.inputVector([3, 2]), dy.inputVector([2, 9])]
      >>> print(dy.emax(xs).npvalue())
      [3. 9.])";
  static constexpr Arg args[] = {"xs"};
  static Expression call(Expressions xs) {
    if (xs.empty()) invalid(name, ": an empty list; at least one expression is needed");
    Expression largest = xs[0];
    for (size_t i = 1; i < xs.size(); ++i) largest = max(xs[i], largest);
    return largest;
  }
};

struct ConcatenateColumns {
  static constexpr auto name = "concatenate_cols";
  static constexpr auto doc = R"(
      The expressions side by side, concatenate with d = 1: vectors (r,) become the columns of a matrix (r,
      n), matrices with as many rows are put next to each other. A batch size of 1 stretches. ValueError for
      different numbers of rows or an empty list.

      >>> x, y = dy.inputVector([1, 2]), dy.inputVector([3, 4])
      >>> print(dy.concatenate_cols([x, y]).npvalue())
      [[1. 3.]
       [2. 4.]])";
  static constexpr Arg args[] = {"xs"};
  static Expression call(Expressions xs) { return concatenate(xs, 1); }
};

struct TraceOfProduct {
  static constexpr auto name = "trace_of_product";
  static constexpr auto doc = R"(
      The trace of x yᵀ for two matrices of one shape: Σ x_ij y_ij, shape (1,). It is dot_product under
      another name: no product of matrices is computed. A batch size of 1 stretches. ValueError for
      different shapes.

      >>> x, y = dy.inputTensor([[1, 2], [3, 4]]), dy.inputTensor([[1, 0], [0, 1]])
      >>> dy.trace_of_product(x, y).value()
      5.0)";
  static constexpr Arg args[] = {"x", "y"};
  static Expression call(const Expression& x, const Expression& y) { return dot_product(x, y); }
};

struct ToDevice {
  static constexpr auto name = "to_device";
  static constexpr auto doc = R"(
      The expression itself. Devices exist for programs of DyNet 2, which move expressions to a GPU by it:
      here the device is "CPU" for all, and any other name is a ValueError; an empty one stands for "CPU"
      too.

      >>> x = dy.inputVector([1, 2])
      >>> print(dy.to_device(x, "CPU").npvalue())
      [1. 2.])";
  static constexpr Arg args[] = {"e", "device_str"};
  static Expression call(const Expression& e, std::string_view device_str) {
    if (device_str != "CPU" && !device_str.empty())
      invalid(name, ": device \"", device_str, "\"; \"CPU\" is the only one");
    return e;
  }
};

struct FoldRows {
  static constexpr auto name = "fold_rows";
  static constexpr auto doc = R"(
      Sums of nrows consecutive rows of a matrix: (r, c) becomes (r / nrows, c). nrows is 2 by default. A
      vector is a matrix of one column. ValueError unless r is a multiple of nrows. (Folding of
      Kalchbrenner, Grefenstette and Blunsom 2014)

      >>> x = dy.inputTensor([[1, 2], [10, 20], [3, 4], [30, 40]])
      >>> print(dy.fold_rows(x, nrows=2).npvalue())
      [[11. 22.]
       [33. 44.]])";
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
  static constexpr auto name = "kmh_ngram";
  static constexpr auto doc = R"(
      Sums of v adjacent columns of a matrix: (r, c) becomes (r, c - v + 1), and column k is x_k + … +
      x_(k+v-1). With word vectors as columns these are the bags of words of all v-grams. ValueError unless
      x is a matrix of at least v columns, and for v = 0.

      >>> x = dy.inputTensor([[1, 2, 3, 4]])
      >>> print(dy.kmh_ngram(x, 2).npvalue())
      [[3. 5. 7.]])";
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
  static constexpr auto name = "filter1d_narrow";
  static constexpr auto doc = R"(
      Correlation along the columns of x (d, s) with filters of full height y (d, m), or n of them (d, m,
      n): the result is (n, s - m + 1), y_k = Σ x_(i,k+j) f_(i,j). Without padding, hence narrow. ValueError
      for different numbers of rows, or filters wider than x.

      >>> x, f = dy.inputTensor([[1, 2, 3, 4]]), dy.inputTensor([[1, -1]])
      >>> print(dy.filter1d_narrow(x, f).npvalue())
      [[-1. -1. -1.]])";
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
  static constexpr auto name = "contract3d_1d";
  static constexpr auto doc = R"(
      The product of a tensor x (a, b, c) with a vector y (c,) along its last axis: the matrix (a, b) with
      z_ij = Σ_k x_ijk y_k. A batch size of 1 stretches. ValueError for other numbers of axes or sizes.

      >>> x, y = dy.inputTensor([[[1, 2], [3, 4]]]), dy.inputVector([1, 10])
      >>> print(dy.contract3d_1d(x, y).npvalue())
      [[21. 43.]])";
  static constexpr Arg args[] = {"x", "y"};
  static Expression call(const Expression& x, const Expression& y) { return contract_last(name, x, y); }
};

struct Contract3d1dBias {
  static constexpr auto name = "contract3d_1d_bias";
  static constexpr auto doc = R"(
      contract3d_1d plus a matrix b (a, b): z_ij = Σ_k x_ijk y_k + b_ij for a tensor x (a, b, c) and a
      vector y (c,). ValueError where sizes do not fit.

      >>> x, y = dy.inputTensor([[[1, 2], [3, 4]]]), dy.inputVector([1, 10])
      >>> print(dy.contract3d_1d_bias(x, y, dy.ones((1, 2))).npvalue())
      [[22. 44.]])";
  static constexpr Arg args[] = {"x", "y", "b"};
  static Expression call(const Expression& x, const Expression& y, const Expression& b) {
    return contract_last(name, x, y) + b;
  }
};

struct Contract3d1d1d {
  static constexpr auto name = "contract3d_1d_1d";
  static constexpr auto doc = R"(
      The product of a tensor x (a, b, c) with vectors y (c,) and z (b,) along its last and its middle axis:
      the vector (a,) with v_i = Σ_jk x_ijk y_k z_j, a bilinear form for each i, as in neural tensor
      networks (Socher, Chen, Manning and Ng 2013). ValueError where sizes do not fit.

      >>> x, y, z = dy.inputTensor([[[1, 2], [3, 4]]]), dy.inputVector([1, 10]), dy.inputVector([1, 1])
      >>> print(dy.contract3d_1d_1d(x, y, z).npvalue())
      [64.])";
  static constexpr Arg args[] = {"x", "y", "z"};
  static Expression call(const Expression& x, const Expression& y, const Expression& z) {
    return contract_last(name, x, y) * z;
  }
};

struct Contract3d1d1dBias {
  static constexpr auto name = "contract3d_1d_1d_bias";
  static constexpr auto doc = R"(
      contract3d_1d_1d plus a vector b (a,): v_i = Σ_jk x_ijk y_k z_j + b_i for a tensor x (a, b, c) and
      vectors y (c,) and z (b,). ValueError where sizes do not fit.

      >>> x, y, z = dy.inputTensor([[[1, 2], [3, 4]]]), dy.inputVector([1, 10]), dy.inputVector([1, 1])
      >>> print(dy.contract3d_1d_1d_bias(x, y, z, dy.inputVector([0.5])).npvalue())
      [64.5])";
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
