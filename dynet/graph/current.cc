// The graphs that each thread has entered, the innermost last.
#include <algorithm>
#include <atomic>
#include <vector>

#include "dynet/graph/graph.h"

namespace dynet::engine {
namespace {

struct Stay {
  GraphHandle graph;
  uint64_t number;
};

/// Freed when the last stay ends, and not with the thread: objects that end with it may still leave graphs.
thread_local std::vector<Stay>* stays = nullptr;
thread_local GraphHandle current;  // of the last one

Graph& (*graph_maker)() = first_graph;

/// Drops stays in graphs that have ended from the end of the list.
void find_current() {
  while (stays && !stays->empty() && !stays->back().graph.is_alive()) stays->pop_back();
  if (stays && stays->empty()) {
    delete stays;
    stays = nullptr;
  }
  current = stays ? stays->back().graph : GraphHandle();
}

}  // namespace

void GraphHandle::refuse() {
  failed(
      "the graph of this handle has ended: its ComputationGraph is gone, or the thread whose graph it was; "
      "ask for a new handle with cg()");
}

Graph* current_graph_or_null() {
  if (!current.is_alive()) [[unlikely]]
    find_current();
  return current.get_or_null();
}

Graph& current_graph() {
  Graph* graph = current_graph_or_null();
  if (!graph) [[unlikely]]
    graph = &graph_maker();
  return *graph;
}

uint64_t enter_graph(Graph& graph) {
  static std::atomic<uint64_t> last{0};
  if (!stays) stays = new std::vector<Stay>;
  stays->push_back({GraphHandle(graph), ++last});
  current = stays->back().graph;
  return stays->back().number;
}

bool leave_graph(uint64_t stay) {
  const bool found = stays && std::erase_if(*stays, [=](const Stay& s) { return s.number == stay; });
  find_current();
  return found;
}

void set_graph_maker(Graph& (*make)()) { graph_maker = make; }

}  // namespace dynet::engine
