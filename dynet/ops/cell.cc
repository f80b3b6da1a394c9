// Runs recorded cells: each step is a call of its operation on parts of the node's memory.
#include "dynet/ops/cell.h"

#include "dynet/device/arena.h"
#include "dynet/device/on_host.h"
#include "dynet/ops/loops.h"
#include "dynet/ops/select.h"
#include "dynet/ops/shape.h"

namespace dynet::engine {

/// Room for tables of addresses for as long as a run lasts. Runs nest, as a cell may hold cells.
class CellTables {
 public:
  CellTables() {
    if (room().depth++ == 0) room().arena.reset();
  }
  ~CellTables() { --room().depth; }
  CellTables(const CellTables&) = delete;
  CellTables& operator=(const CellTables&) = delete;
  template <class T>
  T* take(size_t count) const {
    return room().arena.take_small<T>(count);
  }

 private:
  struct Room {
    Arena arena;
    unsigned depth = 0;
  };
  static Room& room() {
    thread_local Room r;
    return r;
  }
};

/// One run of a program: finds places in the memory of a call, and makes the calls of its steps.
struct TraceFrame {
  using Room = CellTrace::Room;
  using Location = CellTrace::Location;
  using Step = CellTrace::Step;

  explicit TraceFrame(const Call& call) : c(call) {}

  Items value(const Location& l) const {
    const Items& items = l.room == Room::argument ? c.x[l.argument] : l.room == Room::result ? c.y : c.saved;
    return items.part(l.offset);
  }
  Items gradient(const Location& l) const {
    return (l.room == Room::result ? c.dy : c.workspace).part(l.offset);
  }

  Call call_of(const Step& step) const {
    const size_t count = step.uses.size();
    Items* x = tables.take<Items>(count);
    PackedMatrix** packed = tables.take<PackedMatrix*>(count);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t matrix = step.uses[i].matrix;
      x[i] = matrix != CellTrace::none ? c.x[matrix] : value(step.uses[i].x);
      packed[i] = matrix != CellTrace::none ? c.packed[matrix] : nullptr;
    }
    Call call{};
    call.attrs = step.attrs.data();
    call.count = c.count;
    call.x_dims = step.x_dims;
    call.dim = step.dim;
    call.x = {x, count};
    call.packed = {packed, count};
    call.y = value(step.y);
    call.saved = value(step.saved);
    call.key = c.key;
    call.accumulate = true;
    return call;
  }
  Call backward_call_of(const Step& step) const {
    Call call = call_of(step);
    call.dy = gradient(step.dy);
    call.workspace = gradient(step.workspace);
    return call;
  }

  const Call& c;
  CellTables tables;
};

/// A call with some of the items of another one.
struct ItemsOfCall {
  ItemsOfCall(const Call& all, std::span<const uint32_t> chosen, const CellTables& tables) : call(all) {
    const auto some = [&](const Items& items) {
      if (items.is_broadcast()) return items;  // or there are none
      real** table = tables.take<real*>(chosen.size());
      for (size_t i = 0; i < chosen.size(); ++i) table[i] = items[chosen[i]];
      return Items{nullptr, table, 0};
    };
    Items* x = tables.take<Items>(all.x.size());
    for (size_t i = 0; i < all.x.size(); ++i) x[i] = some(all.x[i]);
    call.count = chosen.size();
    call.x = {x, all.x.size()};
    call.y = some(all.y), call.saved = some(all.saved);
    call.dy = some(all.dy), call.workspace = some(all.workspace), call.dx = some(all.dx);
  }

  Call call;
};

bool CellTrace::operator==(const CellTrace& o) const {
  return arguments_ == o.arguments_ && matrices_ == o.matrices_ && first_matrix_ == o.first_matrix_ &&
         steps_ == o.steps_ && output_copies_ == o.output_copies_ && gradient_copies_ == o.gradient_copies_ &&
         outputs_ == o.outputs_ && partial_ == o.partial_ && kept_ == o.kept_ && gradients_ == o.gradients_;
}

Dim CellTrace::shape(Dims xs) const {
  if (xs.size() != arguments_.size()) invalid(xs.size(), " arguments; ", arguments_.size(), " are needed");
  for (size_t i = 0; i < xs.size(); ++i)
    if (!xs[i].same_sizes(arguments_[i].dim))
      invalid("argument ", i, " has shape ", xs[i], "; the cell was recorded with ", arguments_[i].dim);
  return result_.with_batch(common_batch(xs));
}

void CellTrace::forward(Engine& e, const Call& c) const {
  const TraceFrame frame(c);
  for (const Step& step : steps_) step.op->forward(e, frame.call_of(step));
  for (const Copy& copy : output_copies_)
    e.move(c.count, run_of(copy.size), {}, false, frame.value(copy.from), frame.value(copy.to));
}

/// The outputs of an item that get a gradient: what leads to no other ones is not run backward for it, as
/// zero times an infinite slope is no zero. That is seen in what came, whatever runs in the same call.
CellTrace::Outputs CellTrace::given_gradient(const real* dy) const {
  Outputs given = 0;
  for (const Range& range : partial_)
    if (!(given & range.bit) && any_nonzero(dy + range.offset, range.size)) given |= range.bit;
  return given;
}

void CellTrace::prepare_backward(Engine& e, const Call& c) const {
  {
    const TraceFrame frame(c);
    for (const Copy& copy : gradient_copies_)
      e.move(c.count, run_of(copy.size), {}, true, frame.gradient(copy.from), frame.gradient(copy.to));
  }
  if (partial_.empty()) return run_backward(e, c, ~Outputs{0});
  const CellTables tables;
  Outputs* given = tables.take<Outputs>(c.count);
  for (size_t i = 0; i < c.count; ++i) given[i] = given_gradient(c.dy[i]);
  if (std::all_of(given, given + c.count, [&](Outputs o) { return o == given[0]; }))
    return run_backward(e, c, given[0]);
  uint32_t* chosen = tables.take<uint32_t>(c.count);
  for (size_t first = 0; first < c.count; ++first) {
    if (std::find(given, given + first, given[first]) != given + first) continue;
    size_t count = 0;
    for (size_t i = first; i < c.count; ++i)
      if (given[i] == given[first]) chosen[count++] = static_cast<uint32_t>(i);
    run_backward(e, ItemsOfCall(c, {chosen, count}, tables).call, given[first]);
  }
}

void CellTrace::run_backward(Engine& e, const Call& c, Outputs given) const {
  const TraceFrame frame(c);
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (!step->needs_gradient || !(step->outputs & given)) continue;
    Call call = frame.backward_call_of(*step);
    if (step->op->prepare_backward) step->op->prepare_backward(e, call);
    for (unsigned i = 0; i < step->uses.size(); ++i) {
      if (!step->uses[i].has_gradient) continue;
      call.dx = frame.gradient(step->uses[i].dx);
      step->op->backward(e, call, i);
    }
  }
}

void CellTrace::backward(Engine& e, const Call& c, unsigned argument) const {
  if (is_matrix(argument)) {
    const MatrixUse& use = matrices_[argument - first_matrix_];
    if (steps_[use.step].needs_gradient && !c.packed[argument]) backward_matrix(e, c, use);
    return;
  }
  const Argument& a = arguments_[argument];
  if (a.has_gradient)
    e.move(c.count, run_of(a.dim.batch_size()), {}, true, c.workspace.part(a.gradient), c.dx);
}

/// The gradient of a matrix that is not shared: the step's operation adds it item by item.
void CellTrace::backward_matrix(Engine& e, const Call& c, const MatrixUse& use) const {
  const Step& step = steps_[use.step];
  const CellTables tables;
  uint32_t* chosen = tables.take<uint32_t>(c.count);
  size_t count = 0;
  for (size_t i = 0; i < c.count; ++i)
    if (partial_.empty() || step.outputs & given_gradient(c.dy[i]))
      chosen[count++] = static_cast<uint32_t>(i);
  if (count == 0) return;
  const auto run = [&](const Call& items) {
    const TraceFrame frame(items);
    Call call = frame.backward_call_of(step);
    call.dx = items.dx;
    step.op->backward(e, call, use.use);
  };
  count == c.count ? run(c) : run(ItemsOfCall(c, {chosen, count}, tables).call);
}

OuterPair CellTrace::outer(const NodeView& v, unsigned argument) const {
  const MatrixUse& use = matrices_[argument - first_matrix_];
  const Step& step = steps_[use.step];
  if (!step.needs_gradient || (!partial_.empty() && !(step.outputs & given_gradient(v.dy)))) return {};
  const auto value = [&](const Location& l) {
    return l.offset + (l.room == Room::argument ? v.x[l.argument] : l.room == Room::result ? v.y : v.saved);
  };
  const auto gradient = [&](const Location& l) {
    return l.offset + (l.room == Room::result ? v.dy : v.workspace);
  };
  const auto x = [&](unsigned i) {
    return step.uses[i].matrix != none ? v.x[step.uses[i].matrix] : value(step.uses[i].x);
  };
  const NodeView inner{step.x_dims.data(), ArgumentView::of(x), value(step.y),
                       value(step.saved),  gradient(step.dy),   gradient(step.workspace)};
  if (step.op->outer) return step.op->outer(step.attrs.data(), inner, use.use);
  return {inner.dy, inner.x[use.use + 1], step.x_dims[use.use + 1].cols()};
}

Expression CellTrace::add(const std::shared_ptr<const CellTrace>& program, Expressions inputs) {
  thread_local std::vector<Expression> xs;
  xs.clear();
  for (const Argument& a : program->arguments_) xs.push_back(a.input != none ? inputs[a.input] : a.parameter);
  // Kept before it is used: where nodes are computed at once, that may fail and leaves the node.
  graph_of(Expressions(xs)).keep(program);
  return apply<RecordedCell>(xs, {program->id_, program.get()});
}

Expression CellTrace::output(const Expression& node, size_t i) const {
  if (outputs_.size() == 1) return node;
  unsigned at = 0;
  for (size_t k = 0; k < i; ++k) at += static_cast<unsigned>(outputs_[k].batch_size());
  const Expression part =
      PickRangeView::call(node, at, at + static_cast<unsigned>(outputs_[i].batch_size()), 0);
  return outputs_[i].nd == 1 ? part : reshape(part, outputs_[i]);
}

}  // namespace dynet::engine
