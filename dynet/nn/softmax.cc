// The plain softmax layer, and drawing from distributions.
#include "dynet/nn/softmax.h"

#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;

unsigned engine::sample_index(const Expression& probabilities) {
  const Tensor value = probabilities.value();
  if (value.d.bd != 1) invalid("sample: a batch of ", value.d.bd, " distributions; one is needed");
  double left = next_random().uniform();
  const std::vector<real> p = as_vector(value);
  const auto count = static_cast<unsigned>(p.size());
  // Rounding may leave the sum below 1: the last index takes what is left.
  for (unsigned i = 0; i + 1 < count; ++i)
    if ((left -= p[i]) < 0) return i;
  return count - 1;
}

StandardSoftmaxBuilder::StandardSoftmaxBuilder(unsigned rep_dim, unsigned num_classes,
                                               ParameterCollection& model, bool bias) {
  if (rep_dim == 0 || num_classes == 0)
    invalid("StandardSoftmaxBuilder: input size ", rep_dim, " and ", num_classes,
            " classes were given; both must be at least 1");
  collection_ = model.add_subcollection("standard-softmax-builder");
  weights_ = collection_.add_parameters({num_classes, rep_dim});
  if (bias) bias_ = collection_.add_parameters({num_classes}, ParameterInitConst(0));
}

void StandardSoftmaxBuilder::check_shapes() const {
  const Dim& w = weights_.dim();
  if (w.nd != 2 || (bias_ && !(bias_.dim() == Dim{w.rows()})))
    invalid("StandardSoftmaxBuilder: parameters of shapes ", w, " and ", bias_ ? text(bias_.dim()) : "none",
            "; a matrix and a vector with as many rows are needed");
}

Expression StandardSoftmaxBuilder::full_logits(const Expression& x) {
  return bias_ ? affine_transform({bound(bias_), bound(weights_), x}) : bound(weights_) * x;
}

Expression StandardSoftmaxBuilder::full_log_distribution(const Expression& x) {
  return log_softmax(full_logits(x));
}

Expression StandardSoftmaxBuilder::neg_log_softmax(const Expression& x, unsigned c) {
  return pickneglogsoftmax(full_logits(x), c);
}

Expression StandardSoftmaxBuilder::neg_log_softmax(const Expression& x, Indices cs) {
  return pickneglogsoftmax(full_logits(x), cs);
}

unsigned StandardSoftmaxBuilder::sample(const Expression& x) { return sample_index(softmax(full_logits(x))); }

}  // namespace dynet
