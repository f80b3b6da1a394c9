// Functions of a program that are recorded once and then run as one node.
#include "dynet/nn/cell.h"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "python/src/casters.h"
#include "python/src/cell_key.h"
#include "python/src/owned.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// What a function returned: an expression, or a list or tuple of them.
class Results {
 public:
  Results(const std::string& cell, const nb::object& result) {
    const bool is_list = nb::isinstance<nb::list>(result);
    if (is_list || nb::isinstance<nb::tuple>(result))
      for (const nb::handle item : nb::list(result)) add(cell, item);
    else
      add(cell, result);
    const nb::handle type = result.type();
    if (is_list)
      make_ = nb::borrow(reinterpret_cast<PyObject*>(&PyList_Type));
    else if (nb::isinstance<nb::tuple>(result))
      make_ = nb::hasattr(type, "_make") ? nb::object(type.attr("_make"))
                                         : nb::borrow(reinterpret_cast<PyObject*>(&PyTuple_Type));
  }

  std::vector<Expression> expressions() const {
    std::vector<Expression> list;
    for (const nb::object& o : objects_) list.push_back(*expression_in(o.ptr()));
    return list;
  }
  /// Nodes of the recording are of no use after it; parameters are returned as they are.
  void forget_nodes() {
    for (nb::object& o : objects_)
      if (!expression_in(o.ptr())->is_parameter()) o.reset();
  }
  const nb::object& parameter(size_t i) const { return objects_[i]; }
  nb::object wrap(const nb::list& outputs) const {
    if (!make_.is_valid()) return outputs[0];
    if (make_.ptr() == reinterpret_cast<PyObject*>(&PyList_Type)) return outputs;
    if (make_.ptr() == reinterpret_cast<PyObject*>(&PyTuple_Type))
      return nb::steal(PyList_AsTuple(outputs.ptr()));
    return make_(outputs);
  }
  int traverse(visitproc visit, void* arg) const {
    Py_VISIT(make_.ptr());
    for (const nb::object& o : objects_) Py_VISIT(o.ptr());
    return 0;
  }

 private:
  void add(const std::string& cell, nb::handle item) {
    if (!expression_in(item.ptr()))
      throw type_error(text(cell, ": the function returned ", nb::str(item.type().attr("__name__")).c_str(),
                            "; an Expression or a tuple of them is needed")
                           .c_str());
    objects_.push_back(nb::borrow(item));
  }

  std::vector<nb::object> objects_;
  nb::object make_;  // makes of a list what the function returned, if that was one
};

/// A Python function and what was recorded of it, for each list of arguments.
class PythonCell {
 public:
  PythonCell(nb::object function, std::string name)
      : function_(std::move(function)), name_(std::move(name)) {}

  nb::object operator()(const nb::args& args, const nb::kwargs* options) {
    try {
      return call(args, options);
    } catch (const type_error&) {
      throw;
    } catch (const std::invalid_argument& error) {  // not the program's own
      invalid(named(error));
    } catch (const nb::builtin_exception&) {
      throw;
    } catch (const out_of_memory&) {
      throw;
    } catch (const std::runtime_error& error) {
      failed(named(error));
    }
  }

  int traverse(visitproc visit, void* arg) const {
    Py_VISIT(function_.ptr());
    for (const auto& [key, entry] : all_) {
      const auto& recorded = entry.recorded;
      const auto again = std::ranges::count(recent_, recorded, &Shapes::recorded);
      if (recorded.use_count() != 1 + again) continue;  // there is none, or a call that runs holds it, too
      for (const nb::object& o : recorded->named) Py_VISIT(o.ptr());
      if (const int result = recorded->results.traverse(visit, arg)) return result;
    }
    return 0;
  }
  void clear() {
    const nb::object function = std::move(function_);
    const auto all = std::move(all_);
    const auto recent = std::move(recent_);
    all_.clear(), recent_.clear();
  }

 private:
  /// The text of an error, which begins with the name of the cell.
  std::string named(const std::exception& error) const {
    std::string_view what = error.what();
    for (const std::string& name : {text(RecordedCell::name, ": "), name_ + ": "})
      if (what.starts_with(name)) what.remove_prefix(name.size());
    return text(name_, ": ", what);
  }

  static constexpr size_t most_recordings = 512;  // the least recently used one is forgotten
  static constexpr size_t most_recent = 4;

  struct Recorded {
    std::vector<nb::object> named;  // by address in the key
    Results results;
    std::shared_ptr<const CellRecording> recording;
  };
  /// A call with nothing but expressions of these shapes, perhaps behind an object that stands for itself.
  struct Shapes {
    PyObject* object;
    std::vector<Dim> dims;
    std::shared_ptr<const Recorded> recorded;  // which holds the object
  };

  nb::object call(const nb::args& args, const nb::kwargs* options) {
    std::vector<Expression> xs;
    PyObject* object = nullptr;
    const bool is_simple = !options && only_expressions(args, object, xs);
    const size_t first = object ? 1 : 0;
    if (is_simple)
      if (const std::shared_ptr<const Recorded> recorded = recent(object, xs))
        return call(*recorded, xs, [&](size_t i) { return nb::object(args[first + i]); });
    CellArguments given(name_, args, options ? *options : nb::kwargs());
    const std::shared_ptr<const Recorded> recorded = find(given, args, options ? *options : nb::kwargs());
    const std::vector<nb::object>& named = recorded->named;
    if (is_simple && named.size() == first && (!object || named[0].is(object))) {
      if (recent_.size() < most_recent) recent_.emplace_back();
      recent_[next_recent_++ % most_recent] = {object, given.shapes(), recorded};
    }
    return call(*recorded, given.expressions(), [&](size_t i) { return given.object(i); });
  }

  /// object(i) is that of an expression, as it was given.
  static nb::object call(const Recorded& recorded, std::span<const Expression> xs, auto&& object) {
    const std::vector<Expression> outputs = recorded.recording->call(xs);
    nb::list results;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const CellRecording::Output& output = recorded.recording->outputs()[i];
      const nb::object& known = recorded.results.parameter(i);
      results.append(output.argument != CellRecording::none ? object(output.argument)
                     : known.is_valid()                     ? known
                                                            : nb::cast(outputs[i]));
    }
    return recorded.results.wrap(results);
  }

  static bool only_expressions(const nb::args& args, PyObject*& object, std::vector<Expression>& xs) {
    xs.reserve(args.size());
    for (size_t i = 0; i < args.size(); ++i) {
      PyObject* const arg = PyTuple_GetItem(args.ptr(), static_cast<Py_ssize_t>(i));
      if (const Expression* const e = expression_in(arg))
        xs.push_back(*e);
      else if (i == 0)
        object = arg;
      else
        return false;
    }
    return true;
  }

  std::shared_ptr<const Recorded> recent(PyObject* object, std::span<const Expression> xs) const {
    for (const Shapes& shapes : recent_)
      if (shapes.object == object &&
          std::ranges::equal(shapes.dims, xs, {}, {}, [](const Expression& x) { return dim_of(x); }))
        return shapes.recorded;
    return nullptr;
  }
  struct Entry {
    std::shared_ptr<const Recorded> recorded;  // null: it is kept under the key with batch sizes
    uint64_t last_use;
  };

  std::shared_ptr<const Recorded> find(CellArguments& given, const nb::args& args,
                                       const nb::kwargs& options) {
    std::string key = given.key();
    auto found = all_.find(key);
    const bool by_size = found != all_.end() && !found->second.recorded;
    if (by_size) found = all_.find(key += given.batch_sizes());
    if (found != all_.end()) {
      found->second.last_use = ++uses_;
      return found->second.recorded;
    }
    const auto made = record(given, args, options);
    if (by_size || made->recording->depends_on_batch_size()) {
      keep(given.key(), nullptr);
      keep(given.key() + given.batch_sizes(), made);
    } else {
      keep(given.key(), made);
    }
    return made;
  }

  std::shared_ptr<const Recorded> record(CellArguments& given, const nb::args& args,
                                         const nb::kwargs& options) {
    std::optional<Results> results;
    const auto function = [&](const std::vector<Expression>& placeholders) {
      results.emplace(name_, CellArguments::call(function_, args, options, placeholders));
      return results->expressions();
    };
    auto recording = std::make_shared<const CellRecording>(
        given.shapes(), function, [&](const SharedProgram& made) { return known(made); });
    results->forget_nodes();
    return std::make_shared<const Recorded>(given.take_named(), std::move(*results), std::move(recording));
  }

  SharedProgram known(const SharedProgram& made) const {
    for (const auto& [key, entry] : all_)
      if (entry.recorded)
        for (const SharedProgram& program : entry.recorded->recording->programs())
          if (*program == *made) return program;
    return made;
  }

  void keep(std::string key, const std::shared_ptr<const Recorded>& made) {
    std::shared_ptr<const Recorded> forgotten, replaced;  // freed last: that may run the program's code
    if (all_.size() >= most_recordings) {
      const auto oldest =
          std::ranges::min_element(all_, {}, [](const auto& entry) { return entry.second.last_use; });
      forgotten = std::move(oldest->second.recorded);
      all_.erase(oldest);
      std::erase_if(recent_, [&](const Shapes& shapes) { return shapes.recorded == forgotten; });
    }
    Entry& entry = all_[std::move(key)];
    replaced = std::exchange(entry.recorded, made);
    entry.last_use = ++uses_;
  }

  nb::object function_;
  std::unordered_map<std::string, Entry> all_;
  std::vector<Shapes> recent_;  // the last ones of these
  size_t next_recent_ = 0;
  std::string name_;  // for errors
  uint64_t uses_ = 0;
};

/// Without the detour by a bound method, since steps are called as often as operations.
PyObject* call_cell(PyObject* self, PyObject* args, PyObject* options) {
  return guarded([&] {
    if (!nb::inst_ready(self)) throw type_error("the cell has no function yet");
    PythonCell& cell = *nb::inst_ptr<PythonCell>(self);
    const auto given = nb::borrow<nb::args>(args);
    if (!options || PyDict_Size(options) == 0) return cell(given, nullptr).release().ptr();
    const auto named = nb::borrow<nb::kwargs>(options);
    return cell(given, &named).release().ptr();
  });
}

}  // namespace

void bind_cell(nb::module_& m) {
  PyType_Slot slots[] = {Collected<PythonCell>::slots[0],
                         Collected<PythonCell>::slots[1],
                         {Py_tp_call, reinterpret_cast<void*>(call_cell)},
                         {0, nullptr}};
  nb::class_<PythonCell>(m, "_Cell", nb::type_slots(slots), "What dy.cell has recorded of a function.")
      .def(nb::init<nb::object, std::string>(), "function"_a, "name"_a);
}

}  // namespace dynet::python
