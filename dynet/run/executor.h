// RUN and BACKPROP: binds a plan to memory and calls the kernels. It decides nothing.
#pragma once

#include <memory>
#include <vector>

#include "dynet/device/arena.h"
#include "dynet/plan/cache.h"
#include "dynet/run/settings.h"

namespace dynet::engine {

class Executor final : public Evaluator {
 public:
  explicit Executor(Graph& graph) : graph_(graph) {}

  Tensor value(unsigned node) override;
  Tensor gradient(unsigned node) override;
  void backward(unsigned node, bool full) override;
  void invalidate(unsigned first) override;

  /// Evaluates all of these by one schedule.
  void evaluate(std::span<const uint32_t> wanted);
  /// True if a backward pass was run from this node or a later one.
  bool has_gradient(unsigned node) const { return backward_from_ != none && node <= backward_from_; }
  /// Merged calls run so far in this graph.
  size_t step_count() const { return steps_.size(); }

 private:
  static constexpr uint32_t none = ~0u;

  /// Where what belongs to a node lies.
  struct Place {
    real* value = nullptr;
    real* gradient = nullptr;
    real* aux = nullptr;
    real* d_aux = nullptr;
    uint32_t stride = 0;  // from batch element to batch element; larger than an element for views
    uint32_t step = 0;    // the call that computed it, in steps_
  };
  struct StepRecord {
    uint32_t first, count;     // in order_
    Call call;                 // as it was run; count 0 where that is no longer known
    real* gradient = nullptr;  // of all members, if these lie one after another
  };
  /// How gradients reach a node.
  struct Flow {
    uint32_t uses = 0, view_uses = 0;  // contributions (not as a matrix); those by views
    uint32_t last_consumer = none;     // the oldest one counted so far
    uint32_t lists = none;             // what waits, in lists_
    bool passed : 1 = false;           // the gradient of that consumer is its contribution
    bool ordered : 1 = true;           // the calls of its consumers, newest first, run one after another
    bool apart : 1 = true;             // no two of its consumers run in one call
    bool is_matrix : 1 = false;        // some consumer uses it as a matrix
    bool shared : 1 = false;           // its gradient is that of its only consumer
    bool broadcast : 1 = false;        // some consumer repeats it along the batch
    bool read_whole : 1 = false;       // some consumer reads all batch elements as one item
    bool slots : 1 = false;            // contributions wait as parts
    bool has_views : 1 = false;        // views of its memory need gradients
    bool exclusive_views : 1 = false;  // it is read through views only, and they do not overlap
    bool covered : 1 = false;          // these views show all of it
    bool exclusive : 1 = false;        // a view whose gradient lies in that of its source
    bool packed : 1 = false;           // the gradient has no gaps although the value has
    bool ready : 1 = false;            // the memory of the gradient holds a sum, of nothing at first
  };
  /// The views of a node's memory as a list, newest first.
  struct Views {
    uint32_t origin = none;  // of a view: the node whose memory it shows
    uint32_t first = none, last = none, next = none;
  };
  /// Contributions and uses as a matrix that wait until a node's gradient is due.
  struct Waiting {
    uint32_t first_part = none, last_part = none;
    uint32_t first_outer = none, last_outer = none;
  };
  /// A contribution that waits to be added in canonical order.
  struct Part {
    const real* from;   // laid out as the node, without gaps
    uint32_t view;      // or the gradient of this view of the node
    uint32_t consumer;  // who contributes
    uint32_t next;
  };
  /// A use as matrix: argument `arg` of `node`.
  struct OuterUse {
    uint32_t node, arg, next;
  };

  // forward.cc
  Call run(const Step& step, std::span<const uint32_t> nodes, real* base);
  const Planned& planned(std::span<const uint32_t> wanted);
  void place_step(const Step& step, std::span<const uint32_t> nodes, uint32_t number, real* base);
  void place_views(std::span<const uint32_t> views);
  Tensor contiguous(const Dim& dim, const real* from, uint32_t stride);

  // bind.cc
  void bind_leaves(std::span<const uint32_t> leaves);
  void bind_matrices(const Node& example);
  void bind_value(uint32_t parameter);
  void bind_packed(uint32_t parameter);
  void bind_transposed(PackedMatrix& packed, Storage& storage);
  Call make_call(std::span<const uint32_t> nodes, size_t items, Arena& tables);
  void add_gradients(Call& call, std::span<const uint32_t> nodes, const StepRecord* step);
  template <class Address, class Stride>
  Items items_of(std::span<const uint32_t> nodes, size_t items, Arena& tables, Address&& address,
                 Stride&& stride);
  Items targets_of(size_t items, unsigned i);
  real* value_of(uint32_t id);
  Tensor whole_value(uint32_t id);
  Words words_of(std::span<const uint32_t> nodes, size_t items, bool whole, Arena& tables);

  // flow.cc: which gradients are needed and where they lie
  void trace(uint32_t loss, bool full);
  void link_views();
  bool passes(const Node& node, unsigned i) const;
  bool is_outer_use(const Node& node, unsigned i) const;
  void place_gradients();
  void count_uses(std::span<const uint32_t> nodes, uint32_t step);
  void choose_mode(uint32_t id);
  bool waits(const Flow& flow) const;
  void place_loose(uint32_t id);
  void open_to_views(uint32_t id);
  uint32_t gradient_stride(uint32_t id) const;
  Waiting& waiting(uint32_t id);
  void append_part(uint32_t id, const Part& part);
  void append_outer(uint32_t id, uint32_t node, uint32_t arg);
  real* zeroed(size_t numbers);

  // views.cc: views whose gradients are places in the gradient of what they show
  enum class Cover : uint8_t { overlapping, partial, whole };
  Cover cover_by_views(uint32_t id) const;

  // backward.cc
  size_t items_in(std::span<const uint32_t> nodes) const;
  void run_backward(std::span<const uint32_t> nodes, const StepRecord& step);
  void transpose_matrices(const Call& call, const Node& example);
  void backward_argument(const Call& all, std::span<const uint32_t> nodes, unsigned i);
  void find_targets(std::span<const uint32_t> nodes, unsigned i);
  real* part_of(uint32_t id, unsigned i);
  bool start_targets(const Op& op, unsigned i);
  void clear_gradient(uint32_t id);
  void finish(uint32_t id);
  void finish_one(uint32_t id);
  std::span<const Part> sorted_parts(uint32_t id);
  void add_parts(uint32_t id);
  void add_outer(uint32_t id, real* target, bool accumulate);
  bool is_used_as_matrix(uint32_t id) const;
  void deliver();
  void deliver_parameter(uint32_t id);
  void deliver_rows(uint32_t id);

  Graph& graph_;
  Engine* engine_ = &settings().engine();
  std::vector<uint8_t> done_, marks_;
  std::vector<Place> place_;
  std::vector<uint32_t> order_;
  std::vector<StepRecord> steps_;
  std::vector<Call> calls_;  // of one evaluation, until all of them have run
  Arena values_, gradients_;
  Arena call_tables_, tables_;  // of the calls of this graph; of one call of the backward pass
  std::vector<std::shared_ptr<PackedMatrix>> packed_;  // what this graph reads stays as it was
  uint32_t round_ = 0, round_graph_ = 0;               // re-evaluations of a graph, for fresh random numbers

  Planned planned_;  // of the last evaluation that no plan was kept for
  PlanCache plans_;
  ScheduleScratch scratch_;

  std::vector<uint32_t> path_;   // of the last backward pass, descending
  std::vector<uint32_t> loose_;  // its views and leaves
  std::vector<Flow> flow_;
  std::vector<Views> views_;  // valid for views and for nodes with views
  std::vector<Waiting> lists_;
  std::vector<Part> parts_;
  std::vector<OuterUse> outer_uses_;
  std::vector<uint32_t> members_, subset_;
  std::vector<real*> targets_;  // where the members of subset_ put their contributions
  std::vector<Part> sorted_;
  std::vector<const real*> addresses_, outer_x_;
  std::vector<real*> view_x_;
  uint32_t backward_from_ = none;
};

}  // namespace dynet::engine
