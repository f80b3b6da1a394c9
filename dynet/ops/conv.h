// Convolution and pooling over images {height, width, channels}, by way of a tensor of all windows.
#pragma once

#include "dynet/ops/order.h"
#include "dynet/ops/select.h"
#include "dynet/ops/zip.h"

namespace dynet::engine {

/// Windows of an image, and the image itself with the border that windows may reach into.
struct Windows {
  struct Attrs {
    unsigned step[2];
    unsigned
        same;  // 1: windows reach over the border, so that the result is as large as the image over the step
  };
  size_t image[2], window[2], places[2], before[2], padded[2], channels;
  size_t step[2];
  bool has_border;

  Windows(const Attrs& a, const Dim& x, unsigned height, unsigned width)
      : image{x[0], x[1]}, window{height, width}, channels(x[2]), has_border(a.same) {
    for (int i : {0, 1}) {
      step[i] = a.step[i];
      if (step[i] == 0) invalid("stride 0; it must be positive");
      if (!a.same && window[i] > image[i])
        invalid("windows {", height, ",", width, "} in ", x, "; they must fit, or is_valid be False");
      places[i] = (image[i] - (a.same ? 1 : window[i])) / step[i] + 1;
      const size_t reach = (places[i] - 1) * step[i] + window[i];
      const size_t border = a.same && reach > image[i] ? reach - image[i] : 0;
      before[i] = border / 2, padded[i] = image[i] + border;
    }
  }
  /// As the operation's shape needs them: throws where all windows are more numbers than a node can hold.
  Windows checked() const {
    check_memory("windows", windows());
    return *this;
  }

  /// The tensor of all windows.
  Dim windows() const {
    return Dim({size_of_axis(window[0]), size_of_axis(window[1]), size_of_axis(channels),
                size_of_axis(places[0]), size_of_axis(places[1])});
  }
  size_t window_size() const { return window[0] * window[1]; }
  size_t place_count() const { return places[0] * places[1]; }
  size_t padded_size() const { return padded[0] * padded[1] * channels; }

  /// From the (padded) image to {window, places, channels}, or with the channels beside the window.
  Strides gather(bool channels_in_window) const {
    const size_t beside = channels_in_window ? window_size() : window_size() * place_count();
    const size_t per_place = window_size() * (channels_in_window ? channels : 1);
    Strides s;
    const auto axis = [&](size_t n, size_t from, size_t to) {
      s.axis(static_cast<unsigned>(n), static_cast<ptrdiff_t>(from), static_cast<ptrdiff_t>(to));
    };
    axis(window[0], 1, 1);
    axis(window[1], padded[0], window[0]);
    axis(channels, padded[0] * padded[1], beside);
    axis(places[0], step[0], per_place);
    axis(places[1], step[1] * padded[0], per_place * places[0]);
    return s;
  }
  /// From the image to the same place in the padded image.
  Strides into_padded() const {
    Strides s = blocks_of(image[0], image[1], image[0], padded[0]);
    if (channels > 1)
      s.axis(static_cast<unsigned>(channels), static_cast<ptrdiff_t>(image[0] * image[1]),
             static_cast<ptrdiff_t>(padded[0] * padded[1]));
    return s;
  }
  Shift border() const { return {.to_offset = before[0] + before[1] * padded[0]}; }

  /// The image with its border of `value`, in `room` if it has one.
  Items with_border(Engine& e, size_t count, real value, const Items& x, const Items& room) const {
    if (!has_border) return x;
    fill_items(e, count, padded_size(), value, room);
    e.move(count, into_padded(), border(), false, x, room);
    return room;
  }
  /// dx += the sum of what the windows give to each place of the image.
  void scatter(Engine& e, size_t count, bool channels_in_window, const Items& d_windows, const Items& room,
               const Items& dx) const {
    fill_items(e, count, padded_size(), 0, room);
    e.move(count, gather(channels_in_window).swapped(), {}, true, d_windows, room);
    e.move(count, into_padded().swapped(), border().swapped(), true, room, dx);
  }
};

inline Windows::Attrs window_attrs(std::string_view op, Indices stride, bool is_valid) {
  if (stride.size() != 2) invalid(op, ": a stride of ", stride.size(), " numbers; two are needed");
  return {{stride[0], stride[1]}, !is_valid};
}

/// Each window is a column; their transposed matrix times the filters is the result.
struct Conv2d : OpDefaults {
  using Attrs = Windows::Attrs;
  static constexpr auto name = "conv2d";
  static constexpr auto doc = R"(
      Convolution of an image x (H, W, C) with K filters f (h, w, C, K), not flipped: y_ijk = Σ
      x_(i+a,j+b,c) f_abck at every stride[0]-th row and stride[1]-th column. With is_valid, the default,
      filters stay inside the image: (H - h) / stride[0] + 1 rows, rounded down. Else the image is padded
      with zeros, half on each side, to H / stride[0] rows, rounded up. Columns likewise. ValueError where
      channels differ, filters do not fit, or stride is not two positive numbers.

      >>> x, f = dy.inputTensor([[1, 2, 3], [4, 5, 6]]), dy.inputTensor([[1, 1], [1, 1]])
      >>> print(dy.conv2d(x, f, stride=[1, 1]).npvalue().squeeze())
      [12. 16.])";
  static constexpr Arg args[] = {"x", "f", "stride", {"is_valid", 1.0}};

  static Windows windows(const Attrs& a, Dims x) { return Windows(a, x[0], x[1][0], x[1][1]); }
  static Dim shape(const Attrs& a, Dims x) {
    if (x[0].nd > 3 || x[1].nd > 4 || x[0][2] != x[1][2])
      invalid("an image ", x[0], " and filters ", x[1], "; {H,W,C} and {h,w,C,K} are needed");
    if (x.size() > 2 && !x[2].same_sizes({x[1][3]}))
      invalid("a bias of shape ", x[2], " for filters ", x[1], "; {", x[1][3], "} is needed");
    const Windows w = windows(a, x).checked();
    return Dim({static_cast<unsigned>(w.places[0]), static_cast<unsigned>(w.places[1]), x[1][3]},
               common_batch(x));
  }
  static size_t column_size(const Windows& w) { return w.window_size() * w.channels; }
  // Kept: the windows. In backward: the transposed gradient of the result, that of the windows, the padded
  // image.
  static size_t saved_size(const Attrs& a, Dims x) {
    const Windows w = windows(a, x);
    return column_size(w) * w.place_count() + w.padded_size();
  }
  static size_t workspace_size(const Attrs& a, Dims x) {
    const Windows w = windows(a, x);
    return (column_size(w) + x[1][3]) * w.place_count() + w.padded_size();
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Windows w = windows(a, c.x_dims);
    const auto column = static_cast<unsigned>(column_size(w)),
               places = static_cast<unsigned>(w.place_count());
    const unsigned filters = c.x_dims[1][3];
    const Items image = w.with_border(e, c.count, 0, c.x[0], c.saved.part(size_t{column} * places));
    e.move(c.count, w.gather(true), {}, false, image, c.saved);
    Items init;
    if (c.x.size() > 2) {
      Strides over_places;
      over_places.axis(places, 0, 1);
      over_places.axis(filters, 1, places);
      e.move(c.count, over_places, {}, false, c.x[2], c.y);
      init = c.y;
    }
    e.product({.m = column,
               .k = places,
               .n = filters,
               .transposed = true,
               .count = c.count,
               .a = c.saved,
               .x = c.x[1],
               .y = c.y,
               .init = init});
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i) {
    const Windows w = windows(a, c.x_dims);
    const auto column = static_cast<unsigned>(column_size(w)),
               places = static_cast<unsigned>(w.place_count());
    const unsigned filters = c.x_dims[1][3];
    if (i == 0) {
      image_gradient(w, column, e, c);
    } else if (i == 1) {
      e.product({.m = column,
                 .k = places,
                 .n = filters,
                 .count = c.count,
                 .a = c.saved,
                 .x = c.dy,
                 .y = c.dx,
                 .init = c.dx});
    } else {
      Strides over_places;
      over_places.axis(places, 1, 0);
      over_places.axis(filters, places, 1);
      e.move(c.count, over_places, {}, true, c.dy, c.dx);
    }
  }
  static Expression call(const Expression& x, const Expression& f, Indices stride, bool is_valid) {
    return apply<Conv2d>({x, f}, window_attrs(name, stride, is_valid));
  }

 private:
  /// Windows' gradient = filters times the transposed gradient of the result.
  static void image_gradient(const Windows& w, unsigned column, Engine& e, const Call& c) {
    const auto places = static_cast<unsigned>(w.place_count());
    const unsigned filters = c.x_dims[1][3];
    const Items transposed = c.workspace, d_windows = c.workspace.part(size_t{filters} * places);
    Strides transpose;
    transpose.axis(filters, places, 1);
    transpose.axis(places, 1, filters);
    e.move(c.count, transpose, {}, false, c.dy, transposed);
    e.product({.m = column,
               .k = filters,
               .n = places,
               .count = c.count,
               .a = c.x[1],
               .x = transposed,
               .y = d_windows,
               .init = {}});
    w.scatter(e, c.count, true, d_windows, c.workspace.part(size_t{filters + column} * places), c.dx);
  }
};

struct Conv2dBias {
  static constexpr auto name = "conv2d_bias";
  static constexpr auto doc = R"(
      conv2d with a number b_k added to all places of the result of filter k: x (H, W, C), f (h, w, C, K)
      and b (K,) give (H', W', K). The gradient of b_k is summed over the places. ValueError where sizes do
      not fit; stride and is_valid are as in conv2d.

      >>> x, f = dy.inputTensor([[1, 2, 3], [4, 5, 6]]), dy.inputTensor([[1, 1], [1, 1]])
      >>> print(dy.conv2d_bias(x, f, dy.inputVector([100]), stride=[1, 1]).npvalue().squeeze())
      [112. 116.])";
  static constexpr Arg args[] = {"x", "f", "b", "stride", {"is_valid", 1.0}};
  static Expression call(const Expression& x, const Expression& f, const Expression& b, Indices stride,
                         bool is_valid) {
    return apply<Conv2d>({x, f, b}, window_attrs(name, stride, is_valid));
  }
};

struct MaxPooling2d : OpDefaults {
  struct Attrs {
    unsigned window[2];
    Windows::Attrs places;
  };
  static constexpr auto name = "maxpooling2d";
  static constexpr auto doc = R"(
      The largest number of each window of ksize = [height, width] in an image (H, W, C), for each channel,
      at every stride[0]-th row and stride[1]-th column. With is_valid, the default, windows stay inside the
      image: (H - height) / stride[0] + 1 rows, rounded down; else they reach over its border, to H /
      stride[0] rows, rounded up, and what lies outside does not count. The gradient goes to the first of
      equal numbers. ValueError where windows do not fit.

      >>> x = dy.inputTensor([[1, 2, 3, 4], [5, 6, 7, 8]])
      >>> print(dy.maxpooling2d(x, ksize=[2, 2], stride=[2, 2]).npvalue().squeeze())
      [6. 8.])";
  static constexpr Arg args[] = {"x", "ksize", "stride", {"is_valid", 1.0}};

  static Windows windows(const Attrs& a, Dims x) { return Windows(a.places, x[0], a.window[0], a.window[1]); }
  static Axis window_axis(const Windows& w) { return {w.place_count() * w.channels, w.window_size(), 1}; }
  static Dim shape(const Attrs& a, Dims x) {
    if (x[0].nd > 3) invalid("an image of shape ", x[0], "; {H,W,C} is needed");
    if (a.window[0] == 0 || a.window[1] == 0) invalid("a window of size 0; it must be positive");
    const Windows w = windows(a, x).checked();
    return x[0].with(0, static_cast<unsigned>(w.places[0])).with(1, static_cast<unsigned>(w.places[1]));
  }
  static size_t windows_size(const Windows& w) { return w.window_size() * w.place_count() * w.channels; }
  static size_t saved_size(const Attrs& a, Dims x) {
    const Windows w = windows(a, x);
    return windows_size(w) + w.padded_size();
  }
  static size_t workspace_size(const Attrs& a, Dims x) { return saved_size(a, x); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Windows w = windows(a, c.x_dims);
    const real lowest = -std::numeric_limits<real>::infinity();
    const Items image = w.with_border(e, c.count, lowest, c.x[0], c.saved.part(windows_size(w)));
    e.move(c.count, w.gather(false), {}, false, image, c.saved);
    e.extremum(1, c.count, window_axis(w), c.saved, c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    const Windows w = windows(a, c.x_dims);
    fill_items(e, c.count, windows_size(w), 0, c.workspace);
    e.extremum_backward(c.count, window_axis(w), c.saved, c.y, c.dy, c.workspace);
    w.scatter(e, c.count, false, c.workspace, c.workspace.part(windows_size(w)), c.dx);
  }
  static Expression call(const Expression& x, Indices ksize, Indices stride, bool is_valid) {
    if (ksize.size() != 2) invalid(name, ": a window of ", ksize.size(), " sizes; two are needed");
    return apply<MaxPooling2d>(x, {{ksize[0], ksize[1]}, window_attrs(name, stride, is_valid)});
  }
};

/// The largest numbers of each line, in their order; their places are kept for the gradient.
struct KMaxPooling : Ordered<KMaxPooling> {
  static constexpr bool tells_places = false, keeps_order = true, reads_part = true;
  struct Attrs {
    unsigned count, axis;
  };
  static constexpr auto name = "kmax_pooling";
  static constexpr auto doc = R"(
      The k largest numbers along axis d, in the order they have in x: for d = 1, the default, (r, c)
      becomes (r, k), for d = 0 (k, c). Of equal numbers the first ones are taken; NaN counts as largest.
      The gradient goes to the places taken. ValueError unless 1 ≤ k ≤ the size of the axis. (Kalchbrenner,
      Grefenstette and Blunsom 2014)

      >>> x = dy.inputTensor([[3, 1, 4, 1, 5]])
      >>> print(dy.kmax_pooling(x, 3).npvalue())
      [[3. 4. 5.]])";
  static constexpr Arg args[] = {"x", "k", {"d", 1.0}};
  static unsigned taken(const Attrs& a, const Dim&) { return a.count; }
  static Expression call(const Expression& x, unsigned k, unsigned d) {
    return apply<KMaxPooling>(x, {k, d});
  }
};

using Convolutions = Ops<Conv2d, MaxPooling2d, KMaxPooling>;
using ConvolutionForms = Ops<Conv2dBias>;

}  // namespace dynet::engine

namespace dynet {

inline Expression conv2d(const Expression& x, const Expression& f, engine::Indices stride,
                         bool is_valid = true) {
  return engine::Conv2d::call(x, f, stride, is_valid);
}
inline Expression conv2d(const Expression& x, const Expression& f, const Expression& b,
                         engine::Indices stride, bool is_valid = true) {
  return engine::Conv2dBias::call(x, f, b, stride, is_valid);
}
inline Expression maxpooling2d(const Expression& x, engine::Indices ksize, engine::Indices stride,
                               bool is_valid = true) {
  return engine::MaxPooling2d::call(x, ksize, stride, is_valid);
}
inline Expression kmax_pooling(const Expression& x, unsigned k, unsigned d = 1) {
  return engine::KMaxPooling::call(x, k, d);
}

}  // namespace dynet
