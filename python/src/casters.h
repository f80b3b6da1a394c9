// How nanobind turns Python arguments into the parameters of operations, and expressions into Python objects.
#pragma once

#include <nanobind/stl/string_view.h>

#include "python/src/read.h"

namespace dynet::python {

/// Numbers as arguments: NumPy's are welcome, and floats without a fraction where a size is needed.
struct Whole {
  unsigned value;
  operator unsigned() const { return value; }
};
struct SignedWhole {
  int value;
  operator int() const { return value; }
};
struct Number {
  real value;
  operator real() const { return value; }
};
struct Flag {
  bool value;
  operator bool() const { return value; }
};
/// A lookup table for the length of a call, without a share in it.
struct Table {
  LookupParameterStorage* storage;
  operator LookupParameterStorage&() const { return *storage; }
};

/// Room for the elements of lists on their way into one call; calls may nest, as generators run programs.
template <class T>
class Elements {
 public:
  Elements() : first_(room_.size()) {}
  ~Elements() {
    if (room_.size() > first_) room_.resize(first_);
  }
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;

  bool read(PyObject* o, bool (*reader)(PyObject*, std::vector<T>&)) {
    first_ = room_.size();
    const bool done = reader(o, room_);
    count_ = room_.size() - first_;
    return done;
  }
  std::span<const T> span() const { return {room_.data() + first_, count_}; }

 private:
  static std::vector<T>& room() {
    thread_local std::vector<T> all;
    return all;
  }
  std::vector<T>& room_ = room();
  size_t first_, count_ = 0;
};

}  // namespace dynet::python

namespace nanobind::detail {

template <>
struct type_caster<dynet::Expression> {
  NB_TYPE_CASTER(dynet::Expression, const_name("Expression"))

  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    const dynet::Expression* e = dynet::python::expression_in(src.ptr());
    if (!e) return false;
    value = *e;
    return true;
  }
  static handle from_cpp(const dynet::Expression& e, rv_policy, cleanup_list*) {
    return dynet::python::new_expression(e);
  }
};

template <>
struct type_caster<dynet::Parameter> {
  NB_TYPE_CASTER(dynet::Parameter, const_name("Parameters"))

  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    if (Py_TYPE(src.ptr()) != dynet::python::types.parameters) return false;
    value = reinterpret_cast<dynet::python::ParametersObject*>(src.ptr())->parameter;
    return true;
  }
  static handle from_cpp(const dynet::Parameter& p, rv_policy, cleanup_list*) {
    return dynet::python::new_parameters(p);
  }
};

template <>
struct type_caster<dynet::LookupParameter> {
  NB_TYPE_CASTER(dynet::LookupParameter, const_name("LookupParameters"))

  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    if (Py_TYPE(src.ptr()) != dynet::python::types.lookup) return false;
    value = reinterpret_cast<dynet::python::LookupObject*>(src.ptr())->lookup;
    return true;
  }
  static handle from_cpp(const dynet::LookupParameter& p, rv_policy, cleanup_list*) {
    return dynet::python::new_lookup(p);
  }
};

template <>
struct type_caster<dynet::python::Table> {
  NB_TYPE_CASTER(dynet::python::Table, const_name("LookupParameters"))

  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    if (Py_TYPE(src.ptr()) != dynet::python::types.lookup) return false;
    value.storage = reinterpret_cast<dynet::python::LookupObject*>(src.ptr())->lookup.p.get();
    return true;
  }
};

/// A list argument: its elements lie in reused room until the call is over.
template <class List, class T, bool (*reader)(PyObject*, std::vector<T>&)>
struct list_caster {
  using Value = List;
  template <class>
  using Cast = List;
  template <class>
  static constexpr bool can_cast() {
    return true;
  }
  bool from_python(handle src, uint32_t, cleanup_list*) {
    given = !src.is_none();
    return !given || elements.read(src.ptr(), reader);
  }
  operator List() const { return given ? List(elements.span()) : List(); }

  dynet::python::Elements<T> elements;
  bool given = true;
};

template <>
struct type_caster<dynet::engine::Expressions>
    : list_caster<dynet::engine::Expressions, dynet::Expression, dynet::python::read_expressions> {
  static constexpr auto Name = const_name("collections.abc.Iterable[Expression]");
};

template <>
struct type_caster<dynet::engine::Indices>
    : list_caster<dynet::engine::Indices, unsigned, dynet::python::read_indices> {
  static constexpr auto Name = const_name("collections.abc.Iterable[int]");
};

template <>
struct type_caster<dynet::Dim> {
  NB_TYPE_CASTER(dynet::Dim, const_name("int | collections.abc.Sequence[int]"))

  bool from_python(handle src, uint32_t, cleanup_list*) { return dynet::python::read_dim(src.ptr(), value); }
  static handle from_cpp(const dynet::Dim& dim, rv_policy, cleanup_list*) noexcept {
    PyObject* sizes = PyTuple_New(dim.nd);
    for (unsigned i = 0; sizes && i < dim.nd; ++i)
      NB_TUPLE_SET_ITEM(sizes, i, PyLong_FromUnsignedLong(dim.d[i]));
    return sizes;
  }
};

template <>
struct type_caster<dynet::python::Whole> {
  NB_TYPE_CASTER(dynet::python::Whole, const_name("int"))

  bool from_python(handle src, uint32_t, cleanup_list*) {
    return dynet::python::read_unsigned(src.ptr(), value.value);
  }
};

template <>
struct type_caster<dynet::python::SignedWhole> {
  NB_TYPE_CASTER(dynet::python::SignedWhole, const_name("int"))

  bool from_python(handle src, uint32_t, cleanup_list*) {
    long long number;
    if (!dynet::python::read_whole(src.ptr(), number)) return false;
    value.value = static_cast<int>(number);
    if (value.value != number) dynet::engine::invalid(number, " was given; a smaller number is needed");
    return true;
  }
};

template <>
struct type_caster<dynet::python::Number> {
  NB_TYPE_CASTER(dynet::python::Number, const_name("float"))

  bool from_python(handle src, uint32_t, cleanup_list*) {
    return dynet::python::read_real(src.ptr(), value.value);
  }
};

template <>
struct type_caster<dynet::python::Flag> {
  NB_TYPE_CASTER(dynet::python::Flag, const_name("bool"))

  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    const int truth = PyObject_IsTrue(src.ptr());
    if (truth < 0) PyErr_Clear();
    value.value = truth > 0;
    return truth >= 0;
  }
};

}  // namespace nanobind::detail
