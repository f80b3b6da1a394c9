// Puts calls before those of nanobind's functions, which keep their names, signatures and docstrings.
#include "python/src/positional.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <vector>

namespace dynet::python {

using namespace nb::literals;

namespace {

PyObject* answer(PyObject*, PyObject* const*, size_t, PyObject*) {
  Py_INCREF(Py_NotImplemented);
  return Py_NotImplemented;
}

VectorCall& call_of(nb::handle function) {
  return *reinterpret_cast<VectorCall*>(reinterpret_cast<char*>(function.ptr()) + sizeof(PyVarObject));
}

// nanobind has a few calls, each for functions of one form; each gets one of ours that goes before it.
constexpr size_t most_forms = 16;
VectorCall forms[most_forms];

template <size_t form>
PyObject* call_of_form(PyObject* function, PyObject* const* args, size_t flags, PyObject* names) {
  return named(function, {args, flags, names}, forms[form](function, args, flags, names));
}
template <size_t... form>
VectorCall call_before(VectorCall call, std::index_sequence<form...>) {
  constexpr VectorCall ours[] = {call_of_form<form>...};
  for (const VectorCall known : ours)
    if (call == known) return call;
  for (size_t i = 0; i < most_forms; ++i) {
    if (!forms[i]) forms[i] = call;
    if (forms[i] == call) return ours[i];
  }
  return call;
}

/// The calls that were put before nanobind's, which name errors themselves.
std::vector<VectorCall>& intercepted() {
  static auto& all = *new std::vector<VectorCall>;
  return all;
}

void name_errors_of(nb::handle o) {
  const std::string type = nb::str(o.type().attr("__name__")).c_str();
  if (type != "nb_func" && type != "nb_method") return;
  VectorCall& call = call_of(o);
  if (std::ranges::find(intercepted(), call) == intercepted().end())
    call = call_before(call, std::make_index_sequence<most_forms>());
}

/// The name of the function or class that a text begins with, as in "pick: "; empty if there is none.
std::string_view call_named_by(std::string_view text) {
  const auto is_in_name = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_.-").find(static_cast<char>(c)) != std::string_view::npos;
  };
  const auto end = std::ranges::find_if_not(text, is_in_name);
  return end != text.end() && *end == ':' ? text.substr(0, static_cast<size_t>(end - text.begin())) : "";
}

std::set<std::string, std::less<>>& operation_names() {
  static auto& all = *new std::set<std::string, std::less<>>;
  return all;
}

/// The class of what a constructor makes, if that is one that programs write.
std::string written_class(nb::handle kind) {
  const std::string name = nb::str(kind.attr("__name__")).c_str();
  const std::string module = nb::str(kind.attr("__module__")).c_str();
  return name.starts_with('_') && module.starts_with("dynet.") ? "" : name;
}

/// What a program writes to call a function; empty where none does: cells and functions have the names of
/// programs, and what Python's part of the package calls is named there.
std::string name_of(nb::handle function, nb::handle self) {
  const std::string name = nb::str(function.attr("__name__")).c_str();
  if (name == "__new__" && self.is_valid()) return written_class(self);
  if (name == "__init__" && self.is_valid()) return written_class(self.type());
  if (name == "__setitem__") return "table[i] = row";
  if (name == "__format__") return "format";
  return name.starts_with('_') ? "" : name;
}

/// The text of an error of ours, which begins with the call that the program wrote.
std::string named_text(nb::handle function, nb::handle self, const std::string& old) {
  const std::string own = name_of(function, self);
  if (own.empty() || old.starts_with(own)) return old;
  const std::string_view call = call_named_by(old);
  if (call.empty()) return own + ": " + old;
  // What collections of builders are called is what errors of their classes begin with.
  if (call.ends_with("Builder")) return own + ": " + old;
  if (!operation_names().contains(call) && !call.ends_with("-builder")) return old;
  const std::string name = nb::str(function.attr("__name__")).c_str();
  const bool is_method = self.is_valid() && type_name(function.ptr()) == "nb_method" && name == own;
  return (is_method ? type_name(self.ptr()) + "." : "") + own + old.substr(call.size());
}

/// Whether an error is nanobind's list of what a function takes.
bool lists_what_is_taken(const nb::python_error& error) {
  return error.matches(PyExc_TypeError) &&
         std::string_view(nb::str(error.value()).c_str()).find("(): incompatible function arguments") !=
             std::string_view::npos;
}

/// What is wrong with arguments that fit no form of a function.
std::string explained(nb::handle function, const CallArguments& given) {
  const size_t count = given.count();
  nb::list positional;
  for (size_t i = 0; i < count; ++i) positional.append(nb::handle(given.args[i]));
  nb::dict by_name;
  const size_t names = given.names ? static_cast<size_t>(NB_TUPLE_GET_SIZE(given.names)) : 0;
  for (size_t i = 0; i < names; ++i)
    by_name[nb::handle(NB_TUPLE_GET_ITEM(given.names, static_cast<Py_ssize_t>(i)))] =
        nb::handle(given.args[count + i]);
  return nb::str(nb::module_::import_("dynet.explanation").attr("explain")(function, positional, by_name))
      .c_str();
}

}  // namespace

void add_operation_name(const char* name) { operation_names().insert(name); }

void begin_with(const char* call, bool instead) {
  guarded([&]() -> PyObject* {
    nb::python_error error;  // takes the one that is set
    const std::string old = nb::str(error.value()).c_str();
    const std::string_view named = call_named_by(old);
    if (!was_made_here(error.value().ptr()) || old.starts_with(call))
      error.restore();
    else if (named.empty())
      raise_error(error.type().ptr(), text(call, ": ", old));
    else if (instead && named != "pow" && operation_names().contains(named))
      raise_error(error.type().ptr(), call + old.substr(named.size()));
    else
      error.restore();
    return nullptr;
  });
  leave_as_it_is();
}

void name_error(PyObject* function, const CallArguments& given) {
  guarded([&]() -> PyObject* {
    nb::python_error error;  // takes the one that is set
    bool is_named = false;
    for (PyObject* type :
         {PyExc_ValueError, PyExc_TypeError, PyExc_IndexError, PyExc_MemoryError, PyExc_RuntimeError})
      is_named |= error.matches(type);
    const bool is_ours = was_made_here(error.value().ptr());
    if (given.args && lists_what_is_taken(error)) {
      raise_error(PyExc_TypeError, explained(function, given));
    } else if (is_ours && is_named) {
      const std::string old = nb::str(error.value()).c_str();
      const std::string text = named_text(function, given.count() ? given.args[0] : nullptr, old);
      if (text == old)
        error.restore();
      else
        raise_error(error.type().ptr(), text);
    } else {
      error.restore();
    }
    leave_as_it_is();  // whatever is made at this address later on is another error
    return nullptr;
  });
}

void name_errors(nb::module_& m) {
  m.def(
      "_type_changed",
      [](nb::type_object type) { PyType_Modified(reinterpret_cast<PyTypeObject*>(type.ptr())); }, "type"_a,
      "Lets Python see that members of a type were added behind its back.");
  // What the library and these bindings call what they do for several functions.
  for (const char* name : {"add_parameters", "as_scalar", "initial_state", "initialize", "neg_log_softmax",
                           "populate", "set", "set_s"})
    add_operation_name(name);
  m.def(
      "_a_kind", [](nb::handle o) { return nb::str(a_kind(o.ptr()).c_str()); }, "object"_a.none(),
      "What kind of object it is, with an article.");
  m.def(
      "_is_made", [](nb::handle o) { return !nb::inst_check(o) || nb::inst_ready(o); }, "object"_a.none(),
      "False for an object of a class of ours whose __init__ has not run.");
  for (const nb::handle o : nb::list(nb::dict(m.attr("__dict__")).values())) {
    name_errors_of(o);
    if (!PyType_Check(o.ptr())) continue;
    for (const nb::handle member : nb::list(o.attr("__dict__").attr("values")())) {
      const nb::object getter = nb::getattr(member, "fget", nb::none());
      name_errors_of(getter.is_none() ? member : getter);
    }
  }
}

/// What a function object calls lies behind its head; whether it does is tried out.
VectorCall intercept(nb::handle function, VectorCall call) {
  VectorCall& field = call_of(function);
  const VectorCall old = std::exchange(field, answer);
  const nb::object reply = nb::steal(PyObject_CallNoArgs(function.ptr()));
  const bool answered = reply.ptr() == Py_NotImplemented;
  field = answered ? call : old;
  intercepted().push_back(call);
  if (!reply.is_valid()) PyErr_Clear();
  return old;
}

}  // namespace dynet::python
