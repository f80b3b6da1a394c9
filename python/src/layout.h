// Copies the elements of an array from one order of memory to another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

namespace dynet::python {

/// A loop over an axis: how many places it has, and how far apart they lie on each side.
struct AxisLoop {
  size_t n;
  ptrdiff_t from;  // bytes
  ptrdiff_t to;    // elements
};

/// The loops over all axes of an array but those of one place.
class AxisLoops {
 public:
  static constexpr size_t most = 64;  // axes that a buffer may have

  void add(const AxisLoop& loop) {
    if (loop.n != 1) loops_[count_++] = loop;
  }
  /// Brings the first loop that fits to the front; false if none does.
  bool bring_to_front(auto&& fits) {
    const auto end = loops_ + count_, found = std::find_if(loops_, end, fits);
    if (found == end) return false;
    std::rotate(loops_, found, found + 1);
    return true;
  }
  std::span<const AxisLoop> all() const { return {loops_, count_}; }

 private:
  AxisLoop loops_[most];
  size_t count_ = 0;
};

constexpr size_t square_side = 32;

/// Copies a square of elements, or a part of one; its lines lie so far apart.
template <class From, class To, class Convert>
void copy_square(const char* from, ptrdiff_t from_step, To* to, ptrdiff_t to_step, auto rows, auto columns,
                 Convert& convert) {
  To square[square_side][square_side];
  for (size_t r = 0; r < rows; ++r, from += from_step)
    for (size_t c = 0; c < columns; ++c) {
      From element;
      std::memcpy(&element, from + c * sizeof element, sizeof element);
      square[c][r] = convert(element);
    }
  for (size_t c = 0; c < columns; ++c, to += to_step)
    for (size_t r = 0; r < rows; ++r) to[r] = square[c][r];
}

/// Copies along two axes, of which `a` goes from element to element on the side of `to` and `b` on that of
/// `from`: in squares, so that each side is read or written some lines of memory at a time.
template <class From, class To, class Convert>
void copy_squares(const AxisLoop& a, const AxisLoop& b, const char* from, To* to, Convert& convert) {
  constexpr std::integral_constant<size_t, square_side> whole;
  for (size_t j = 0; j < b.n; j += square_side)
    for (size_t i = 0; i < a.n; i += square_side) {
      const char* first = from + static_cast<ptrdiff_t>(i) * a.from + static_cast<ptrdiff_t>(j) * b.from;
      To* target = to + static_cast<ptrdiff_t>(j) * b.to + i;
      const size_t rows = std::min(square_side, a.n - i), columns = std::min(square_side, b.n - j);
      if (rows == square_side && columns == square_side)
        copy_square<From>(first, a.from, target, b.to, whole, whole, convert);
      else
        copy_square<From>(first, a.from, target, b.to, rows, columns, convert);
    }
}

/// Copies all elements, each converted.
template <class From, class To, class Convert>
void copy_along(AxisLoops loops, const char* from, To* to, Convert convert) {
  const auto steps_in = [](const AxisLoop& l) { return l.from == static_cast<ptrdiff_t>(sizeof(From)); };
  const auto steps_out = [](const AxisLoop& l) { return l.to == 1; };
  loops.bring_to_front(steps_in);
  loops.bring_to_front(steps_out);
  const std::span<const AxisLoop> all = loops.all();
  for (const AxisLoop& loop : all)
    if (loop.n == 0) return;
  const AxisLoop one{1, 0, 1}, &inner = all.empty() ? one : all[0];
  const bool in_squares = all.size() > 1 && steps_out(inner) && !steps_in(inner) && steps_in(all[1]);
  const std::span<const AxisLoop> outer = all.subspan(std::min(all.size(), size_t{in_squares ? 2u : 1u}));
  size_t at[AxisLoops::most] = {};
  for (;;) {
    if (in_squares) {
      copy_squares<From>(inner, all[1], from, to, convert);
    } else {
      for (size_t i = 0; i < inner.n; ++i) {
        From element;
        std::memcpy(&element, from + static_cast<ptrdiff_t>(i) * inner.from, sizeof element);
        to[static_cast<ptrdiff_t>(i) * inner.to] = convert(element);
      }
    }
    size_t axis = 0;
    for (; axis < outer.size(); ++axis) {
      from += outer[axis].from, to += outer[axis].to;
      if (++at[axis] < outer[axis].n) break;
      const auto back = static_cast<ptrdiff_t>(at[axis]);
      from -= back * outer[axis].from, to -= back * outer[axis].to;
      at[axis] = 0;
    }
    if (axis == outer.size()) return;
  }
}

}  // namespace dynet::python
