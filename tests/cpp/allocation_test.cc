// After a warm-up, building, running, differentiating and updating touch the heap not once.
#include <cstdlib>
#include <new>

#include "dynet/dynet.h"
#include "tests/cpp/check.h"

namespace {
size_t allocations = 0;

void* allocate(size_t size, size_t alignment) {
  ++allocations;
  if (void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)) return p;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(size_t size) { return allocate(size, 16); }
void* operator new(size_t size, std::align_val_t a) { return allocate(size, static_cast<size_t>(a)); }
void* operator new(size_t size, std::align_val_t a, const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<size_t>(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { std::free(p); }

using namespace dynet;
using namespace dynet::engine;

namespace {

/// A tagger of one layer over words; sentences of different lengths.
struct Tagger {
  ParameterCollection model;
  LookupParameter words = model.add_lookup_parameters(50, {16});
  VanillaLSTMBuilder lstm{1, 16, 20, model};
  Parameter weights = model.add_parameters({7, 20}), bias = model.add_parameters({7});
  AdamTrainer trainer{model};
  std::vector<Expression> outputs, inputs, losses;

  void train(ComputationGraph& cg, unsigned length) {
    cg.clear();
    lstm.new_graph(cg);
    lstm.start_new_sequence();
    inputs.clear(), losses.clear();
    for (unsigned i = 0; i < length; ++i) inputs.push_back(lookup(cg, words, (i * 7 + length) % 50));
    lstm.transduce(inputs, outputs);
    const Expression w = parameter(cg, weights), b = parameter(cg, bias);
    for (unsigned i = 0; i < length; ++i)
      losses.push_back(pickneglogsoftmax(affine_transform({b, w, dropout(outputs[i], real(0.1))}), i % 7));
    const Expression loss = sum(losses);
    loss.value();
    loss.backward();
    trainer.update();
  }
};

}  // namespace

int main() {
  Tagger tagger;
  ComputationGraph cg;
  for (int round = 0; round < 3; ++round)
    for (unsigned length = 1; length < 30; ++length) tagger.train(cg, length);
  const size_t before = allocations;
  for (unsigned length = 1; length < 30; ++length) tagger.train(cg, length);
  const size_t counted = allocations - before;
  test::check(counted == 0, text(counted, " allocations in steady state"));
  return test::finish();
}
