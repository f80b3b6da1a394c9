// How nanobind turns Python arguments into the parameters of operations, and expressions into Python objects.
#pragma once

#include <nanobind/stl/string_view.h>

#include <filesystem>
#include <limits>
#include <optional>
#include <string>

#include "python/src/read.h"

namespace dynet::python {

/// Numbers as arguments: NumPy's are welcome, and floats without a fraction where a size is needed.
struct Whole {
  unsigned value;
  operator unsigned() const { return value; }
};
/// Indices that choose places, of which a mask is no list.
struct Chosen : Indices {
  using Indices::Indices;
};
/// Expressions one after another; those of a matrix are its rows, which its graph did not have before.
struct Sequence : Expressions {
  using Expressions::Expressions;
  std::optional<Graph::Mark> before;
};
struct SignedWhole {
  int value;
  operator int() const { return value; }
};
struct Number {
  real value;
  operator real() const { return value; }
};
struct Double {
  double value;
  operator double() const { return value; }
};
struct MaybeDouble {
  std::optional<double> value;
};
struct Flag {
  bool value;
  operator bool() const { return value; }
};
struct MaybeFlag {
  std::optional<bool> value;
};
/// A lookup table for the length of a call, without a share in it.
struct Table {
  LookupParameterStorage* storage;
  operator LookupParameterStorage&() const { return *storage; }
};

/// An expression that need not be given.
struct MaybeExpression {
  const Expression* value = nullptr;
  operator const Expression*() const { return value; }
};

/// A shape that need not be given.
struct MaybeDim {
  std::optional<Dim> value;
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
  static handle from_cpp(const dynet::Expression& e, rv_policy, cleanup_list*) noexcept {
    return dynet::python::guarded([&] { return dynet::python::new_expression(e); });
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
  static handle from_cpp(const dynet::Parameter& p, rv_policy, cleanup_list*) noexcept {
    return dynet::python::guarded([&] { return dynet::python::new_parameters(p); });
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
  static handle from_cpp(const dynet::LookupParameter& p, rv_policy, cleanup_list*) noexcept {
    return dynet::python::guarded([&] { return dynet::python::new_lookup(p); });
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

/// A list argument, whose elements lie in the caster until the call is over.
template <class List, class T, bool (*reader)(PyObject*, dynet::python::Elements<T>&)>
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
    return !given || reader(src.ptr(), elements);
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
struct type_caster<dynet::python::Sequence>
    : list_caster<dynet::python::Sequence, dynet::Expression, dynet::python::read_sequence> {
  static constexpr auto Name = const_name("collections.abc.Iterable[Expression] | Expression");

  bool from_python(handle src, uint32_t flags, cleanup_list* list) {
    if (const dynet::Expression* x = dynet::python::expression_in(src.ptr()))
      if (!x->is_stale()) before = (x->is_parameter() ? dynet::engine::current_graph() : *x->pg).mark();
    return list_caster::from_python(src, flags, list);
  }
  operator dynet::python::Sequence() const {
    dynet::python::Sequence sequence = list_caster::operator dynet::python::Sequence();
    sequence.before = before;
    return sequence;
  }

  std::optional<dynet::engine::Graph::Mark> before;
};

template <>
struct type_caster<dynet::engine::Indices>
    : list_caster<dynet::engine::Indices, unsigned, dynet::python::read_indices> {
  static constexpr auto Name = const_name("collections.abc.Iterable[int]");
};

template <>
struct type_caster<dynet::python::Chosen>
    : list_caster<dynet::python::Chosen, unsigned, dynet::python::read_places> {
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
struct type_caster<dynet::python::MaybeExpression> {
  NB_TYPE_CASTER(dynet::python::MaybeExpression, const_name("Expression"))

  bool from_python(handle src, uint32_t, cleanup_list*) noexcept {
    return src.is_none() || (value.value = dynet::python::expression_in(src.ptr()));
  }
};

template <>
struct type_caster<dynet::python::MaybeDim> {
  NB_TYPE_CASTER(dynet::python::MaybeDim, const_name("int | collections.abc.Sequence[int]"))

  bool from_python(handle src, uint32_t, cleanup_list*) {
    return src.is_none() || dynet::python::read_dim(src.ptr(), value.value.emplace());
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
    return dynet::python::read_signed(src.ptr(), value.value);
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
struct type_caster<dynet::python::Double> {
  NB_TYPE_CASTER(dynet::python::Double, const_name("float"))

  bool from_python(handle src, uint32_t, cleanup_list*) {
    return dynet::python::read_double(src.ptr(), value.value);
  }
};

template <>
struct type_caster<dynet::python::MaybeDouble> {
  NB_TYPE_CASTER(dynet::python::MaybeDouble, const_name("float"))

  bool from_python(handle src, uint32_t, cleanup_list*) {
    return src.is_none() || dynet::python::read_double(src.ptr(), value.value.emplace());
  }
};

template <>
struct type_caster<dynet::python::Flag> {
  NB_TYPE_CASTER(dynet::python::Flag, const_name("bool"))

  bool from_python(handle src, uint32_t, cleanup_list*) {
    value.value = dynet::python::read_truth(src.ptr());
    return true;
  }
};

/// Unlike nanobind's, it lets pass what the conversion of a path raises.
template <>
struct type_caster<std::filesystem::path> {
  NB_TYPE_CASTER(std::filesystem::path, io_name("str | os.PathLike", "str"))

  bool from_python(handle src, uint32_t, cleanup_list*) { return dynet::python::read_path(src.ptr(), value); }
  static handle from_cpp(const std::filesystem::path& path, rv_policy, cleanup_list*) noexcept {
    const std::string& name = path.native();
    return PyUnicode_DecodeFSDefaultAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
  }
};

template <>
struct type_caster<dynet::python::MaybeFlag> {
  NB_TYPE_CASTER(dynet::python::MaybeFlag, const_name("object"))

  bool from_python(handle src, uint32_t, cleanup_list*) {
    if (!src.is_none()) value.value = dynet::python::read_truth(src.ptr());
    return true;
  }
};

// The readers of these throw what tells a user most, which the converters that nanobind makes of others, as
// that of std::optional, cannot let pass: such a combination does not compile.
template <>
uint32_t flags_for_local_caster<dynet::engine::Expressions>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::Sequence>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::engine::Indices>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::Chosen>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::Dim>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::MaybeExpression>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::MaybeDim>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::Whole>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::SignedWhole>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::Number>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::Double>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::MaybeDouble>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::MaybeFlag>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<dynet::python::Flag>(uint32_t) noexcept = delete;
template <>
uint32_t flags_for_local_caster<std::filesystem::path>(uint32_t) noexcept = delete;

}  // namespace nanobind::detail
