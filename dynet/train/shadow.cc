// The state of trainers as tensors.
#include "dynet/train/shadow.h"

#include "dynet/train/trainer.h"

namespace dynet::engine {
namespace {

const Tensor& tensor_of(const ShadowParameters& shadow) { return shadow.h; }
const Tensor& tensor_of(const ShadowLookupParameters& shadow) { return shadow.all_h; }

/// Those that lie where they lay and have no new rows stay as they are.
template <class Shadow>
void fill(auto& states, const auto& parameters, unsigned slot, std::vector<Shadow>& shadows) {
  shadows.resize(states.size());
  for (size_t i = 0; i < states.size(); ++i) {
    const Dim& dim = parameters[i]->dim;
    Buffer& numbers = states[i].slot[slot];
    numbers.grow(dim.size());
    const Tensor& now = tensor_of(shadows[i]);
    if (now.v != numbers.data() || now.d != dim) shadows[i] = Shadow(dim, numbers.data());
  }
}

}  // namespace

void show(Trainer& trainer, unsigned slot, std::vector<ShadowParameters>& shadows) {
  trainer.follow_model();
  fill(trainer.parameter_states_, trainer.model.parameters_list(), slot, shadows);
}

void show(Trainer& trainer, unsigned slot, std::vector<ShadowLookupParameters>& shadows) {
  trainer.follow_model();
  fill(trainer.lookup_states_, trainer.model.lookup_parameters_list(), slot, shadows);
}

}  // namespace dynet::engine
