// A user's function of expressions as one node, for steps that a program takes again and again.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "dynet/ops/cell.h"

namespace dynet {

namespace engine {

using CellFunction = std::function<std::vector<Expression>(const std::vector<Expression>&)>;
using SharedProgram = std::shared_ptr<const CellTrace>;

/// Batch sizes as far as they tell which arguments fit each other: 0 where there is no batch, 1 for the size
/// of the first batch, and other sizes as they are.
struct BatchPattern {
  unsigned first = 0;
  unsigned next(unsigned batch) {
    if (batch == 1) return 0;
    if (!first) first = batch;
    return batch == first ? 1 : batch;
  }
};

/// The operations of a function for arguments of these shapes, whose batch sizes do not matter.
SharedProgram record_cell(const std::vector<Dim>& shapes, const CellFunction& function);

/// What a function does with arguments of certain shapes, of which certain ones are batched.
///
/// Its outputs are those of one node for each batch size that they have: the batch size of each is its own.
/// Outputs that are arguments or parameters are these themselves.
class CellRecording {
 public:
  /// A program that is known already is used again, so that its calls merge.
  CellRecording(const std::vector<Dim>& arguments, const CellFunction& function,
                const std::function<SharedProgram(SharedProgram)>& known);

  std::vector<Expression> call(Expressions xs) const;
  std::span<const SharedProgram> programs() const { return programs_; }
  /// The function has looked at how large a batch is: what it does may be another thing for other sizes.
  bool depends_on_batch_size() const { return depends_on_batch_size_; }

  static constexpr uint32_t none = ~0u;
  /// What an output is: an argument, or else a parameter, or else one of all outputs of the programs.
  struct Output {
    uint32_t argument = none;
    Expression parameter{};
    uint32_t place = none;
  };
  std::span<const Output> outputs() const { return outputs_; }

 private:
  std::vector<SharedProgram> programs_;  // those with batched outputs first
  std::vector<Output> outputs_;
  std::vector<std::shared_ptr<const void>> held_;  // parameters that are outputs
  bool depends_on_batch_size_;
};

}  // namespace engine

/// Calls `function` once for each list of shapes to see its operations; from then on a call adds one node.
///
/// The function makes all its outputs from its arguments and from parameters, by the same operations each
/// time; these may not be random, take indices, or look at a whole batch. Values are the same bits as without
/// the cell; gradients may be added in another order. A call adds a node for each batch size that its outputs
/// have. The function is called once more where other arguments are batched, and for each batch size if it
/// looks at one. Errors: std::invalid_argument.
///
///     Cell step([&](const std::vector<Expression>& x) { return std::vector{tanh(x[0] + W * x[1])}; });
///     h = step({x, h})[0];
class Cell {
 public:
  using Function = engine::CellFunction;

  explicit Cell(Function function) : function_(std::move(function)) {}
  std::vector<Expression> operator()(engine::Expressions xs);
  /// The node alone, which holds the outputs one after another. The function sees no batches.
  Expression node(engine::Expressions xs) { return engine::CellTrace::add(program(xs), xs); }

 private:
  template <class T>
  struct Recorded {
    std::vector<Dim> shapes;  // of the arguments
    std::shared_ptr<const T> made;
  };
  const engine::SharedProgram& program(engine::Expressions xs);

  Function function_;
  std::vector<Recorded<engine::CellTrace>> nodes_;
  std::vector<Recorded<engine::CellRecording>> calls_;
};

}  // namespace dynet
