// Output layers: the interface of all softmax builders, and the plain softmax over classes.
#pragma once

#include "dynet/graph/graph.h"
#include "dynet/params/collection.h"

namespace dynet {

/// A distribution over classes given a representation x {I}. Works in the graph of x.
class SoftmaxBuilder {
 public:
  virtual ~SoftmaxBuilder() = default;
  /// The name of the class.
  virtual const char* name() const = 0;

  /// Whether the parameters are trained by the expressions made from now on; without this call they are.
  void new_graph(engine::Graph&, bool update = true) { update_ = update; }

  /// −log p(c | x): {1}. std::out_of_range if there is no such class.
  virtual Expression neg_log_softmax(const Expression& x, unsigned c) = 0;
  /// The same with a class for each batch element of x: a batch of {1}.
  virtual Expression neg_log_softmax(const Expression& x, engine::Indices cs) = 0;
  /// A class drawn from the distribution; x is evaluated.
  virtual unsigned sample(const Expression& x) = 0;
  /// The logarithms of all probabilities: {C}.
  virtual Expression full_log_distribution(const Expression& x) = 0;
  /// Numbers whose softmax is the distribution: {C}.
  virtual Expression full_logits(const Expression& x) = 0;

  ParameterCollection& get_parameter_collection() { return collection_; }

 protected:
  /// A parameter in the graph where it is used.
  Expression bound(const Parameter& p) const { return Expression::of_parameter(&p.get_storage(), update_); }

  ParameterCollection collection_;
  bool update_ = true;
};

}  // namespace dynet

namespace dynet::engine {

/// An index drawn with these probabilities, which are evaluated; they must be one vector.
unsigned sample_index(const Expression& probabilities);

}  // namespace dynet::engine

namespace dynet {

class StandardSoftmaxBuilder : public SoftmaxBuilder {
 public:
  static constexpr auto doc = R"(
      A softmax over classes: p(c | x) = softmax(W x + b)_c for a vector x (I,), with parameters W (C, I)
      and b (C,), for num_classes C and input_dim I. Without bias=True, the default, there is no b.
      Parameters lie in a sub-collection of the given one.

      >>> m = dy.ParameterCollection()
      >>> softmax = dy.StandardSoftmaxBuilder(input_dim=3, num_classes=4, pc=m)
      >>> softmax.full_log_distribution(dy.inputVector([1, 2, 3])).dim()
      ((4,), 1))";

  StandardSoftmaxBuilder(unsigned rep_dim, unsigned num_classes, ParameterCollection& model,
                         bool bias = true);
  /// Shares parameters of the caller, which are in no collection of this builder.
  explicit StandardSoftmaxBuilder(const Parameter& weights) : weights_(weights) { check_shapes(); }
  StandardSoftmaxBuilder(const Parameter& weights, const Parameter& bias) : weights_(weights), bias_(bias) {
    check_shapes();
  }
  const char* name() const override { return "StandardSoftmaxBuilder"; }

  Expression neg_log_softmax(const Expression& x, unsigned c) override;
  Expression neg_log_softmax(const Expression& x, engine::Indices cs) override;
  unsigned sample(const Expression& x) override;
  Expression full_log_distribution(const Expression& x) override;
  Expression full_logits(const Expression& x) override;

  unsigned rep_dim() const { return weights_.dim().cols(); }
  unsigned num_classes() const { return weights_.dim().rows(); }
  bool has_bias() const { return static_cast<bool>(bias_); }

 private:
  void check_shapes() const;

  Parameter weights_, bias_;
};

}  // namespace dynet
