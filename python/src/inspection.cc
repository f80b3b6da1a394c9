// Profiles and schedules as plain data, of which dynet.inspection makes tables and pictures.
#include <nanobind/stl/string.h>

#include "dynet/plan/compile.h"
#include "dynet/run/recorder.h"
#include "dynet/run/settings.h"
#include "python/src/casters.h"
#include "python/src/evaluate.h"
#include "python/src/graph.h"
#include "python/src/program_lines.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// Never destroyed: threads may still be timed when Python ends.
Recorder& recorder() {
  static Recorder& all = *new Recorder;
  return all;
}

/// Operation, the same as it was written, shapes of the arguments, shape, attributes, names of the matrices.
nb::tuple tuple_of(const Kind& kind) {
  nb::list shapes, matrices;
  for (const Dim& dim : kind.x_dims) shapes.append(dim);
  for (const std::string& name : kind.matrices) matrices.append(name);
  return nb::make_tuple(std::string(kind.operation), std::string(kind.written), nb::tuple(shapes), kind.dim,
                        dictionary_of(kind.attributes), nb::tuple(matrices));
}

nb::list kinds_list(std::span<const Kind> kinds) {
  nb::list list;
  for (const Kind& kind : kinds) list.append(tuple_of(kind));
  return list;
}

/// What there is to know of all that was timed, once it has stopped.
nb::tuple stop_recording() {
  recorder().stop();
  nb::list calls, lines;
  for (const RecordedCall& c : recorder().calls())
    calls.append(nb::make_tuple(c.kind, c.nodes, c.items, c.graph, c.thread, c.is_forward, c.start,
                                c.duration, c.bytes));
  const std::span<const LineTotal> totals = recorder().lines();
  for (uint32_t place = 0; place < totals.size(); ++place)
    if (const LineTotal& line = totals[place]; line.nodes > 0 || line.backward > 0)
      lines.append(nb::make_tuple(program_line(place), line.forward, line.backward, line.nodes, line.bytes));
  return nb::make_tuple(calls, kinds_list(recorder().kinds()), lines);
}

/// Batches as (kind, nodes), the kinds, and how long a chain there is of each.
nb::tuple schedule_of(const Expression& e) {
  const Expression node = known_node_of(e);
  if (node.is_parameter()) {
    check_not_recording();
    return nb::make_tuple(nb::list(), nb::list(), nb::list());
  }
  Graph& graph = *node.pg;
  graph.evaluator->check_asked();
  const Graph::BusyGuard use(graph);
  const ExplainedSchedule all = explain_schedule(graph, node.i, policy_of(graph, settings().policy));
  nb::list batches, chains;
  for (size_t i = 0; i < all.schedule.size(); ++i) {
    nb::list nodes;
    for (const uint32_t id : all.schedule.batch(i)) nodes.append(id);
    batches.append(nb::make_tuple(all.kind_of_batch[i], nodes));
  }
  for (const uint32_t length : all.chains) chains.append(length);
  return nb::make_tuple(batches, kinds_list(all.kinds), chains);
}

}  // namespace

void bind_inspection(nb::module_& m) {
  m.def(
      "_start_recording", [] { return recorder().start(); },
      "Begins to keep what is timed; False if that has begun already.");
  m.def("_stop_recording", stop_recording, "Ends it: the calls, their kinds, and the lines of the program.");
  m.def("_schedule", schedule_of, "e"_a, "The batches in which an expression would be evaluated.");
}

}  // namespace dynet::python
