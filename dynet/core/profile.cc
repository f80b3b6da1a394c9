// Adds up what was timed, and prints it as a table.
#include "dynet/core/profile.h"

#include <algorithm>
#include <iomanip>
#include <mutex>
#include <vector>

namespace dynet::engine {

void Profile::add(const Timing& timing) {
  const std::string key = (timing.is_forward ? "FWD " : "BWD ") + std::string(timing.name);
  const size_t nodes = std::max<size_t>(timing.nodes.size(), 1);
  const std::lock_guard lock(mutex_);
  Row& row = rows_[key];
  ++row.calls, ++row.batches[nodes];
  row.nodes += nodes;
  row.seconds += std::chrono::duration<double>(timing.end - timing.start).count();
}

void Profile::print(std::ostream& out, bool batches) const {
  const std::lock_guard lock(mutex_);
  std::vector<const std::pair<const std::string, Row>*> rows;
  double total = 0;
  for (const auto& row : rows_) {
    rows.push_back(&row);
    total += row.second.seconds;
  }
  std::ranges::sort(rows, std::greater(), [](const auto* row) { return row->second.seconds; });
  out << "Timing Info:\n" << std::fixed << std::setprecision(3);
  const auto line = [&](std::string_view name, auto share, auto milliseconds, auto calls, auto nodes) {
    out << std::left << std::setw(36) << name << std::right << std::setw(8) << share << std::setw(14)
        << milliseconds << std::setw(12) << calls << std::setw(12) << nodes << '\n';
  };
  line("operation", "%", "milliseconds", "calls", "nodes");
  for (const auto* entry : rows) {
    const auto& [name, row] = *entry;
    line(name, total > 0 ? 100 * row.seconds / total : 0.0, 1000 * row.seconds, row.calls, row.nodes);
    if (batches)
      for (const auto& [nodes, calls] : row.batches)
        out << "    BatchSize:" << nodes << " x " << calls << '\n';
  }
  line("all", total > 0 ? 100.0 : 0.0, 1000 * total, "", "");
}

}  // namespace dynet::engine
