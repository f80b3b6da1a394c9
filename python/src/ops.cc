// Binds every operation and every function made of operations, from what their declarations say.
#include <nanobind/stl/string.h>

#include "dynet/ops/all.h"
#include "python/src/docs/process.h"
#include "python/src/docstring.h"
#include "python/src/positional.h"
#include "python/src/undo.h"

namespace dynet::python {
namespace {

/// What a parameter of C++ is in Python.
template <class P>
struct PythonType {
  using type = P;
};
template <>
struct PythonType<unsigned> {
  using type = Whole;
};
template <>
struct PythonType<int> {
  using type = SignedWhole;
};
template <>
struct PythonType<real> {
  using type = Number;
};
template <>
struct PythonType<bool> {
  using type = Flag;
};
template <>
struct PythonType<const Expression*> {
  using type = MaybeExpression;
};
template <class T, class P>
using Python = std::conditional_t<requires { T::chooses; } && std::is_same_v<P, Indices>, Chosen,
                                  typename PythonType<P>::type>;

/// The result of an operation; some of one argument return that.
Expression fresh_result(const Expression& e) {
  if (!e.is_parameter() && e.pg && !(*e.pg).is_current(e)) [[unlikely]]
    check_fresh(e);
  return e;
}

/// The default of a parameter as Python shows it; an optional list or expression is None.
template <class P>
nb::object default_value(const Arg& arg) {
  if constexpr (std::is_same_v<P, const Expression*>) {
    return nb::none();
  } else if constexpr (std::is_same_v<P, Indices>) {
    if (arg.list_size == 0) return nb::none();
    nb::list list;
    for (unsigned i = 0; i < arg.list_size; ++i) list.append(arg.list[i]);
    return nb::tuple(list);
  } else if constexpr (std::is_same_v<P, bool>) {
    return nb::bool_(arg.value != 0);
  } else if constexpr (std::is_same_v<P, real>) {
    return nb::float_(arg.value);
  } else {
    return nb::int_(static_cast<long>(arg.value));
  }
}

template <class T, size_t I, class P>
auto argument() {
  constexpr Arg arg = T::args[I];
  if constexpr (!arg.has_default)
    return nb::arg(arg.name);
  else if constexpr (std::is_same_v<P, Indices> || std::is_same_v<P, const Expression*>)
    return nb::arg(arg.name).none() = default_value<P>(arg);
  else
    return nb::arg(arg.name) = default_value<P>(arg);
}

/// An operation with parameters P, as Python calls it.
template <class T, class... P>
struct Maker {
  static Expression make(Python<T, P>... p) {
    return all_or_nothing([&] { return fresh_result(T::call(p...)); }, p...);
  }
};

template <class T, class... P, size_t... I>
void bind_call(nb::module_& m, Expression (*)(P...), std::index_sequence<I...>) {
  static_assert(std::size(T::args) == sizeof...(P), "every parameter of call() needs a name in args");
  m.def(T::name, Maker<T, P...>::make, argument<T, I, P>()..., docstring(T::doc).c_str());
  Positional<Maker<T, P...>, Python<T, P>...>::bind(
      nb::object(m.attr(T::name)),
      {(T::args[I].has_default ? default_value<P>(T::args[I]) : nb::object())...});
}

template <class T>
constexpr bool is_hidden() {
  if constexpr (requires { T::hidden; })
    return T::hidden;
  else
    return false;
}

template <class T>
void bind_one(nb::module_& m, nb::list& names) {
  names.append(T::name);
  add_operation_name(T::name);
  if constexpr (!is_hidden<T>()) bind_call<T>(m, &T::call, std::make_index_sequence<std::size(T::args)>{});
}

template <class... T>
void bind_all(nb::module_& m, nb::list& names, Ops<T...>) {
  (bind_one<T>(m, names), ...);
}

// Names that DyNet 2 has besides.
struct Zeroes : Zeros {
  static constexpr auto name = "zeroes";
};
struct OldPickRange : PickRange {
  static constexpr auto name = "pickrange";
};

template <class T>
void bind_besides(nb::module_& m) {
  bind_call<T>(m, &T::call, std::make_index_sequence<std::size(T::args)>{});
}

}  // namespace

void bind_ops(nb::module_& m) {
  nb::list names;
  bind_all(m, names, AllOps{});
  bind_all(m, names, Composites{});
  bind_besides<Zeroes>(m);
  bind_besides<OldPickRange>(m);
  m.def("ops", [names]() -> nb::typed<nb::list, std::string> { return nb::list(names); }, docs::process::ops);
}

}  // namespace dynet::python
