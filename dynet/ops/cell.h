// Functions of expressions that run as one node: their operations are recorded once.
#pragma once

#include <memory>
#include <vector>

#include "dynet/graph/graph.h"
#include "dynet/ops/check.h"

namespace dynet::engine {

/// The operations of a function, with places for all values and gradients of one batch element.
///
/// A node of it has these arguments: the inputs, then parameters that the function uses as vectors, then one
/// for each use of an input or parameter as a matrix, so that gradients of matrices are summed with all
/// others.
class CellTrace : public std::enable_shared_from_this<CellTrace> {
 public:
  /// Records what the outputs, nodes of the graph, compute from the inputs, leaves of it.
  CellTrace(Graph& graph, std::span<const Expression> inputs, std::span<const Expression> outputs);
  CellTrace(const CellTrace&) = delete;
  CellTrace& operator=(const CellTrace&) = delete;
  /// Whether both compute the same by the same steps.
  bool operator==(const CellTrace& o) const;

  /// Adds the node to the graph of the inputs.
  static Expression add(const std::shared_ptr<const CellTrace>& program, Expressions inputs);
  size_t output_count() const { return outputs_.size(); }
  /// Output i of a node: it is the node itself, or a part of it.
  Expression output(const Expression& node, size_t i) const;

  Dim shape(Dims xs) const;
  size_t kept_size() const { return kept_; }
  size_t gradient_size() const { return gradients_; }
  bool is_matrix(unsigned argument) const { return argument >= first_matrix_; }
  void forward(Engine& e, const Call& c) const;
  /// Computes the gradients of all steps and of all arguments that are no matrices.
  void prepare_backward(Engine& e, const Call& c) const;
  /// Hands over the gradient of an argument.
  void backward(Engine& e, const Call& c, unsigned argument) const;
  OuterPair outer(const NodeView& v, unsigned argument) const;

  /// Some numbers of an argument of the node, or of what an earlier step computes: those from `offset` on.
  struct Source {
    bool is_step;
    uint32_t index;
    size_t offset;
  };
  /// What one step computes, for those who look at it.
  struct StepView {
    const Op* op;
    const void* attrs;
    Dims x_dims;
    Dim dim;
    std::vector<Source> sources;
  };
  /// A part of the node's value, which is all of these one after another.
  struct Piece {
    Source from;
    size_t size;
  };
  std::vector<StepView> steps() const;
  std::vector<Piece> pieces() const;

 private:
  friend class CellTracer;
  friend struct TraceFrame;
  static constexpr uint32_t none = ~0u;

  /// A set of outputs; those from number 63 on are one.
  using Outputs = uint64_t;
  static Outputs output_bit(size_t i) { return Outputs{1} << std::min<size_t>(i, 63); }

  /// Whose memory: an argument's, the node's value (or its gradient), or what the node keeps.
  enum class Room : uint8_t { argument, result, kept };
  struct Location {
    Room room = Room::kept;
    uint32_t argument = 0;
    size_t offset = 0;
    bool operator==(const Location&) const = default;
  };
  /// An argument of a step.
  struct Use {
    Location x;
    Location dx;
    bool has_gradient = false;
    uint32_t matrix = none;  // the argument of the node that is this matrix
    bool operator==(const Use&) const = default;
  };
  struct Step {
    const Op* op;
    std::vector<std::byte> attrs;
    std::vector<Dim> x_dims;
    Dim dim;
    std::vector<Use> uses;
    Location y, saved, dy, workspace;
    bool needs_gradient = false;
    Outputs outputs = 0;  // those through which it gets a gradient
    bool operator==(const Step&) const = default;
  };
  /// Where an output lies in the result.
  struct Range {
    size_t offset, size;
    Outputs bit;
    bool operator==(const Range&) const = default;
  };
  /// An output that is not the value of a step of its own, or whose gradient is added to others.
  struct Copy {
    Location from, to;
    size_t size;
    bool operator==(const Copy&) const = default;
  };
  struct Argument {
    Dim dim;
    uint32_t input = none;   // of the function; or
    Expression parameter{};  // a parameter that the function uses
    size_t gradient = 0;     // where it is in the gradients that the node keeps
    bool has_gradient = false;
    bool operator==(const Argument& o) const {
      return dim == o.dim && input == o.input && parameter.storage() == o.parameter.storage() &&
             parameter.is_trained() == o.parameter.is_trained() && gradient == o.gradient &&
             has_gradient == o.has_gradient;
    }
  };
  struct MatrixUse {
    uint32_t step, use;
    bool operator==(const MatrixUse&) const = default;
  };

  Source source_of(const Location& l) const;
  Outputs given_gradient(const real* dy) const;
  void run_backward(Engine& e, const Call& c, Outputs given) const;
  void backward_matrix(Engine& e, const Call& c, const MatrixUse& use) const;

  uint64_t id_;
  std::vector<Argument> arguments_;
  std::vector<std::shared_ptr<const void>> held_;  // the parameters, and cells within this one
  std::vector<MatrixUse> matrices_;                // of the arguments from first_matrix_ on
  uint32_t first_matrix_ = 0;
  std::vector<Step> steps_;
  std::vector<Copy> output_copies_;    // values to the result
  std::vector<Copy> gradient_copies_;  // gradients from the result
  std::vector<Dim> outputs_;
  std::vector<Range>
      partial_;  // where to look for who gets no gradient: empty if all outputs lead everywhere
  Dim result_;
  size_t kept_ = 0, gradients_ = 0;
};

struct RecordedCell : OpDefaults {
  struct Attrs {
    uint64_t id;  // unlike the program's address, never used again
    const CellTrace* program;
  };
  static constexpr uint32_t own_size = sizeof(const CellTrace*);
  static constexpr auto name = "recorded_cell",
                        doc = "A function of expressions that was recorded as one node.";
  static constexpr bool hidden = true, overwrites_saved = true;  // as its steps may
  static constexpr Arg args[] = {"xs"};
  static bool is_matrix(const Attrs& a, unsigned i) { return a.program->is_matrix(i); }
  static Dim shape(const Attrs& a, Dims xs) { return a.program->shape(xs); }
  static size_t saved_size(const Attrs& a, Dims) { return a.program->kept_size(); }
  static size_t workspace_size(const Attrs& a, Dims) { return a.program->gradient_size(); }
  static void forward(const Attrs& a, Engine& e, const Call& c) { a.program->forward(e, c); }
  static void prepare_backward(const Attrs& a, Engine& e, const Call& c) {
    a.program->prepare_backward(e, c);
  }
  static void backward(const Attrs& a, Engine& e, const Call& c, unsigned i) { a.program->backward(e, c, i); }
  static OuterPair outer(const Attrs& a, const NodeView& v, unsigned i) { return a.program->outer(v, i); }
};

using Cells = Ops<RecordedCell>;

}  // namespace dynet::engine
