// A user's function of expressions as one node, for steps that a program takes again and again.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "dynet/ops/cell.h"

namespace dynet {

/// Calls `function` once for each list of shapes to see its operations; from then on a call adds one node.
///
/// The function makes all its outputs from its arguments and from parameters, by the same operations each
/// time; these may not be random, take indices, or look at a whole batch. Values are the same bits as without
/// the cell; gradients may be added in another order. Errors: std::invalid_argument.
///
///     Cell step([&](const std::vector<Expression>& x) { return std::vector{tanh(x[0] + W * x[1])}; });
///     h = step({x, h})[0];
class Cell {
 public:
  using Function = std::function<std::vector<Expression>(const std::vector<Expression>&)>;

  explicit Cell(Function function) : function_(std::move(function)) {}
  std::vector<Expression> operator()(engine::Expressions xs);
  /// The node alone, which holds the outputs one after another.
  Expression node(engine::Expressions xs) { return engine::CellProgram::add(program(xs), xs); }

 private:
  struct Recorded {
    std::vector<Dim> shapes;  // of the arguments
    std::shared_ptr<const engine::CellProgram> program;
  };
  const std::shared_ptr<const engine::CellProgram>& program(engine::Expressions xs);

  Function function_;
  std::vector<Recorded> recorded_;
};

/// The operations of a function for arguments of these shapes, whose batch sizes do not matter.
std::shared_ptr<const engine::CellProgram> record_cell(const std::vector<Dim>& shapes,
                                                       const Cell::Function& function);

}  // namespace dynet
