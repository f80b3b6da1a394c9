// Parts of tensors: by index, by range, by list, with strides, and from the batch.
#pragma once

#include "dynet/ops/loops.h"
#include "dynet/ops/shape.h"

namespace dynet::engine {

/// One place along an axis; the index is a word, so that different indices run as one call.
struct Pick : OpDefaults {
  static constexpr bool reads_part = true;
  struct Attrs {
    unsigned axis;
    unsigned batch;  // of the result where one element is picked from several times, else 0
  };
  static constexpr auto name = "pick";
  static constexpr auto doc = R"(
      What lies at an index along axis dim, which disappears: of a vector one number, (1,); of a matrix (r,
      c) with dim=0 a row as (c,), with dim=1 a column as (r,). A negative index counts from the end. Of a
      mini-batch the same place is taken in every batch element. IndexError for an index out of range,
      ValueError for an axis that is not there. The gradient goes to that place alone. x[index] is the same
      along axis 0.

      >>> x = dy.inputVector([10, 20, 30])
      >>> dy.pick(x, 1).value(), dy.pick(x, -1).value()
      (20.0, 30.0))";
  static constexpr Arg args[] = {"e", {"index", 0.0}, {"dim", 0.0}};
  static Dim shape(const Attrs& a, Dims x) {
    check_axis(a.axis, x[0]);
    return x[0].without(a.axis).with_batch(a.batch ? a.batch : x[0].bd);
  }
  static Strides loops(const Axis& x) { return blocks_of(x.inner, x.outer, x.inner * x.n, x.inner); }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Axis x = Axis::of(c.x_dims[0], a.axis);
    e.move(c.count, loops(x), {.from_by = x.inner, .words = c.words}, false, c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    const Axis x = Axis::of(c.x_dims[0], a.axis);
    e.move(c.count, loops(x).swapped(), {.to_by = x.inner, .words = c.words}, true, c.dy, c.dx);
  }
  static Expression call(const Expression& x, int index, unsigned dim) {
    if (index >= 0) return at(x, static_cast<unsigned>(index), dim);
    const Dim& from = shape_of(name, x);
    check_places(name, {}, dim, from);
    return at(x, place_from_end(name, index, dim, from), dim);
  }
  static Expression at(const Expression& x, unsigned index, unsigned dim) {
    const Dim& from = shape_of(name, x);
    check_places(name, only(index), dim, from);
    return apply<Pick>(x, {dim, 0}, repeated(only(index), from.bd));
  }
};

/// pick with an index for each batch element.
struct PickBatch {
  static constexpr auto name = "pick_batch";
  static constexpr auto doc = R"(
      What lies at an index along axis dim, with an index of its own for each batch element: the axis
      disappears, the batch size is the number of indices. An x of batch size 1 is read once for each.
      IndexError for an index out of range, ValueError if there are not as many indices as batch elements.

      >>> x = dy.inputTensor([[1, 2], [3, 4]], batched=True)
      >>> print(dy.pick_batch(x, [0, 1]).npvalue())
      [[1. 4.]])";
  static constexpr Arg args[] = {"e", "indices", {"dim", 0.0}};
  static Expression call(const Expression& x, Indices indices, unsigned dim) {
    const Dim& from = shape_of(name, x);
    const auto batch = static_cast<unsigned>(indices.size());
    check_places(name, indices, dim, from);
    if (batch == 0 || (from.bd != 1 && from.bd != batch))
      invalid(name, ": ", batch, " indices for ", from, "; one for each batch element is needed");
    return apply<Pick>(x, {dim, from.bd == batch ? 0 : batch}, indices);
  }
};

/// The places from begin up to, but not including, end along an axis.
struct PickRange : OpDefaults {
  static constexpr bool reads_part = true;
  struct Attrs {
    unsigned begin, end, axis;
  };
  static constexpr auto name = "pick_range";
  static constexpr auto doc = R"(
      The places from s up to, but not including, e along axis d: (6, 2) becomes (e - s, 2) for d = 0, the
      default. ValueError for an empty range, one that ends beyond the axis, or an axis that is not there.
      Along the last axis nothing is copied. x[s:e] is the same along axis 0.

      >>> x = dy.inputVector([10, 20, 30, 40])
      >>> print(dy.pick_range(x, 1, 3).npvalue())
      [20. 30.])";
  static constexpr Arg args[] = {"x", "s", "e", {"d", 0.0}};
  static Dim shape(const Attrs& a, Dims x) {
    check_axis(a.axis, x[0]);
    if (a.begin >= a.end || a.end > x[0][a.axis])
      invalid("range ", a.begin, " to ", a.end, " of axis ", a.axis, " of ", x[0],
              "; it must hold at least one place and end at ", x[0][a.axis], " or before");
    return x[0].with(a.axis, a.end - a.begin);
  }
  static Strides loops(const Attrs& a, const Axis& x) {
    const size_t n = x.inner * (a.end - a.begin);
    return blocks_of(n, x.outer, x.inner * x.n, n);
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Axis x = Axis::of(c.x_dims[0], a.axis);
    e.move(c.count, loops(a, x), {.from_offset = a.begin * x.inner}, false, c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    const Axis x = Axis::of(c.x_dims[0], a.axis);
    e.move(c.count, loops(a, x).swapped(), {.to_offset = a.begin * x.inner}, true, c.dy, c.dx);
  }
  static Expression call(const Expression& x, unsigned s, unsigned e, unsigned d);
};

/// A range along the last axis lies in one piece of the argument.
struct PickRangeView : View {
  using Attrs = PickRange::Attrs;
  static constexpr auto name = "pick_range_view", doc = "A range of places along the last axis.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "s", "e", {"d", 0.0}};
  static Dim shape(const Attrs& a, Dims x) { return PickRange::shape(a, x); }
  static size_t view_offset(const Attrs& a, Dims x) { return a.begin * Axis::of(x[0], a.axis).inner; }
  static Expression call(const Expression& x, unsigned s, unsigned e, unsigned d) {
    return apply<PickRangeView>(x, {s, e, d});
  }
};

inline Expression PickRange::call(const Expression& x, unsigned s, unsigned e, unsigned d) {
  const Dim from = sizes_of(name, x);
  const bool right = d < axis_count(from) && s < e && e <= from[d];
  return right && Axis::of(from, d).outer == 1 ? PickRangeView::call(x, s, e, d)
                                               : apply<PickRange>(x, {s, e, d});
}

/// What ops that gather by a list share: the words of each item are the list.
///
/// Where a place is taken more than once its gradient is summed first, pairwise, so that all of it is added
/// to the argument's at once.
struct Gather : OpDefaults {
  static constexpr bool reads_part = true;
  static constexpr unsigned batch_axis = Dim::max_dims;
  struct Attrs {
    unsigned axis, count;
    unsigned repeats;  // 1: a place occurs more than once
  };
  static size_t workspace_size(const Attrs& a, Dims x) { return a.repeats ? chosen_size(a, x[0]) : 0; }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    const Axis x = axis_of(a, c.x_dims[0]);
    for (size_t item = 0; item < c.count; ++item)
      each_list(
          a.count,
          [&](unsigned k, ItemList& places) { places.add(c.x[0][item] + c.words[item][k] * x.inner); },
          [&](unsigned first, const ItemList& places) {
            e.move(places.count, loops(a, x), {}, false, places.items(), at(c.y, item, first, x));
          });
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    const Axis x = axis_of(a, c.x_dims[0]);
    const Strides to_places = loops(a, x).swapped();
    for (size_t item = 0; item < c.count; ++item) {
      const uint32_t* words = c.words[item];
      if (a.repeats) {
        sum_repeats(a, e, c, item, x);
        continue;
      }
      each_list(
          a.count, [&](unsigned k, ItemList& places) { places.add(c.dx[item] + words[k] * x.inner); },
          [&](unsigned first, const ItemList& places) {
            e.move(places.count, to_places, {}, true, at(c.dy, item, first, x), places.items());
          });
    }
  }

 private:
  static Axis axis_of(const Attrs& a, const Dim& x) {
    return a.axis == batch_axis ? Axis{1, x.bd, x.batch_size()} : Axis::of(x, a.axis);
  }
  static size_t chosen_size(const Attrs& a, const Dim& x) {
    const Axis axis = axis_of(a, x);
    return axis.outer * axis.inner * a.count;
  }
  /// From the place in x to where it lies in y, in all blocks.
  static Strides loops(const Attrs& a, const Axis& x) {
    return blocks_of(x.inner, x.outer, x.inner * x.n, x.inner * a.count);
  }
  /// The chosen from `first` on.
  static Items at(const Items& chosen, size_t item, unsigned first, const Axis& x) {
    return {chosen[item] + first * x.inner, nullptr, x.inner};
  }
  /// add(k, list) for all k, and act(first of them, list) for each full list and the last.
  static void each_list(unsigned count, auto add, auto act) {
    for (unsigned k = 0; k < count;) {
      const unsigned first = k;
      ItemList list;
      for (; k < count && !list.full(); ++k) add(k, list);
      act(first, list);
    }
  }
  /// The chosen by place; those of one place as they come.
  static std::span<const unsigned> by_place(const uint32_t* words, unsigned count) {
    thread_local std::vector<unsigned> order;
    order.resize(count);
    for (unsigned k = 0; k < count; ++k) order[k] = k;
    std::ranges::sort(order, {}, [=](unsigned k) { return std::pair(words[k], k); });
    return order;
  }
  /// Adds numbers that lie at some addresses to those at others, many by one call.
  struct Adder {
    Engine& e;
    const Strides strides;
    ItemList from = {}, to = {};

    void add(real* x, real* sum) {
      from.add(x), to.add(sum);
      if (from.full()) flush();
    }
    void flush() {
      e.move(from.count, strides, {}, true, from.items(), to.items());
      from.count = to.count = 0;
    }
  };
  /// The gradients of one place are added pairwise, where it was taken first.
  static void sum_repeats(const Attrs& a, Engine& e, const Call& c, size_t item, const Axis& x) {
    const uint32_t* words = c.words[item];
    const std::span order = by_place(words, a.count);
    const size_t size = chosen_size(a, c.x_dims[0]);
    real* const sums = c.workspace[item];
    e.move(1, run_of(size), {}, false, {c.dy[item], nullptr, size}, {sums, nullptr, size});
    // act(first, count) for the chosen of each place, which lie in `order` from `first` on.
    const auto each_place = [&](auto act) {
      for (unsigned first = 0, end; first < a.count; first = end) {
        for (end = first + 1; end < a.count && words[order[end]] == words[order[first]];) ++end;
        act(first, end - first);
      }
    };
    Adder among{e, blocks_of(x.inner, x.outer, x.inner * a.count, x.inner * a.count)};
    unsigned longest = 1;
    for (unsigned apart = 1; apart <= longest; apart *= 2) {
      each_place([&](unsigned first, unsigned count) {
        longest = std::max(longest, count - 1);
        for (unsigned k = first; k + apart < first + count; k += 2 * apart)
          among.add(sums + order[k + apart] * x.inner, sums + order[k] * x.inner);
      });
      among.flush();
    }
    Adder to_places{e, loops(a, x).swapped()};
    each_place([&](unsigned first, unsigned) {
      const unsigned k = order[first];
      to_places.add(sums + k * x.inner, c.dx[item] + words[k] * x.inner);
    });
    to_places.flush();
  }
};

/// Places along an axis.
struct PickList : Gather {
  static constexpr auto name = "pick_list", doc = "A list of places along an axis.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "places", "axis"};
  static Dim shape(const Attrs& a, Dims x) { return x[0].with(a.axis, a.count); }
  static Expression call(const Expression& x, Indices places, unsigned axis) {
    return make(name, x, places, axis);
  }
  static Expression make(std::string_view caller, const Expression& x, Indices places, unsigned axis) {
    const Dim& from = shape_of(caller, x);
    if (places.empty()) invalid(caller, ": an empty list; at least one index is needed");
    check_places(caller, places, axis, from);
    return apply<PickList>(x, {axis, static_cast<unsigned>(places.size()), has_repeats(places)},
                           repeated(places, from.bd));
  }
};

struct SelectRows {
  static constexpr bool chooses = true;  // a mask is no list of what it chooses
  static constexpr auto name = "select_rows";
  static constexpr auto doc = R"(
      The rows rs of a tensor, in the order of the list: (r, c) becomes (len(rs), c). A row may come more
      than once; its gradients are then summed. Every batch element is treated alike. IndexError for a row
      that is not there, ValueError for an empty list.

      >>> x = dy.inputTensor([[1, 2], [3, 4], [5, 6]])
      >>> print(dy.select_rows(x, [2, 0]).npvalue())
      [[5. 6.]
       [1. 2.]])";
  static constexpr Arg args[] = {"x", "rs"};
  static Expression call(const Expression& x, Indices rs) { return PickList::make(name, x, rs, 0); }
};

struct SelectColumns {
  static constexpr bool chooses = true;  // a mask is no list of what it chooses
  static constexpr auto name = "select_cols";
  static constexpr auto doc = R"(
      The columns cs of a tensor, in the order of the list: (r, c) becomes (r, len(cs)). A column may come
      more than once; its gradients are then summed. Every batch element is treated alike. IndexError for a
      column that is not there, ValueError for an empty list.

      >>> x = dy.inputTensor([[1, 2, 3], [4, 5, 6]])
      >>> print(dy.select_cols(x, [2, 0]).npvalue())
      [[3. 1.]
       [6. 4.]])";
  static constexpr Arg args[] = {"x", "cs"};
  static Expression call(const Expression& x, Indices cs) { return PickList::make(name, x, cs, 1); }
};

/// Ranges with a step along several axes, of which the last entry may be the batch.
template <Batching how>
struct StridedSelectOf : OpDefaults {
  static constexpr bool reads_part = true;
  static constexpr unsigned batch_axis = Dim::max_dims;
  struct Attrs {
    unsigned begin[batch_axis + 1], step[batch_axis + 1], size[batch_axis + 1];
  };
  static constexpr Batching batching = how;
  static Dim shape(const Attrs& a, Dims x) {
    Dim y = x[0];
    for (unsigned i = 0; i < y.nd; ++i) y.d[i] = a.size[i];
    return how == Batching::nodes ? y.with_batch(a.size[batch_axis]) : y;
  }
  static void tell(const Attrs& a, Dims x, AttributeList& list) {
    const auto add = [&](std::string_view name, const unsigned* numbers) {
      std::vector<unsigned> along(numbers, numbers + x[0].nd);
      if (how == Batching::nodes) along.push_back(numbers[batch_axis]);
      list.add_list(name, along.data(), along.size());
    };
    add("begin", a.begin), add("step", a.step), add("size", a.size);
  }
  static Strides loops(const Attrs& a, const Dim& x, size_t& offset) {
    Strides s;
    size_t from = 1, to = 1;
    offset = 0;
    const auto axis = [&](unsigned i, unsigned n) {
      offset += a.begin[i] * from;
      if (a.size[i] > 1)
        s.axis(a.size[i], static_cast<ptrdiff_t>(from * a.step[i]), static_cast<ptrdiff_t>(to));
      from *= n, to *= a.size[i];
    };
    for (unsigned i = 0; i < x.nd; ++i) axis(i, x.d[i]);
    if (how == Batching::nodes) axis(batch_axis, x.bd);
    if (s.nd == 0) s.axis(1, 1, 1);
    return s;
  }
  static void forward(const Attrs& a, Engine& e, const Call& c) {
    size_t offset;
    const Strides s = loops(a, c.x_dims[0], offset);
    e.move(c.count, s, {.from_offset = offset}, false, c.x[0], c.y);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned) {
    size_t offset;
    const Strides s = loops(a, c.x_dims[0], offset);
    e.move(c.count, s.swapped(), {.to_offset = offset}, true, c.dy, c.dx);
  }
};

struct StridedSelectBatch : StridedSelectOf<Batching::nodes> {
  static constexpr auto name = "strided_select_batch", doc = "Ranges with steps, along the batch too.";
  static constexpr bool hidden = true;
  static constexpr Arg args[] = {"x", "strides", {"range_from", {}}, {"range_to", {}}};
  static Expression call(const Expression& x, Indices strides, Indices from, Indices to);
};

struct StridedSelect : StridedSelectOf<Batching::elements> {
  static constexpr auto name = "strided_select";
  static constexpr auto doc = R"(
      Every strides[i]-th place from range_from[i] up to, but not including, range_to[i] along each axis i.
      An entry after the last axis is for the mini-batch. Missing entries take all: stride 1, from 0, to the
      end. ValueError for a stride of 0, an empty range, one that ends beyond the axis, and too many
      entries. Slices, as x[::2, 1:], are written by it.

      >>> x = dy.inputVector([0, 1, 2, 3, 4, 5])
      >>> print(dy.strided_select(x, [2]).npvalue(), dy.strided_select(x, [2], [1], [4]).npvalue())
      [0. 2. 4.] [1. 3.])";
  static constexpr Arg args[] = {"x", "strides", {"range_from", {}}, {"range_to", {}}};
  static Expression call(const Expression& x, Indices strides, Indices from, Indices to) {
    const size_t entries = std::max({strides.size(), from.size(), to.size()});
    Dim dim = sizes_of(name, x);
    if (entries > dim.nd) dim = shape_of(name, x);
    if (entries > dim.nd + 1)
      invalid(name, ": ", entries, " ranges for ", dim, "; at most ", dim.nd, " and one for the batch");
    Attrs a{};
    unsigned selected = 0, last = 0;  // axes of which not all is taken
    for (unsigned i = 0; i <= dim.nd; ++i) {
      const unsigned slot = i == dim.nd ? batch_axis : i, n = i == dim.nd ? dim.bd : dim[i];
      entry(a, slot, n, i < strides.size() ? strides[i] : 1, i < from.size() ? from[i] : 0,
            i < to.size() ? to[i] : n);
      if (a.size[slot] != n) ++selected, last = slot;
    }
    if (selected == 0) return x;
    if (a.size[batch_axis] != dim.bd)
      return apply<StridedSelectBatch>(x, std::bit_cast<StridedSelectBatch::Attrs>(a));
    if (selected == 1 && a.step[last] == 1)
      return PickRange::call(x, a.begin[last], a.begin[last] + a.size[last], last);
    return apply<StridedSelect>(x, a);
  }

 private:
  static void entry(Attrs& a, unsigned slot, unsigned n, unsigned step, unsigned begin, unsigned end) {
    if (step == 0 || begin >= end || end > n)
      invalid(name, ": every ", step, ". place from ", begin, " to ", end, " of ", n,
              "; a positive step and a range that is not empty are needed");
    a.begin[slot] = begin, a.step[slot] = step, a.size[slot] = (end - begin + step - 1) / step;
  }
};

inline Expression StridedSelectBatch::call(const Expression& x, Indices strides, Indices from, Indices to) {
  return StridedSelect::call(x, strides, from, to);
}

/// Batch elements in the order of a list.
struct PickBatchElements : Gather {
  static constexpr Batching batching = Batching::nodes;
  static constexpr bool chooses = true;  // a mask is no list of what it chooses
  static constexpr auto name = "pick_batch_elems";
  static constexpr auto doc = R"(
      The batch elements vs, in this order, as a mini-batch of len(vs). One may come more than once; its
      gradients are then summed. With it a shrinking mini-batch drops the sentences that have ended.
      IndexError for one that is not there, ValueError for an empty list.

      >>> x = dy.inputTensor([[1, 2, 3], [4, 5, 6]], batched=True)
      >>> print(dy.pick_batch_elems(x, [2, 0]).npvalue())
      [[3. 1.]
       [6. 4.]])";
  static constexpr Arg args[] = {"x", "vs"};
  static Dim shape(const Attrs& a, Dims x) { return x[0].with_batch(a.count); }
  static Expression call(const Expression& x, Indices vs) { return make(name, x, vs); }
  static Expression make(std::string_view caller, const Expression& x, Indices vs) {
    if (vs.empty()) invalid(caller, ": an empty list; at least one batch element is needed");
    check_indices(caller, vs, shape_of(caller, x).bd, "the batch");
    return apply<PickBatchElements>(x, {batch_axis, static_cast<unsigned>(vs.size()), has_repeats(vs)}, vs);
  }
};

struct PickBatchElement {
  static constexpr auto name = "pick_batch_elem";
  static constexpr auto doc = R"(
      Batch element v alone: the shape of x, batch size 1. The gradient goes to that batch element.
      IndexError if v is not below the batch size.

      >>> x = dy.inputTensor([[1, 2, 3], [4, 5, 6]], batched=True)
      >>> print(dy.pick_batch_elem(x, 1).npvalue())
      [2. 5.])";
  static constexpr Arg args[] = {"x", "v"};
  static Expression call(const Expression& x, unsigned v) {
    return PickBatchElements::make(name, x, only(v));
  }
};

using Selections =
    Ops<Pick, PickRange, PickRangeView, PickList, StridedSelect, StridedSelectBatch, PickBatchElements>;
using SelectionForms = Ops<PickBatch, SelectRows, SelectColumns, PickBatchElement>;

}  // namespace dynet::engine

namespace dynet {

inline Expression pick(const Expression& x, unsigned index, unsigned d = 0) {
  return engine::Pick::at(x, index, d);
}
inline Expression pick(const Expression& x, engine::Indices indices, unsigned d = 0) {
  return engine::PickBatch::call(x, indices, d);
}
inline Expression pick_range(const Expression& x, unsigned s, unsigned e, unsigned d = 0) {
  return engine::PickRange::call(x, s, e, d);
}
/// DyNet 2's older name of pick_range.
inline Expression pickrange(const Expression& x, unsigned s, unsigned e) { return pick_range(x, s, e); }
inline Expression select_rows(const Expression& x, engine::Indices rows) {
  return engine::SelectRows::call(x, rows);
}
inline Expression select_cols(const Expression& x, engine::Indices columns) {
  return engine::SelectColumns::call(x, columns);
}
inline Expression strided_select(const Expression& x, engine::Indices strides,
                                 engine::Indices range_from = {}, engine::Indices range_to = {}) {
  return engine::StridedSelect::call(x, strides, range_from, range_to);
}
inline Expression pick_batch_elem(const Expression& x, unsigned v) {
  return engine::PickBatchElement::call(x, v);
}
inline Expression pick_batch_elems(const Expression& x, engine::Indices vs) {
  return engine::PickBatchElements::call(x, vs);
}

}  // namespace dynet
