// Inside and outside, second derivatives, the best, the k best and samples, for whatever lists its edges.
//
// A program P has items(), parts(), goal(), most_edges() of one item, and visit<backwards>(f), which calls
// f(head, edges) for each item after those that it is built of, or before them; edges(g) calls g(edge) for
// each way to build the head.
#pragma once

#include <algorithm>

#include "dynet/core/watch.h"
#include "dynet/structured/parts.h"

namespace dynet::engine::structured {

template <class P>
concept Program = requires(const P& p) {
  p.items();
  p.goal();
  p.parts();
};

/// Makes room for a program: the scores of parts, items of which none is built, and the edges of one item.
template <Program P>
void enter(const P& p, const double* scores, Room& room) {
  room.scores.assign(scores, scores + p.parts());
  room.scores.push_back(0);
  room.inside.assign(p.items() + 1, -infinity);
  room.inside[p.items()] = 0;
  if (room.weights.size() < p.most_edges())
    room.weights.resize(p.most_edges()), room.edges.resize(p.most_edges());
}

/// The weights of the edges of an item, in room.weights, and how many they are.
template <bool keep_edges>
size_t gather(Room& room, auto edges) {
  size_t count = 0;
  const double *inside = room.inside.data(), *scores = room.scores.data();
  double* weights = room.weights.data();
  Edge* kept = room.edges.data();
  edges([&](const Edge& e) {
    if constexpr (keep_edges) kept[count] = e;
    weights[count++] = (inside[e.tail[0]] + inside[e.tail[1]]) + (scores[e.part[0]] + scores[e.part[1]]);
  });
  worked(static_cast<int64_t>(8 * count));
  return count;
}

/// Sets room.inside to the log of the sum of all ways to build each item; scores are those of the parts.
template <Program P>
double sum_inside(const P& p, const double* scores, Room& room) {
  enter(p, scores, room);
  p.template visit<false>([&](uint32_t head, auto edges) {
    const size_t count = gather<false>(room, edges);
    double* w = room.weights.data();
    if (count == 1) {
      room.inside[head] = w[0];
      return;
    }
    const double top = largest(w, count);
    if (top == -infinity) {  // or there is nothing, or what is not a number
      for (size_t i = 0; i < count; ++i)
        if (w[i] != w[i]) room.inside[head] = w[i];
      return;
    }
    exponentials(w, count, top, 1);
    const double sum = sum_of(w, count);
    room.inside[head] = top + std::log(sum);
  });
  return room.inside[p.goal()];
}

/// Adds the probability of each part to counts, after sum_inside. What is always there is left out: to add to
/// one place again and again would take most of the time.
template <Program P>
void sum_outside(const P& p, Room& room, double* counts) {
  const size_t items = p.items(), parts = p.parts();
  room.mass.assign(items, 0);
  room.mass[p.goal()] = 1;
  p.template visit<true>([&](uint32_t head, auto edges) {
    const double mass = room.mass[head], inside = room.inside[head];
    if (mass == 0) return;
    const size_t count = gather<true>(room, edges);
    double* w = room.weights.data();
    if (count == 1)
      w[0] = mass;
    else
      exponentials(w, count, inside, mass);
    const Edge* e = room.edges.data();
    double* to = room.mass.data();
    for (size_t i = 0; i < count; ++i) {
      for (const uint32_t t : e[i].tail)
        if (t < items) to[t] += w[i];
      for (const uint32_t k : e[i].part)
        if (k < parts) counts[k] += w[i];
    }
  });
}

/// The log of the sum over all structures; counts becomes its gradient, the probability of each part.
template <Program P>
double partition(const P& p, const double* scores, double* counts) {
  Room& room = Room::here();
  const double sum = sum_inside(p, scores, room);
  room.counts.assign(p.parts() + 1, 0);
  if (sum > -infinity) sum_outside(p, room, room.counts.data());
  std::copy_n(room.counts.data(), p.parts(), counts);
  return sum;
}

/// Sets slope to how the probabilities change where the scores move along direction: the product of the
/// second derivatives of the log of the sum with it. Of a part that is forbidden neither counts.
template <Program P>
void second_derivative(const P& p, const double* scores, const double* direction, double* slope) {
  Room& room = Room::here();
  const size_t parts = p.parts(), items = p.items();
  std::fill_n(slope, parts, 0.0);
  const double sum = sum_inside(p, scores, room);
  if (sum == -infinity) return;
  room.direction.assign(direction, direction + parts);
  room.direction.push_back(0);
  for (size_t i = 0; i < parts; ++i)
    if (scores[i] == -infinity) room.direction[i] = 0;
  room.slope.assign(items + 1, 0);
  const auto rise = [&](const Edge& e) {
    return (room.slope[e.tail[0]] + room.slope[e.tail[1]]) +
           (room.direction[e.part[0]] + room.direction[e.part[1]]);
  };
  p.template visit<false>([&](uint32_t head, auto edges) {
    const double inside = room.inside[head];
    if (inside == -infinity) return;
    const size_t count = gather<true>(room, edges);
    double total = 0;
    for (size_t i = 0; i < count; ++i) total += exponential(room.weights[i] - inside) * rise(room.edges[i]);
    room.slope[head] = total;
  });
  room.mass.assign(items + 1, 0), room.mass_slope.assign(items + 1, 0), room.counts.assign(parts + 1, 0);
  room.mass[p.goal()] = 1;
  p.template visit<true>([&](uint32_t head, auto edges) {
    const double mass = room.mass[head], inside = room.inside[head];
    if (mass == 0) return;
    const size_t count = gather<true>(room, edges);
    for (size_t i = 0; i < count; ++i) {
      const Edge& e = room.edges[i];
      const double share = exponential(room.weights[i] - inside);
      const double more = share * (room.mass_slope[head] + mass * (rise(e) - room.slope[head]));
      for (const uint32_t t : e.tail) room.mass[t] += mass * share, room.mass_slope[t] += more;
      for (const uint32_t k : e.part) room.counts[k] += more;
    }
  });
  std::copy_n(room.counts.data(), parts, slope);
}

/// Lists the parts of the structure of a rank, from the goal down: choose(item, rank) is its edge and the
/// ranks of what it is built of.
template <Program P>
void collect(const P& p, uint32_t rank, auto choose, std::vector<uint32_t>& parts) {
  struct Open {
    uint32_t item, rank;
  };
  std::vector<Open> open{{p.goal(), rank}};
  while (!open.empty()) {
    const Open at = open.back();
    open.pop_back();
    const auto [edge, ranks] = choose(at.item, at.rank);
    for (const uint32_t part : edge.part)
      if (part < p.parts()) parts.push_back(part);
    for (int i : {0, 1})
      if (edge.tail[i] < p.items()) open.push_back({edge.tail[i], ranks[i]});
  }
}

struct Choice {
  Edge edge;
  uint32_t ranks[2];
};

/// The best structure; of equals the one whose edges are listed first. Its score is -inf where there is none.
template <Program P>
Scored best(const P& p, const double* scores) {
  Room& room = Room::here();
  enter(p, scores, room);
  std::vector<Edge> back(p.items());
  p.template visit<false>([&](uint32_t head, auto edges) {
    double top = -infinity;
    const size_t count = gather<true>(room, edges);
    size_t at = 0;
    for (size_t i = 0; i < count; ++i)
      if (room.weights[i] > top || room.weights[i] != room.weights[i]) top = room.weights[i], at = i;
    room.inside[head] = top;
    if (count) back[head] = room.edges[at];
  });
  Scored found{room.inside[p.goal()], {}};
  if (found.score > -infinity)
    collect(p, 0, [&](uint32_t item, uint32_t) { return Choice{back[item], {0, 0}}; }, found.parts);
  return found;
}

/// The k best structures, best first; fewer where there are fewer.
template <Program P>
std::vector<Scored> best_of(const P& p, const double* scores, unsigned k) {
  if (k == 1) {
    Scored found = best(p, scores);
    return found.score == -infinity ? std::vector<Scored>{} : std::vector<Scored>{std::move(found)};
  }
  struct Way {
    double score;
    Choice choice;
  };
  Room& room = Room::here();
  room.scores.assign(scores, scores + p.parts());
  room.scores.push_back(0);
  const auto items = static_cast<uint32_t>(p.items());
  std::vector<std::vector<Way>> ways(items + 1);
  ways[items].push_back({0, {}});
  std::vector<Way> candidates;
  p.template visit<false>([&](uint32_t head, auto edges) {
    candidates.clear();
    edges([&](const Edge& e) {
      const double own = room.scores[e.part[0]] + room.scores[e.part[1]];
      const auto &first = ways[e.tail[0]], &second = ways[e.tail[1]];
      if (own == -infinity) return;
      for (uint32_t i = 0; i < first.size() && i < k; ++i)
        for (uint32_t j = 0; j < second.size() && (i + 1) * (j + 1) <= k; ++j)
          candidates.push_back({own + (first[i].score + second[j].score), {e, {i, j}}});
      worked(static_cast<int64_t>(16 * k));
    });
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Way& a, const Way& b) { return a.score > b.score; });
    ways[head].assign(candidates.begin(),
                      candidates.begin() + std::min<ptrdiff_t>(k, std::ssize(candidates)));
  });
  std::vector<Scored> found;
  for (uint32_t rank = 0; rank < ways[p.goal()].size(); ++rank) {
    Scored& one = found.emplace_back(Scored{ways[p.goal()][rank].score, {}});
    collect(p, rank, [&](uint32_t item, uint32_t own) { return ways[item][own].choice; }, one.parts);
  }
  return found;
}

/// A structure drawn by its probability.
template <Program P>
Scored sample(const P& p, const double* scores, Draws draws) {
  Room& room = Room::here();
  Scored drawn{sum_inside(p, scores, room), {}};
  if (!(drawn.score > -infinity)) return drawn;
  const auto pick = [&](auto edges, uint32_t item) {
    const size_t count = gather<true>(room, edges);
    double left = draws.uniform();
    size_t last = 0;
    for (size_t i = 0; i < count; ++i) {
      const double share = exponential(room.weights[i] - room.inside[item]);
      if (share == 0) continue;
      last = i;
      if ((left -= share) < 0) break;
    }
    return room.edges[last];
  };
  // What is open is drawn in the order of the items, the last first.
  std::vector<char> open(p.items() + 1, 0);
  std::vector<Edge> chosen(p.items());
  open[p.goal()] = 1;
  p.template visit<true>([&](uint32_t head, auto edges) {
    if (!open[head]) return;
    chosen[head] = pick(edges, head);
    for (const uint32_t t : chosen[head].tail) open[t] = 1;
  });
  collect(p, 0, [&](uint32_t item, uint32_t) { return Choice{chosen[item], {0, 0}}; }, drawn.parts);
  drawn.score = 0;
  for (const uint32_t part : drawn.parts) drawn.score += scores[part];
  return drawn;
}

}  // namespace dynet::engine::structured
