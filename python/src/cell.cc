// Functions of a program that are recorded once and then run as one node.
#include "dynet/nn/cell.h"

#include "python/src/casters.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// A Python function and what was recorded of it, for each list of shapes and of arguments that are no
/// expressions.
class PythonCell {
 public:
  explicit PythonCell(nb::object function) : function_(std::move(function)) {}

  nb::object operator()(const nb::args& args, const nb::kwargs& options) {
    std::vector<Expression> inputs;
    nb::list constants;  // None where an expression stands
    for (const nb::handle arg : args) {
      const Expression* e = expression_in(arg.ptr());
      if (e) inputs.push_back(*e);
      constants.append(e ? nb::none() : nb::borrow(arg));
    }
    const Recording& recording = find(inputs, args, constants, options);
    const Expression node = CellProgram::add(recording.program, inputs);
    if (recording.is_single) return nb::cast(node);
    nb::list results;
    for (size_t i = 0; i < recording.program->output_count(); ++i)
      results.append(nb::cast(recording.program->output(node, i)));
    return nb::tuple(results);
  }

  static int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    const auto& cell = *nb::inst_ptr<PythonCell>(self);
    Py_VISIT(cell.function_.ptr());
    for (const Recording& r : cell.recordings_) {
      Py_VISIT(r.constants.ptr());
      Py_VISIT(r.options.ptr());
    }
    return 0;
  }
  static int clear(PyObject* self) {
    auto& cell = *nb::inst_ptr<PythonCell>(self);
    const nb::object function = std::move(cell.function_);
    const std::vector<Recording> recordings = std::move(cell.recordings_);
    return 0;
  }

 private:
  struct Recording {
    std::vector<Dim> shapes;
    nb::object constants, options;
    std::shared_ptr<const CellProgram> program;
    bool is_single;  // the function returns an expression and not a list of them
  };

  const Recording& find(const std::vector<Expression>& inputs, const nb::args& args,
                        const nb::list& constants, const nb::kwargs& options) {
    std::vector<Dim> shapes;
    for (const Expression& e : inputs) shapes.push_back(e.dim().single_batch());
    for (const Recording& r : recordings_)
      if (r.shapes == shapes && r.constants.equal(constants) && r.options.equal(options)) return r;
    Recording made{shapes, constants, nb::object(options), nullptr, false};
    made.program = record_cell(shapes, [&](const std::vector<Expression>& placeholders) {
      nb::list given;
      size_t next = 0;
      for (const nb::handle arg : args)
        given.append(expression_in(arg.ptr()) ? nb::cast(placeholders[next++]) : nb::borrow(arg));
      return outputs_of(function_(*given, **options), made.is_single);
    });
    recordings_.push_back(std::move(made));
    return recordings_.back();
  }

  static std::vector<Expression> outputs_of(const nb::object& result, bool& is_single) {
    std::vector<Expression> outputs;
    const auto add = [&](nb::handle item) {
      const Expression* e = expression_in(item.ptr());
      if (!e)
        throw nb::type_error(text("cell: the function returned ",
                                  nb::str(item.type().attr("__name__")).c_str(),
                                  "; an Expression or a tuple of them is needed")
                                 .c_str());
      outputs.push_back(*e);
    };
    is_single = !nb::isinstance<nb::tuple>(result) && !nb::isinstance<nb::list>(result);
    if (is_single)
      add(result);
    else
      for (const nb::handle item : result) add(item);
    return outputs;
  }

  nb::object function_;
  std::vector<Recording> recordings_;
};

}  // namespace

void bind_cell(nb::module_& m) {
  static PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(PythonCell::traverse)},
                                {Py_tp_clear, reinterpret_cast<void*>(PythonCell::clear)},
                                {0, nullptr}};
  nb::class_<PythonCell>(m, "_Cell", nb::type_slots(slots), "What dy.cell has recorded of a function.")
      .def(nb::init<nb::object>(), "function"_a)
      .def("__call__", &PythonCell::operator(), "args"_a, "options"_a,
           nb::sig("def __call__(self, *args: object, **options: object) -> object"));
}

}  // namespace dynet::python
