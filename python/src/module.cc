// The extension module: the order in which its parts are bound.
#include "dynet/core/real.h"
#include "python/src/object.h"
#include "python/src/positional.h"
#include "python/src/sharing.h"

NB_MODULE(DYNET_MODULE, m) {
  using namespace dynet::python;
  nb::register_exception_translator([](const std::exception_ptr& error, void*) {
    try {
      std::rethrow_exception(error);
    } catch (const nb::builtin_exception&) {
      throw;  // The binding's own signals.
    } catch (const nb::python_error&) {
      throw;
    } catch (const std::exception&) {
      set_python_error();
    }
  });
  // Programs end in silence. What Python itself leaves alive at its end (objects of daemon threads, of
  // gc.freeze() and of other extensions) is freed by the system, and no user can act on a list of it. That
  // nothing of ours is left is tested in tests/python/test_collected.py.
  nb::set_leak_warnings(false);
  m.attr("__precision__") = sizeof(dynet::real) == 8 ? "float64" : "float32";
  m.attr("__version__") = DYNET_VERSION;
  bind_types(m);
  bind_forks();
  bind_expression(m);
  bind_tensor(m);
  bind_ops(m);
  bind_graph(m);
  bind_inputs(m);
  bind_initializers(m);
  bind_parameters(m);
  bind_lookups(m);
  bind_shape(m);
  bind_format();
  bind_collection(m);
  bind_model_files(m);
  bind_pair(m);
  bind_trainers(m);
  bind_shards(m);
  bind_builders(m);
  bind_treelstm(m);
  bind_softmax(m);
  bind_pickling(m);
  bind_function(m);
  bind_structured(m);
  bind_cell(m);
  bind_cell_steps(m);
  bind_tasks(m);
  bind_inspection(m);
  name_errors(m);
}
