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
    return make_.is_valid() ? make_(outputs) : nb::object(outputs[0]);
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

  nb::object operator()(const nb::args& args, const nb::kwargs& options) {
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
      if (recorded.use_count() != 1) continue;  // there is none, or a call that runs holds it, too
      for (const nb::object& o : recorded->named) Py_VISIT(o.ptr());
      if (const int result = recorded->results.traverse(visit, arg)) return result;
    }
    return 0;
  }
  void clear() {
    const nb::object function = std::move(function_);
    const auto all = std::move(all_);
    all_.clear();
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

  nb::object call(const nb::args& args, const nb::kwargs& options) {
    CellArguments given(name_, args, options);
    const std::shared_ptr<const Recorded> recorded = find(given, args, options);
    const std::vector<Expression> outputs = recorded->recording->call(given.expressions());
    nb::list results;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const CellRecording::Output& output = recorded->recording->outputs()[i];
      const nb::object& known = recorded->results.parameter(i);
      results.append(output.argument != CellRecording::none ? given.object(output.argument)
                     : known.is_valid()                     ? known
                                                            : nb::cast(outputs[i]));
    }
    return recorded->results.wrap(results);
  }

  struct Recorded {
    std::vector<nb::object> named;  // by address in the key
    Results results;
    std::shared_ptr<const CellRecording> recording;
  };
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
    }
    Entry& entry = all_[std::move(key)];
    replaced = std::exchange(entry.recorded, made);
    entry.last_use = ++uses_;
  }

  nb::object function_;
  std::unordered_map<std::string, Entry> all_;
  std::string name_;  // for errors
  uint64_t uses_ = 0;
};

}  // namespace

void bind_cell(nb::module_& m) {
  nb::class_<PythonCell>(m, "_Cell", nb::type_slots(Collected<PythonCell>::slots),
                         "What dy.cell has recorded of a function.")
      .def(nb::init<nb::object, std::string>(), "function"_a, "name"_a)
      .def("__call__", &PythonCell::operator(), "args"_a, "options"_a,
           nb::sig("def __call__(self, *args: object, **options: object) -> object"));
}

}  // namespace dynet::python
