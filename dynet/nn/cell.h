// A user's function of expressions as one node, for steps that a program takes again and again.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "dynet/ops/cell.h"

namespace dynet {

namespace engine {

using CellFunction = std::function<std::vector<Expression>(const std::vector<Expression>&)>;
using SharedProgram = std::shared_ptr<const CellProgram>;

/// The operations of a function for arguments of these shapes, whose batch sizes do not matter.
SharedProgram record_cell(const std::vector<Dim>& shapes, const CellFunction& function);

/// What a function does with arguments of certain shapes, of which certain ones are batched.
///
/// Its outputs are those of one node, or of two if only some of them depend on arguments that are batched:
/// the batch size of each is its own. Outputs that are arguments or parameters are these themselves.
class CellRecording {
 public:
  /// A program that is known already is used again, so that its calls merge.
  CellRecording(const std::vector<Dim>& arguments, const CellFunction& function,
                const std::function<SharedProgram(SharedProgram)>& known);

  std::vector<Expression> call(Expressions xs) const;
  std::span<const SharedProgram> programs() const { return programs_; }
  /// The function has asked how large a batch is: what it does may be another thing for other sizes.
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
  std::vector<SharedProgram> programs_;  // that with batched outputs is the first
  std::vector<Output> outputs_;
  std::vector<std::shared_ptr<const void>> held_;  // parameters that are outputs
  bool depends_on_batch_size_;
};

}  // namespace engine

/// Calls `function` once for each list of shapes to see its operations; from then on a call adds one node.
///
/// The function makes all its outputs from its arguments and from parameters, by the same operations each
/// time; these may not be random, take indices, or look at a whole batch. Values are the same bits as without
/// the cell; gradients may be added in another order. A call adds two nodes where some outputs depend on
/// batched arguments and others don't, for which the function is called once more. Errors:
/// std::invalid_argument.
///
///     Cell step([&](const std::vector<Expression>& x) { return std::vector{tanh(x[0] + W * x[1])}; });
///     h = step({x, h})[0];
class Cell {
 public:
  using Function = engine::CellFunction;

  explicit Cell(Function function) : function_(std::move(function)) {}
  std::vector<Expression> operator()(engine::Expressions xs);
  /// The node alone, which holds the outputs one after another.
  Expression node(engine::Expressions xs) { return engine::CellProgram::add(program(xs), xs); }

 private:
  template <class T>
  struct Recorded {
    std::vector<Dim> shapes;  // of the arguments
    T made;
  };
  const engine::SharedProgram& program(engine::Expressions xs);

  Function function_;
  std::vector<Recorded<engine::SharedProgram>> nodes_;
  std::vector<Recorded<std::shared_ptr<const engine::CellRecording>>> calls_;
};

}  // namespace dynet
