// The k best choices, assignments, and the edit distance.
#include "dynet/structured/choices.h"

#include <algorithm>
#include <numeric>

#include "dynet/core/watch.h"
#include "dynet/structured/lattice.h"

namespace dynet::engine::structured {
namespace {

/// A part of all choices: some columns are settled, some choices forbidden; and the best that is in it.
struct Division {
  std::vector<double> scores;
  uint32_t settled;
  std::vector<uint32_t> chosen;
  double score;
};

double score_of(const std::vector<uint32_t>& chosen, uint32_t rows, const double* scores) {
  double score = 0;
  for (size_t j = 0; j < chosen.size(); ++j) score += scores[j * rows + chosen[j]];
  return score;
}

void settle(std::vector<double>& scores, uint32_t rows, uint32_t column, uint32_t row) {
  for (uint32_t i = 0; i < rows; ++i)
    if (i != row) scores[size_t{column} * rows + i] = -infinity;
}

/// A row for each column, of as many rows or more; scores of column j and row i at j * rows + i.
bool assign(const double* scores, uint32_t rows, uint32_t columns, std::vector<uint32_t>& chosen) {
  // Potentials of columns (from 1) and rows (from 1); row 0 is where a path begins.
  std::vector<double> u(columns + 1, 0), v(rows + 1, 0), least(rows + 1);
  std::vector<uint32_t> owner(rows + 1, 0), way(rows + 1, 0);
  std::vector<char> used(rows + 1);
  for (uint32_t j = 1; j <= columns; ++j) {
    owner[0] = j;
    uint32_t at = 0;
    std::fill(least.begin(), least.end(), infinity), std::fill(used.begin(), used.end(), 0);
    do {
      used[at] = 1;
      const uint32_t column = owner[at];
      double delta = infinity;
      uint32_t next = 0;
      for (uint32_t i = 1; i <= rows; ++i) {
        if (used[i]) continue;
        const double cost = -scores[size_t{column - 1} * rows + i - 1] - u[column] - v[i];
        if (cost < least[i]) least[i] = cost, way[i] = at;
        if (least[i] < delta) delta = least[i], next = i;
      }
      worked(int64_t{4} * rows);
      if (next == 0) return false;
      for (uint32_t i = 0; i <= rows; ++i) {
        if (used[i])
          u[owner[i]] += delta, v[i] -= delta;
        else
          least[i] -= delta;
      }
      at = next;
    } while (owner[at] != 0);
    for (; at != 0; at = way[at]) owner[at] = owner[way[at]];
  }
  chosen.assign(columns, 0);
  for (uint32_t i = 1; i <= rows; ++i)
    if (owner[i]) chosen[owner[i] - 1] = i - 1;
  return true;
}

}  // namespace

std::vector<Scored> best_choices(const Solve& solve, uint32_t rows, uint32_t columns, const double* scores,
                                 unsigned k) {
  std::vector<Division> divisions;
  const auto add = [&](std::vector<double> allowed, uint32_t settled) {
    Division d{std::move(allowed), settled, {}, 0};
    if (!solve(d.scores.data(), d.chosen)) return;
    d.score = score_of(d.chosen, rows, scores);
    divisions.push_back(std::move(d));
  };
  add({scores, scores + size_t{rows} * columns}, 0);
  std::vector<Scored> found;
  while (found.size() < k && !divisions.empty()) {
    const auto top = std::max_element(divisions.begin(), divisions.end(),
                                      [](auto& a, auto& b) { return a.score < b.score; });
    Division best = std::move(*top);
    divisions.erase(top);
    Scored& one = found.emplace_back(Scored{best.score, {}});
    for (uint32_t j = 0; j < columns; ++j) one.parts.push_back(j * rows + best.chosen[j]);
    if (found.size() == k) break;
    for (uint32_t j = best.settled; j < columns; ++j) {
      std::vector<double> allowed = best.scores;
      allowed[size_t{j} * rows + best.chosen[j]] = -infinity;
      add(std::move(allowed), j);
      settle(best.scores, rows, j, best.chosen[j]);
    }
  }
  return found;
}

std::vector<Scored> best_of(const Assignments& p, const double* scores, unsigned k) {
  const auto solver = [](uint32_t rows, uint32_t columns) {
    return [=](const double* s, std::vector<uint32_t>& chosen) { return assign(s, rows, columns, chosen); };
  };
  if (p.rows >= p.columns) return best_choices(solver(p.rows, p.columns), p.rows, p.columns, scores, k);
  std::vector<double> swapped(p.parts());
  for (uint32_t i = 0; i < p.rows; ++i)
    for (uint32_t j = 0; j < p.columns; ++j)
      swapped[size_t{i} * p.columns + j] = scores[size_t{j} * p.rows + i];
  auto found = best_choices(solver(p.columns, p.rows), p.columns, p.rows, swapped.data(), k);
  for (Scored& one : found)
    for (uint32_t& part : one.parts) part = part % p.columns * p.rows + part / p.columns;
  return found;
}

Scored greedy(const Assignments& p, const double* scores) {
  std::vector<uint32_t> order(p.parts());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  std::vector<char> rows(p.rows), columns(p.columns);
  Scored found{0, {}};
  for (const uint32_t part : order) {
    const uint32_t i = part % p.rows, j = part / p.rows;
    if (rows[i] || columns[j] || scores[part] == -infinity) continue;
    rows[i] = columns[j] = 1;
    found.score += scores[part], found.parts.push_back(part);
  }
  if (found.parts.size() < std::min(p.rows, p.columns)) return {};
  return found;
}

uint32_t edit_distance(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  std::vector<uint32_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (const uint32_t x : a) {
    uint32_t corner = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const uint32_t kept = corner + (x == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({kept, corner + 1, row[j] + 1});
    }
    worked(static_cast<int64_t>(4 * b.size()));
  }
  return row[b.size()];
}

}  // namespace dynet::engine::structured
