// Calls with positional arguments only, which need not go through nanobind's dispatch.
#pragma once

#include <array>
#include <optional>
#include <tuple>

#include "python/src/casters.h"

namespace dynet::python {

using VectorCall = PyObject* (*)(PyObject* function, PyObject* const* args, size_t flags, PyObject* names);

/// What a function was called with, as vector calls have it.
struct CallArguments {
  PyObject* const* args = nullptr;
  size_t flags = 0;
  PyObject* names = nullptr;

  /// How many have no name. Python and nanobind have marks in the upper bits.
  size_t count() const { return args ? static_cast<uint32_t>(flags) : 0; }
};

/// Makes an error of a function's arguments begin with what the program wrote: the function's name, or that
/// of the class for a constructor; and says in one sentence what nanobind lists.
void name_error(PyObject* function, const CallArguments& given = {});
/// Adds a name that errors may begin with, which is none that programs write if another function was called.
void add_operation_name(const char* name);
/// Lets all functions and methods of a module do that.
void name_errors(nb::module_& m);

/// Puts a call before that of a function of nanobind's, and gives the old one.
VectorCall intercept(nb::handle function, VectorCall call);

/// The result of a call; where there is none, the error names the function.
inline PyObject* named(PyObject* function, const CallArguments& given, PyObject* result) {
  if (!result) [[unlikely]]
    name_error(function, given);
  return result;
}

/// What calls of one function that went before nanobind's leave to others, apart from what they do each time.
template <class Call>
class Fallback {
 protected:
  static void put_before(nb::handle f, VectorCall call) {
    function = f.ptr();
    otherwise = intercept(f, call);
  }
  [[gnu::noinline]] static PyObject* ask_nanobind(PyObject* f, PyObject* const* args, size_t flags,
                                                  PyObject* names) {
    return named(f, {args, flags, names}, otherwise(f, args, flags, names));
  }
  /// Turns the C++ exception being handled into a Python one.
  [[gnu::cold, gnu::noinline]] static PyObject* failed() noexcept {
    set_python_error();
    name_error(function);
    return nullptr;
  }

 private:
  static inline PyObject* function = nullptr;
  static inline VectorCall otherwise = nullptr;
};

// An argument is read in two steps: convert() may run the program's code; look_up() runs none, and what it
// finds holds until the call is over. Where one fails nanobind is asked, which says what is wrong.

/// An argument, read as nanobind reads it.
template <class P>
struct Argument {
  bool convert(PyObject* o) { return caster.from_python(o, 0, nullptr); }
  bool look_up(PyObject*) { return true; }
  decltype(auto) get() { return caster.operator nb::detail::cast_t<P>(); }

  nb::detail::make_caster<P> caster;
};

/// An expression, where it lies in its object, which the caller holds.
template <>
struct Argument<const Expression&> {
  bool convert(PyObject*) { return true; }
  bool look_up(PyObject* o) { return (in = expression_in(o)); }
  const Expression& get() const { return *in; }

  const Expression* in;
};

/// The same where None stands for none.
template <>
struct Argument<MaybeExpression> {
  bool convert(PyObject*) { return true; }
  bool look_up(PyObject* o) { return o == Py_None || (in.value = expression_in(o)); }
  MaybeExpression get() const { return in; }

  MaybeExpression in;
};

/// A list of expressions: those of a short one stay in their objects.
template <>
struct Argument<Expressions> {
  Argument() {}  // leaves the references as they are
  bool convert(PyObject* o) {
    return PyList_CheckExact(o) || PyTuple_CheckExact(o) || many.emplace().from_python(o, 0, nullptr);
  }
  bool look_up(PyObject* o) {
    if (PyList_CheckExact(o)) {
      const Py_ssize_t size = NB_LIST_GET_SIZE(o);
      if (size <= few) return read_few(size, [o](Py_ssize_t i) { return NB_LIST_GET_ITEM(o, i); });
    } else if (PyTuple_CheckExact(o)) {
      const Py_ssize_t size = NB_TUPLE_GET_SIZE(o);
      if (size <= few) return read_few(size, [o](Py_ssize_t i) { return NB_TUPLE_GET_ITEM(o, i); });
    }
    return many || many.emplace().from_python(o, 0, nullptr);
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
class Positional : Fallback<Positional<Make, P...>> {
 public:
  /// The defaults are those of the last parameters.
  static void bind(nb::handle function, const std::array<nb::object, sizeof...(P)>& values) {
    for (size_t i = 0; i < sizeof...(P); ++i) defaults[i] = nb::object(values[i]).release().ptr();
    Positional::put_before(function, call);
  }

 private:
  static PyObject* call(PyObject* function, PyObject* const* args, size_t flags, PyObject* names) {
    return call(function, args, flags, names, std::index_sequence_for<P...>{});
  }
  template <size_t... I>
  static PyObject* call(PyObject* function, PyObject* const* args, size_t flags, PyObject* names,
                        std::index_sequence<I...>) {
    const auto count = static_cast<size_t>(NB_VECTORCALL_NARGS(flags));
    if (names || count > sizeof...(P)) return Positional::ask_nanobind(function, args, flags, names);
    PyObject* const all[] = {(I < count ? args[I] : defaults[I])..., nullptr};
    bool given = true;
    for (size_t i = 0; i < sizeof...(P); ++i) given &= i < count ? all[i] != Py_None : all[i] != nullptr;
    try {
      std::tuple<Argument<P>...> arguments;
      if (given && (std::get<I>(arguments).convert(all[I]) && ...) &&
          (std::get<I>(arguments).look_up(all[I]) && ...))
        return new_expression(Make::make(std::get<I>(arguments).get()...));
    } catch (...) {
      return Positional::failed();
    }
    return Positional::ask_nanobind(function, args, flags, names);
  }

  static inline PyObject* defaults[sizeof...(P) + 1] = {};
};

/// The call of a method of T that makes the next T from an expression; Make names it.
template <class T, class Make>
class Successor : Fallback<Successor<T, Make>> {
 public:
  static void bind(const nb::class_<T>& type, const char* name) {
    type_of_t = reinterpret_cast<PyTypeObject*>(type.ptr());
    Successor::put_before(nb::object(type.attr(name)), call);
  }

 private:
  static PyObject* call(PyObject* function, PyObject* const* args, size_t flags, PyObject* names) {
    const bool plain =
        !names && NB_VECTORCALL_NARGS(flags) == 2 && Py_TYPE(args[0]) == type_of_t && nb::inst_ready(args[0]);
    const Expression* x = plain ? expression_in(args[1]) : nullptr;
    if (!x) return Successor::ask_nanobind(function, args, flags, names);
    try {
      nb::object next = nb::inst_alloc(reinterpret_cast<PyObject*>(type_of_t));
      new (nb::inst_ptr<T>(next)) T(Make::make(*nb::inst_ptr<T>(args[0]), *x));
      nb::inst_mark_ready(next);
      return next.release().ptr();
    } catch (...) {
      return Successor::failed();
    }
  }

  static inline PyTypeObject* type_of_t = nullptr;
};

}  // namespace dynet::python
