// The lines of Python programs that make nodes, while somebody wants to know them.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>

#include "dynet/graph/graph.h"

namespace dynet::python {

/// The number of the record of lines that is being made, under Python's lock; 0: none is.
extern uint32_t line_record;

/// Says of which line of the program the nodes are that a graph has got since this was last said.
void note_line(engine::Graph& graph) noexcept;

/// At its end the nodes that were made meanwhile are noted.
class LineNoted {
 public:
  explicit LineNoted(engine::Graph& graph) : graph_(graph) {}
  ~LineNoted() {
    if (line_record) [[unlikely]]
      note_line(graph_);
  }
  LineNoted(const LineNoted&) = delete;
  LineNoted& operator=(const LineNoted&) = delete;

 private:
  engine::Graph& graph_;
};

/// The traceback.FrameSummary of a place in the program; None for 0.
nanobind::object program_line(uint32_t place);

}  // namespace dynet::python
