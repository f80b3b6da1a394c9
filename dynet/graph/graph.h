// BUILD: the nodes of one computation, appended one by one and never changed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <vector>

#include "dynet/core/mutex.h"
#include "dynet/device/arena.h"
#include "dynet/graph/expression.h"
#include "dynet/graph/pool.h"
#include "dynet/graph/signature.h"
#include "dynet/graph/tasks.h"
#include "dynet/params/parameter.h"

namespace dynet::engine {

/// What a graph asks of whoever runs it.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual Tensor value(unsigned node) = 0;
  virtual Tensor gradient(unsigned node) = 0;
  virtual void backward(unsigned node, bool full) = 0;
  /// Forgets all values; the next ones have other random numbers.
  virtual void invalidate() = 0;
  /// The graph starts anew.
  virtual void renew() = 0;
  /// Remembers what there is; revert() goes back to the last such place, where the graph had so many nodes.
  virtual void checkpoint() = 0;
  virtual void revert(unsigned nodes) = 0;
  /// What there is now becomes mark `number`; later ones are gone. forget_tasks() removes what was computed
  /// of nodes made after a mark, or does nothing and gives false where older ones were computed since, whose
  /// memory lies among theirs.
  virtual void mark_tasks(size_t /*number*/) {}
  virtual bool forget_tasks(size_t /*number*/) { return false; }
  /// Evaluates all of these by one schedule.
  virtual void evaluate(std::span<const uint32_t> wanted) = 0;
  /// True if asking for the value computes nothing.
  virtual bool is_known(unsigned node) const = 0;
  /// True if a backward pass was run from this node or a later one.
  virtual bool has_gradient(unsigned node) const = 0;
  /// Writes which nodes ran together and, after a backward pass, how each gradient came about.
  virtual void describe_plan(std::ostream& out) const = 0;
  /// Merged calls run so far in this graph.
  virtual size_t step_count() const = 0;
  /// Throws where a program must not ask about the graph: it only shows what a function does.
  virtual void check_asked() const {}
  /// Hears that the program has asked for the size of a batch, in a graph that traces a cell.
  virtual void ask_batch_size() {}
};

class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  /// A graph that is not one of the program's: it leaves the numbers of those, and so their random numbers,
  /// as they are.
  struct Tracing {};
  explicit Graph(Tracing) : is_tracing_(true) {}
  bool is_tracing() const { return is_tracing_; }

  /// Its owner; std::runtime_error if there is none any more.
  operator ComputationGraph&() const;

  /// Starts anew: all expressions made before are stale; the memory is kept for the next graph.
  void clear();
  /// Starts anew, but takes a number when it is first used: looking at a graph changes no random numbers.
  void wait();
  /// Number of this graph; larger than that of every graph before it in this process.
  unsigned id() {
    if (id_ == 0) [[unlikely]]
      start();
    return id_;
  }
  /// The same, or 0 if the graph was not used yet.
  unsigned number() const { return id_; }

  /// Says that the owner of this graph has gone: expressions and handles are refused from now on. Its memory
  /// is left as it is, since others may be at work with it.
  void end() {
    ++life_;
    ended_ = true;
    stamp_ = next_stamp();
  }
  /// Forgets everything after the end, when nobody is at work any more. No number is taken: when graphs end
  /// changes no random numbers.
  void retire();
  /// Changes when the graph ends: its memory may then serve another graph.
  unsigned life() const { return life_.load(std::memory_order_relaxed); }

  Expression add(const Op& op, const Expressions& xs, const void* attrs, std::span<const unsigned> words);
  /// The node of a parameter: one per parameter, and one more for its constant form.
  unsigned add_parameter(Storage& storage, bool trained);
  /// Shares the ownership of a parameter or lookup table until the graph starts anew.
  void hold(Storage& storage) {
    if (&storage != last_held_) hold_another(storage);
  }
  /// The node id of an expression used in this graph; checks that it is not stale.
  unsigned resolve(const Expression& e);
  /// The common case of resolve(): a node of this graph that was made after the last revert().
  bool is_current(const Expression& e) const { return e.pg == this && e.graph_id == stamp() && e.i < size(); }
  /// What new expressions carry as their graph_id. It changes when the graph starts anew, goes back, or ends:
  /// while it is the same, what was held is still held.
  unsigned stamp() const { return stamp_.load(std::memory_order_relaxed); }
  /// Of those that were given to this graph when it went back; the next one is newer.
  unsigned newest_stamp() const { return stamp() == id_ ? first_stamp_ : stamp(); }
  /// Stamps count down from the largest number, and the numbers of graphs, which are stamps at first, up.
  static bool is_newer_stamp(unsigned a, unsigned b) { return a < b && a > ~0u / 2; }
  /// Whether an expression is a node of this graph.
  bool holds(const Expression& e) const { return is_current(e) || older_node(e) != none; }
  /// Whether an expression was a node of this graph, and was removed.
  bool has_removed(const Expression& e) const;
  /// The node of a parameter, or of an expression from before the last revert(), or none.
  unsigned known_node(const Expression& e) const;
  Expression expression(unsigned node) {
    return {this, node, node >= segments_.back().first ? stamp() : stamp_of(node)};
  }
  /// Whether a new node may compute this one itself: nothing else has used it so far.
  bool may_fuse(unsigned id) const { return !nodes_[id].used && (!tasks_ || tasks_->may_fuse(id)); }
  /// Remembers, if so, that a node will compute this one itself.
  void fuse_away(unsigned id, bool fused_away) { nodes_.at(id).fused_away |= fused_away; }

  unsigned size() const { return nodes_.size(); }
  const Node& operator[](unsigned id) const { return nodes_[id]; }
  std::span<const uint32_t> args(const Node& n) const { return {args_.data() + n.args, n.arg_count}; }
  /// Those of the operation as the program wrote it.
  std::span<const uint32_t> original_args(const Node& n) const {
    return n.op->original ? n.op->original_args(n.payload) : args(n);
  }
  unsigned edge_count() const { return args_.size(); }
  std::span<const uint32_t> all_args() const { return {args_.data(), args_.size()}; }
  const Dim& dim(const Node& n) const { return dims_[n.dim_id]; }
  const Dim& dim(unsigned id) const { return dims_[nodes_[id].dim_id]; }
  /// Signatures are numbered below this; leaves have 0.
  uint32_t signature_count() const { return static_cast<uint32_t>(items_.size()); }
  /// Changes when signatures and shapes are numbered anew.
  unsigned intern_epoch() const { return intern_epoch_; }
  const Item& item(const Node& n) const { return items_[n.signature]; }
  const Item& item(unsigned id) const { return items_[nodes_[id].signature]; }

  /// Where in the program a node was made, as place_new_nodes() was told; 0: not known.
  uint32_t place(unsigned id) const { return id < places_.size() ? places_[id] : 0; }
  /// Begins a record of places: the nodes that there are have none in it.
  void begin_places(uint32_t record) {
    if (record_ != record) record_ = record, places_.resize(size());
  }
  /// Whether nodes have come since their place was last told.
  bool has_unplaced(uint32_t record) const { return record_ != record || places_.size() < size(); }
  /// Tells where those were made; of a record that this graph has not begun, where the newest one was.
  void place_new_nodes(uint32_t record, uint32_t place) {
    if (record_ != record && size() > 0) record_ = record, places_.resize(size() - 1);
    places_.resize(size(), place);
  }

  /// Changes the words of a node (`set` of re-settable inputs, lookups and picks) and forgets values.
  void set_words(unsigned node, std::span<const unsigned> words);
  /// Indices in memory of the caller, which are a node's words and are read again at each evaluation.
  struct Source {
    unsigned node;
    const unsigned* one;                // or, if null,
    const std::vector<unsigned>* many;  // these,
    size_t count;                       // always so many
    unsigned limit;                     // and below this
  };
  void read_words(const Source& source) { sources_.push_back(source); }
  /// Reads the words of those of the nodes, which are in ascending order, whose words are such indices.
  void refresh_words(std::span<const uint32_t> nodes);

  /// Room of a node's words that the caller fills (inputs keep their numbers there).
  template <class T>
  T* take_payload(size_t count) {
    check_idle();
    return payload_.take_small<T>(count);
  }

  /// Shares the ownership of what a node refers to, for as long as there is the node.
  void keep(std::shared_ptr<const void> object) {
    if (kept_.size() == kept_before_ || kept_.back() != object) kept_.push_back(std::move(object));
  }
  std::span<const std::shared_ptr<const void>> kept() const { return kept_; }

  /// Marks the graph as in use by one thread: until then no other one may change or evaluate it.
  class BusyGuard {
   public:
    explicit BusyGuard(Graph& graph) : graph_(graph) {
      if (!graph.try_use()) graph.refuse_use();
    }
    ~BusyGuard() { graph_.state_ &= static_cast<uint8_t>(~in_use); }
    BusyGuard(const BusyGuard&) = delete;
    BusyGuard& operator=(const BusyGuard&) = delete;

   private:
    Graph& graph_;
  };
  /// The same where the graph may be marked already.
  class MaybeBusyGuard {
   public:
    explicit MaybeBusyGuard(Graph& graph) : graph_(graph), is_first_(graph.try_use()) {}
    ~MaybeBusyGuard() {
      if (is_first_) graph_.state_ &= static_cast<uint8_t>(~in_use);
    }
    MaybeBusyGuard(const MaybeBusyGuard&) = delete;
    MaybeBusyGuard& operator=(const MaybeBusyGuard&) = delete;

   private:
    Graph& graph_;
    bool is_first_;
  };
  bool is_in_use() const { return state_.load(std::memory_order_acquire) & in_use; }
  /// In use by a thread of the parent when this process was forked: it stays so.
  bool is_lost() const { return is_in_use() && used_after_forks_.load(std::memory_order_relaxed) != forks(); }
  /// Called before each change.
  void check_idle() {
    if (state_.load(std::memory_order_relaxed)) [[unlikely]]
      start();
  }

  /// The tasks that make nodes of this graph in turns; null as long as there were none.
  Tasks* tasks() const { return tasks_.get(); }
  /// The same, and from now on there are some.
  Tasks& start_tasks();
  /// Throws what is said of a call that is not for tasks.
  void check_outside_tasks(std::string_view call) const;

  /// Computes a node, and checks it if check_validity is set.
  void evaluate_eagerly(unsigned node);

  struct Mark {
    unsigned nodes, args;
  };
  Mark mark() const { return {size(), edge_count()}; }
  /// Removes what was added after the mark, of which nobody has an expression and nothing was computed.
  void undo(const Mark&);

  /// Remembers what there is.
  void checkpoint();
  /// Removes what was added after the last checkpoint, which is forgotten; false if there is none.
  /// Expressions of what is removed are stale for ever, also when other nodes have their numbers.
  bool revert();

  /// What there is now becomes mark `number`, to which forget_tasks() goes back; later ones are gone.
  void mark_tasks(size_t number);
  /// Removes what tasks have made since a mark, as revert() does, and the marks after it; false where that
  /// cannot be.
  bool forget_tasks(size_t number);
  /// How many marks there are: none after going back to a checkpoint or starting anew.
  size_t task_marks() const { return task_marks_.size(); }

  static constexpr unsigned none = ~0u;

  Evaluator* evaluator = nullptr;
  ComputationGraph* owner = nullptr;  // of the program, while it lives
  std::optional<bool> batching;       // none: as the process has it
  /// Every node is computed when it is made; with check_validity its numbers must be finite, and so
  /// must the gradients of a backward pass.
  bool immediate_compute = false, check_validity = false;

 private:
  enum State : uint8_t { in_use = 1, waiting = 2 };

  /// Nodes from `first` on, up to the next segment, and the stamp of their expressions.
  struct Segment {
    unsigned first, stamp;
  };
  struct Checkpoint {
    Mark mark;
    Arena::Position payload;
    size_t kept, held, first_uses;
  };
  /// What is known of a parameter or lookup table in this graph; the storage is null where there is none.
  struct Bound {
    const Storage* storage = nullptr;
    unsigned node[2] = {none, none};  // constant, trained
  };
  /// The ownership of a parameter, and its place in bound_.
  struct Held {
    std::shared_ptr<Storage> storage;
    size_t place;
  };

  [[noreturn]] void refuse_use() const;
  bool try_use() {
    if (state_.fetch_or(in_use) & in_use) return false;
    used_after_forks_.store(forks(), std::memory_order_relaxed);
    return true;
  }
  [[gnu::cold, gnu::noinline]] void start();
  void renew(unsigned number);
  void set_number(unsigned id);
  static unsigned next_stamp();
  unsigned stamp_of(unsigned node) const;
  unsigned older_node(const Expression& e) const;
  void remove_nodes(const Mark&);
  Checkpoint here() const;
  void go_back(const Checkpoint& to);
  void take_back(const Mark&);
  [[noreturn]] void refuse_other_graph(const Expression& e) const;
  void log_uses(std::span<const uint32_t> args);
  void refresh(const Source& source);
  [[noreturn]] void refuse_other_task(std::span<const uint32_t> args) const;
  bool may_use(std::span<const uint32_t> args) const {
    return std::ranges::all_of(args, [&](uint32_t id) { return tasks_->may_use(id); });
  }
  Expression append(const Op&, Interned, size_t arg_count, const void* attrs, std::span<const unsigned> words,
                    bool needs_gradient);
  uint32_t fuse(const Op& op, std::span<const uint32_t> args);
  Expression add_any(const Op& op, const Expressions& xs, const void* attrs, std::span<const unsigned> words);
  KeyBuilder key_builder(const Op&, size_t arg_count, const void* attrs);
  Expression append_any(const Op&, std::span<const uint32_t> args, const void* attrs,
                        std::span<const unsigned> words);
  Interned infer_and_intern(const Op&, std::span<const uint32_t> args, const void* attrs);
  uint32_t signature(const Op&, std::span<const uint32_t> args, const void* attrs, const Dim& shape);
  void add_item(const Op&, const void* attrs, const Dim& shape);
  std::byte* add_payload(const Op&, const void* attrs, std::span<const unsigned> words);
  std::byte* add_random_payload(const Op&, const void* attrs, unsigned batch);
  void hold_another(Storage& storage);
  Bound& bound(Storage& storage);
  size_t place_of(const Storage& storage) const;
  void grow_bound();

  Pool<Node> nodes_;
  Pool<uint32_t> args_;
  Arena payload_;

  // What earlier nodes and graphs have shown; kept across clear() until it is large.
  DimTable dims_;
  InternTable interned_, signatures_;
  SignatureCache signature_cache_;
  std::vector<Item> items_{1};          // by signature
  Arena item_dims_;                     // the shapes of their arguments
  std::vector<uint64_t> key_;           // scratch of add() and infer_and_intern()
  std::vector<Dim> shape_args_;         // scratch of infer_and_intern()
  std::vector<unsigned> random_words_;  // scratch of add_random_payload()
  std::vector<Bound> bound_;            // open addressing
  std::vector<Held> held_;              // in order of first use
  const Storage* last_held_ = nullptr;
  std::vector<std::shared_ptr<const void>> kept_;
  std::vector<Source> sources_;  // in order of their nodes
  std::vector<Segment> segments_{{0, 0}};
  std::vector<Checkpoint> checkpoints_;
  std::vector<Checkpoint> task_marks_;
  std::unique_ptr<Tasks> tasks_;
  size_t kept_before_ = 0;            // at the last checkpoint
  std::vector<uint32_t> first_uses_;  // since the first checkpoint: nodes that were used by none before
  std::vector<uint32_t> places_;      // by node, of those whose place was told
  uint32_t record_ = 0;               // of places
  std::atomic<unsigned> stamp_{0};    // of new expressions
  unsigned id_ = 0, intern_epoch_ = 0;
  unsigned first_stamp_ = 0;  // stamps of this graph after its number are below
  bool is_tracing_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<unsigned> life_{0};
  std::atomic<uint8_t> state_ = 0;
  std::atomic<uint32_t> used_after_forks_{0};  // forks() when the graph was last marked as in use
};

/// The op of the leaf that stands for a parameter, and its storage.
extern const Op parameter_op;
Storage* parameter_storage(const Node& node);

}  // namespace dynet::engine

#include "dynet/graph/current.h"
