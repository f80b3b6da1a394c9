// Keys of expressions: indices, slices, lists of places and masks, along the leading axes and the batch.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "dynet/ops/all.h"
#include "python/src/casters.h"
#include "python/src/numbers.h"
#include "python/src/undo.h"

namespace dynet::python {
namespace {

[[noreturn]] void outside(long long index, long long size) {
  bad_index("index ", index, " of an axis of size ", size, "; ", -size, " to ", size - 1, " would be right");
}

unsigned place(long long index, long long size) {
  if (index < -size || index >= size) outside(index, size);
  return static_cast<unsigned>(index < 0 ? index + size : index);
}

Expression pick_row(const Expression& x, long long index) {
  return Pick::at(x, place(index, sizes_of("x[...]", x)[0]), 0);
}

/// A list, an array or another object that NumPy makes one of.
bool is_list(PyObject* key) {
  return PyList_Check(key) || PyRange_Check(key) || PyObject_HasAttrString(key, "__array__");
}

/// The places that a list names, negative ones from the end, or at which a mask of truths is true.
std::vector<unsigned> places_of(PyObject* key, unsigned size) {
  refuse_masked(key);
  const nb::object array = nb::module_::import_("numpy").attr("asarray")(nb::handle(key));
  if (const auto axes = nb::cast<size_t>(array.attr("ndim")); axes != 1)
    throw type_error(text("a key with ", axes, " axes; a list of places along one axis is needed"));
  const nb::list items = nb::list(array.attr("tolist")());
  if (PyList_Check(key)) {
    const auto truths = std::ranges::count_if(nb::list(nb::borrow<nb::list>(key)),
                                              [](nb::handle item) { return is_truth(item.ptr()); });
    if (truths > 0 && static_cast<size_t>(truths) < items.size())
      throw type_error("a list of truths and numbers as a key; one or the other is needed");
  }
  const char kind = *nb::str(array.attr("dtype").attr("kind")).c_str();
  const size_t count = items.size();
  if (kind == 'b' && count != size)
    bad_index("a mask of ", count, " truths for an axis of size ", size, "; one for each place is needed");
  const auto is_whole = [](nb::handle item) {
    const double number = PyFloat_AsDouble(item.ptr());
    return number == std::floor(number);
  };
  if (count > 0 && !std::strchr("biu", kind) && !(kind == 'f' && std::ranges::all_of(items, is_whole)))
    throw type_error(text("a list of ", type_name(nb::object(items[0]).ptr()),
                          " as a key; whole numbers or truths are needed"));
  std::vector<unsigned> places;
  for (size_t i = 0; i < count; ++i) {
    long long index = 0;
    if (!read_whole(nb::object(items[i]).ptr(), index)) throw type_error("a list of whole numbers is needed");
    if (kind != 'b')
      places.push_back(place(index, size));
    else if (index)
      places.push_back(static_cast<unsigned>(i));
  }
  if (places.empty())
    bad_index(kind == 'b' ? "a mask without a true" : "an empty list as a key",
              "; at least one place is needed");
  return places;
}

/// A bound of a slice: None, an int, or a float without a fraction, as in x[:size / 2].
nb::object whole_bound(nb::handle bound) {
  long long whole;
  if (bound.is_none() || PyLong_Check(bound.ptr())) return nb::borrow(bound);
  if (!read_whole(bound.ptr(), whole))
    throw type_error(text("a bound of a slice is ", a_kind(bound.ptr()), "; a whole number is needed"));
  return nb::int_(whole);
}

/// The same slice, whose bounds are ints or None.
nb::object whole_slice(nb::handle slice) {
  const nb::object bounds[] = {whole_bound(slice.attr("start")), whole_bound(slice.attr("stop")),
                               whole_bound(slice.attr("step"))};
  return nb::steal(PySlice_New(bounds[0].ptr(), bounds[1].ptr(), bounds[2].ptr()));
}

/// A slice as programs write it: "5:".
std::string slice_text(nb::handle slice) {
  const auto bound = [](const nb::object& o) {
    return o.is_none() ? std::string() : std::string(nb::repr(o).c_str());
  };
  const std::string step = bound(slice.attr("step"));
  return bound(slice.attr("start")) + ':' + bound(slice.attr("stop")) + (step.empty() ? "" : ':' + step);
}

/// Only keys with more parts than there are axes ask for the batch size, which a cell takes note of.
Dim shape_for(const Expression& x, size_t parts) {
  const Dim sizes = sizes_of("x[...]", x);
  return parts > sizes.nd ? shape_of("x[...]", x) : sizes;
}

/// What a key takes of the leading axes; one more than there are axes is that of the batch.
class Selection {
 public:
  explicit Selection(const Dim& dim) : dim_(dim) {}

  /// `left` is how many more parts the key has.
  void add(PyObject* key, size_t left) {
    if (key == Py_Ellipsis) return skip_axes(left);
    if (count_ > dim_.nd) bad_index("more slices than the ", dim_.nd, " axes of ", dim_, " and the batch");
    const unsigned size = size_of_next();
    long long index;
    single_[count_] = false;
    if (PySlice_Check(key))
      add_slice(key, size);
    else if (read_whole(key, index))
      add_index(place(index, size));
    else if (is_list(key))
      add_list(key, size);
    else
      throw type_error(text("an index is ", a_kind(key),
                            "; a whole number, a slice, or a list of whole numbers or truths is needed"));
  }
  Expression of(const Expression& x) const {
    const auto list = [&](const unsigned* all) { return Indices(std::span(all, count_)); };
    Expression part = StridedSelect::call(x, list(step_), list(from_), list(to_));
    if (!places_.empty())
      part = list_axis_ < dim_.nd ? PickList::call(part, places_, list_axis_)
                                  : PickBatchElements::call(part, places_);
    for (unsigned axis = std::min(count_, dim_.nd); axis-- > 0;)
      if (single_[axis]) part = Pick::at(part, 0, axis);
    return part;
  }

 private:
  unsigned size_of_next() const { return count_ < dim_.nd ? dim_.d[count_] : dim_.bd; }
  void range(unsigned from, unsigned to, unsigned step = 1) {
    from_[count_] = from, to_[count_] = to, step_[count_++] = step;
  }
  void add_index(unsigned index) {
    single_[count_] = true;
    range(index, index + 1);
  }
  void add_slice(PyObject* key, unsigned size) {
    const nb::object slice = whole_slice(key);
    Py_ssize_t start, stop, stride;
    if (PySlice_Unpack(slice.ptr(), &start, &stop, &stride) < 0) nb::raise_python_error();
    if (stride <= 0) bad_index("a slice with step ", stride, "; a positive step is needed");
    if (PySlice_AdjustIndices(size, &start, &stop, stride) == 0)
      bad_index("the slice ", slice_text(slice), " of an axis of size ", size,
                " is empty; at least one place is needed");
    range(static_cast<unsigned>(start), static_cast<unsigned>(stop), static_cast<unsigned>(stride));
  }
  void add_list(PyObject* key, unsigned size) {
    if (!places_.empty()) bad_index("two lists in one key; one at a time is possible");
    places_ = places_of(key, size);
    list_axis_ = count_;
    range(0, size);
  }
  void skip_axes(size_t left) {
    while (count_ + left < dim_.nd) {
      single_[count_] = false;
      range(0, dim_.d[count_]);
    }
  }

  const Dim dim_;
  unsigned count_ = 0;
  unsigned step_[Dim::max_dims + 1], from_[Dim::max_dims + 1], to_[Dim::max_dims + 1];
  bool single_[Dim::max_dims + 1];  // given as an index: the axis disappears
  std::vector<unsigned> places_;    // of one axis, given as a list
  unsigned list_axis_ = 0;
};

PyObject* subscript(PyObject* o, PyObject* key) {
  return guarded("x[...]", [&] {
    const Expression& x = *expression_in(o);
    long long index;
    if (!PySlice_Check(key) && !PyTuple_Check(key) && read_whole(key, index))
      return new_expression(pick_row(x, index));
    const bool has_parts = PyTuple_Check(key);
    const size_t parts = has_parts ? static_cast<size_t>(NB_TUPLE_GET_SIZE(key)) : 1;
    Selection selection(shape_for(x, parts));
    if (has_parts) {
      for (size_t i = 0; i < parts; ++i)
        selection.add(NB_TUPLE_GET_ITEM(key, static_cast<Py_ssize_t>(i)), parts - i - 1);
    } else {
      selection.add(key, 0);
    }
    return new_expression(all_or_nothing([&] { return selection.of(x); }, x));
  });
}

/// Makes expressions iterable. There is no length of a sequence, lest NumPy takes an expression apart.
PyObject* item(PyObject* o, Py_ssize_t index) {
  return guarded("x[...]", [&] { return new_expression(pick_row(*expression_in(o), index)); });
}

/// The size of the first axis; -1 after an error, as Python's slots have it.
Py_ssize_t length(PyObject* o) {
  Py_ssize_t size = -1;
  guarded([&]() -> PyObject* {
    size = sizes_of("len", *expression_in(o))[0];
    return nullptr;
  });
  return size;
}

}  // namespace

void add_subscript_slots(std::vector<PyType_Slot>& slots) {
  slots.insert(slots.end(),
               {slot(Py_mp_subscript, subscript), slot(Py_mp_length, length), slot(Py_sq_item, item)});
}

}  // namespace dynet::python
