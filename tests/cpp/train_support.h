// Small runs of the benchmarks' programs, and all that they have learned as bits, for tests that compare
// engines.
#pragma once

#include <span>
#include <sstream>

#include "benchmarks/models/program.h"

namespace test {

using namespace dynet;
using namespace dynet::engine;

using Bits = std::vector<uint8_t>;

inline void append(Bits& bits, std::span<const real> numbers) {
  const auto* const from = reinterpret_cast<const uint8_t*>(numbers.data());
  bits.insert(bits.end(), from, from + numbers.size_bytes());
}

/// All that a program has learned, and its averages.
inline void append(Bits& bits, const ParameterCollection& collection) {
  for (const auto& p : collection.parameters_list()) append(bits, as_vector(p->values));
  for (const auto& l : collection.lookup_parameters_list()) append(bits, as_vector(l->all_values));
}

/// A list of ids with its length before it.
inline std::string ids(unsigned count, unsigned below, unsigned& state) {
  std::string text = std::to_string(count);
  for (unsigned i = 0; i < count; ++i)
    text += ' ' + std::to_string((state = state * 1664525 + 1013904223) % below);
  return text + '\n';
}

inline std::string tree(unsigned words, unsigned& state) {
  const std::string label = std::to_string((state = state * 1664525 + 1013904223) % benchmarks::tree_labels);
  if (words == 1) return label + " 1 " + std::to_string(state / 7 % benchmarks::tree_vocabulary) + '\n';
  return label + " 0\n" + tree(words / 2, state) + tree(words - words / 2, state);
}

/// Two minibatches of three sentences.
inline std::string corpus(const std::string& task) {
  unsigned state = 1;
  std::string text = "2\n";
  for (int batch = 0; batch < 2; ++batch) {
    text += "3 12\n";
    for (unsigned words : {5, 4, 3}) {
      if (task == "treelstm") {
        text += tree(words, state);
      } else if (task.starts_with("rnnlm")) {
        text += ids(words, benchmarks::rnnlm_vocabulary, state);
      } else {
        text += ids(words, 1000, state) + ids(words, benchmarks::tags, state);
        for (unsigned i = 0; i < words; ++i) text += ids(i % 2 * 4, benchmarks::characters, state);
      }
    }
  }
  return text;
}

/// Four updates of a benchmark's program.
inline Bits train(const std::string& task) {
  Bits bits;
  reset_random(3);
  std::istringstream in(corpus(task));
  const auto program = benchmarks::make_program(task, in);
  const auto trainer = benchmarks::make_trainer(*program);
  for (size_t step = 0; step < 4; ++step) {
    const auto loss = static_cast<real>(benchmarks::train(*program, *trainer, step % 2));
    append(bits, {&loss, 1});
  }
  append(bits, program->collection);
  return bits;
}

}  // namespace test
