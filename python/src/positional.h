// Calls with positional arguments only, which need not go through nanobind's dispatch.
#pragma once

#include <array>
#include <optional>
#include <tuple>

#include "python/src/casters.h"

namespace dynet::python {

using VectorCall = PyObject* (*)(PyObject* function, PyObject* const* args, size_t flags, PyObject* names);

/// Puts a call before that of a function of nanobind's, and gives the old one.
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
  Argument() {}  // leaves the references as they are
  bool read(PyObject* o) {
    if (PyList_CheckExact(o)) {
      const Py_ssize_t size = NB_LIST_GET_SIZE(o);
      if (size <= few) return read_few(size, [o](Py_ssize_t i) { return NB_LIST_GET_ITEM(o, i); });
    } else if (PyTuple_CheckExact(o)) {
      const Py_ssize_t size = NB_TUPLE_GET_SIZE(o);
      if (size <= few) return read_few(size, [o](Py_ssize_t i) { return NB_TUPLE_GET_ITEM(o, i); });
    }
    return many.emplace().from_python(o, 0, nullptr);
  }
  Expressions get() const {
    return many ? many->operator Expressions() : Expressions(std::span(references.data(), count));
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
  std::optional<nb::detail::make_caster<Expressions>> many;
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

/// The call of a method of T that makes the next T from an expression; Make names it.
template <class T, class Make>
class Successor {
 public:
  static void bind(const nb::class_<T>& type, const char* name) {
    type_of_t = reinterpret_cast<PyTypeObject*>(type.ptr());
    otherwise = intercept(nb::object(type.attr(name)), call);
  }

 private:
  static PyObject* call(PyObject* function, PyObject* const* args, size_t flags, PyObject* names) {
    const bool plain =
        !names && NB_VECTORCALL_NARGS(flags) == 2 && Py_TYPE(args[0]) == type_of_t && nb::inst_ready(args[0]);
    const Expression* x = plain ? expression_in(args[1]) : nullptr;
    if (!x) return otherwise(function, args, flags, names);
    return guarded([&] {
      nb::object next = nb::inst_alloc(reinterpret_cast<PyObject*>(type_of_t));
      new (nb::inst_ptr<T>(next)) T(Make::make(*nb::inst_ptr<T>(args[0]), *x));
      nb::inst_mark_ready(next);
      return next.release().ptr();
    });
  }

  static inline PyTypeObject* type_of_t = nullptr;
  static inline VectorCall otherwise = nullptr;
};

}  // namespace dynet::python
