// Calls with positional arguments only, which need not go through nanobind's dispatch.
#pragma once

#include <array>
#include <tuple>

#include "python/src/casters.h"

namespace dynet::python {

using VectorCall = PyObject* (*)(PyObject* function, PyObject* const* args, size_t flags, PyObject* names);

/// Puts a call before that of a function of nanobind's; gives the old one, or null if it has another layout.
VectorCall intercept(nb::handle function, VectorCall call);

/// An argument, read as nanobind reads it. Where that fails nanobind is asked, which says what is wrong.
template <class P>
struct Argument {
  bool read(PyObject* o) { return caster.from_python(o, 0, nullptr); }
  decltype(auto) get() { return caster.operator nb::detail::cast_t<P>(); }

  nb::detail::make_caster<P> caster;
};

/// An expression, where it lies in its object.
template <>
struct Argument<const Expression&> {
  bool read(PyObject* o) { return (in = expression_in(o)); }
  const Expression& get() const { return *in; }

  const Expression* in;
};

/// A list of expressions: those of a short one stay in their objects.
template <>
struct Argument<Expressions> {
  bool read(PyObject* o) {
    if (PyList_CheckExact(o)) {
      const Py_ssize_t size = NB_LIST_GET_SIZE(o);
      if (size <= few) return read_few(size, [o](Py_ssize_t i) { return NB_LIST_GET_ITEM(o, i); });
    } else if (PyTuple_CheckExact(o)) {
      const Py_ssize_t size = NB_TUPLE_GET_SIZE(o);
      if (size <= few) return read_few(size, [o](Py_ssize_t i) { return NB_TUPLE_GET_ITEM(o, i); });
    }
    is_long = true;
    return many.from_python(o, 0, nullptr);
  }
  Expressions get() const {
    return is_long ? many.operator Expressions() : Expressions(std::span(references.data(), count));
  }

 private:
  static constexpr Py_ssize_t few = 16;

  bool read_few(Py_ssize_t size, auto&& item) {
    for (; count < static_cast<size_t>(size); ++count)
      if (!(references[count].to = expression_in(item(static_cast<Py_ssize_t>(count))))) return false;
    return true;
  }

  std::array<Expressions::Reference, few> references;
  size_t count = 0;
  bool is_long = false;
  nb::detail::make_caster<Expressions> many;
};

/// The call of a function with parameters P that makes an expression; Make names it.
template <class Make, class... P>
class Positional {
 public:
  /// The defaults are those of the last parameters.
  static void bind(nb::handle function, const std::array<nb::object, sizeof...(P)>& values) {
    for (size_t i = 0; i < sizeof...(P); ++i) defaults[i] = nb::object(values[i]).release().ptr();
    otherwise = intercept(function, call);
  }

 private:
  static PyObject* call(PyObject* function, PyObject* const* args, size_t flags, PyObject* names) {
    return call(function, args, flags, names, std::index_sequence_for<P...>{});
  }
  template <size_t... I>
  static PyObject* call(PyObject* function, PyObject* const* args, size_t flags, PyObject* names,
                        std::index_sequence<I...>) {
    const auto count = static_cast<size_t>(NB_VECTORCALL_NARGS(flags));
    if (names || count > sizeof...(P)) return otherwise(function, args, flags, names);
    PyObject* const all[] = {(I < count ? args[I] : defaults[I])..., nullptr};
    bool given = true;
    for (size_t i = 0; i < sizeof...(P); ++i) given &= i < count ? all[i] != Py_None : all[i] != nullptr;
    return guarded([&]() -> PyObject* {
      std::tuple<Argument<P>...> arguments;
      if (!given || !(std::get<I>(arguments).read(all[I]) && ...))
        return otherwise(function, args, flags, names);
      return new_expression(Make::make(std::get<I>(arguments).get()...));
    });
  }

  static inline PyObject* defaults[sizeof...(P) + 1] = {};
  static inline VectorCall otherwise = nullptr;
};

}  // namespace dynet::python
