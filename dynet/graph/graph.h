// BUILD: the nodes of one computation, appended one by one and never changed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <vector>

#include "dynet/device/arena.h"
#include "dynet/graph/expression.h"
#include "dynet/graph/kind.h"
#include "dynet/graph/pool.h"
#include "dynet/params/parameter.h"

namespace dynet::engine {

/// What a graph asks of whoever runs it.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual Tensor value(unsigned node) = 0;
  virtual Tensor gradient(unsigned node) = 0;
  virtual void backward(unsigned node, bool full) = 0;
  /// Forgets values (all of them, or of nodes from `first` on).
  virtual void invalidate(unsigned first) = 0;
  /// Evaluates all of these by one schedule.
  virtual void evaluate(std::span<const uint32_t> wanted) = 0;
  /// True if a backward pass was run from this node or a later one.
  virtual bool has_gradient(unsigned node) const = 0;
  /// Merged calls run so far in this graph.
  virtual size_t step_count() const = 0;
  /// Throws where a program must not ask about the graph: it only shows what a function does.
  virtual void check_asked() const {}
  /// Hears that the program has asked for the size of a batch.
  virtual void ask_batch_size() {}
};

class Graph {
 public:
  Graph() = default;
  /// A graph that is not one of the program's: it leaves the numbers of those, and so their random numbers,
  /// as they are.
  struct Aside {};
  explicit Graph(Aside) : is_aside_(true) {}

  /// Starts anew: all expressions made before are stale; the memory is kept for the next graph.
  void clear();
  /// Number of this graph; larger than that of every graph before it in this process.
  unsigned id() const { return id_; }

  Expression add(const Op& op, const Expressions& xs, const void* attrs, std::span<const unsigned> words);
  /// The node of a parameter: one per parameter, and one more for its constant form.
  unsigned add_parameter(Storage& storage, bool trained);
  /// Shares the ownership of a parameter or lookup table until the graph starts anew.
  void hold(Storage& storage) {
    if (&storage != last_held_) hold_another(storage);
  }
  /// The node id of an expression used in this graph; checks that it is not stale.
  unsigned resolve(const Expression& e);
  /// The common case of resolve(): a node of this graph.
  bool is_current(const Expression& e) const { return e.pg == this && e.graph_id == id_ && e.i < size(); }
  /// Remembers, if so, that a node will compute this one itself.
  void skip(unsigned id, bool skipped) { nodes_.at(id).skipped |= skipped; }

  unsigned size() const { return nodes_.size(); }
  const Node& operator[](unsigned id) const { return nodes_[id]; }
  std::span<const uint32_t> args(const Node& n) const { return {args_.data() + n.args, n.arg_count}; }
  /// Those of the operation as the program wrote it.
  std::span<const uint32_t> written_args(const Node& n) const {
    return n.op->plain ? n.op->plain_args(n.payload) : args(n);
  }
  unsigned edge_count() const { return args_.size(); }
  std::span<const uint32_t> all_args() const { return {args_.data(), args_.size()}; }
  const Dim& dim(const Node& n) const { return dims_[n.dim_id]; }
  const Dim& dim(unsigned id) const { return dims_[nodes_[id].dim_id]; }
  /// Signatures are numbered below this; leaves have 0.
  uint32_t signature_count() const { return static_cast<uint32_t>(items_.size()); }
  /// Changes when signatures and shapes are numbered anew.
  unsigned numbering() const { return numbering_; }
  const Item& item(const Node& n) const { return items_[n.signature]; }
  const Item& item(unsigned id) const { return items_[nodes_[id].signature]; }

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
  void refresh_words(std::span<const uint32_t> nodes) {
    for (const Source& source : sources_)
      if (std::ranges::binary_search(nodes, source.node)) refresh(source);
  }

  /// Room of a node's words that the caller fills (inputs keep their numbers there).
  template <class T>
  T* take_payload(size_t count) {
    check_idle();
    return payload_.take_small<T>(count);
  }

  /// Shares the ownership of what a node refers to, until the graph starts anew.
  void keep(std::shared_ptr<const void> object) {
    if (kept_.empty() || kept_.back() != object) kept_.push_back(std::move(object));
  }
  std::span<const std::shared_ptr<const void>> kept() const { return kept_; }

  /// Marks the graph as in use by one thread: until then no other one may change or evaluate it.
  class Use {
   public:
    explicit Use(Graph& graph) : graph_(graph) {
      graph.check_idle();
      graph.in_use_ = forks() + 1;
    }
    ~Use() { graph_.in_use_ = 0; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    Graph& graph_;
  };
  bool is_in_use() const { return in_use_.load(std::memory_order_relaxed) != 0; }
  /// In use by a thread of the parent when this process was forked: it stays so.
  bool is_lost() const { return is_in_use() && in_use_.load(std::memory_order_relaxed) != forks() + 1; }
  void check_idle() const {
    if (is_in_use()) [[unlikely]]
      refuse_use();
  }

  /// Computes a node, and checks it if check_validity is set.
  void compute_now(unsigned node);

  struct Mark {
    unsigned nodes, args;
  };
  Mark mark() const { return {size(), edge_count()}; }
  /// Removes what was added after the mark.
  void revert(const Mark&);

  Evaluator* evaluator = nullptr;
  std::optional<bool> batching;  // none: as the process has it
  /// Every node is computed when it is made; with check_validity its numbers must be finite.
  bool immediate_compute = false, check_validity = false;

 private:
  static constexpr unsigned none = ~0u;

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
  void refresh(const Source& source);
  /// The node of a parameter, or none.
  unsigned known_parameter(const Expression& e) const;
  Expression append(const Op&, Kind, size_t arg_count, const void* attrs, std::span<const unsigned> words,
                    bool needs_gradient);
  Expression add_any(const Op& op, const Expressions& xs, const void* attrs, std::span<const unsigned> words);
  KeyWriter key_writer(const Op&, size_t arg_count, const void* attrs);
  Expression append_any(const Op&, std::span<const uint32_t> args, const void* attrs,
                        std::span<const unsigned> words);
  Kind learn(const Op&, std::span<const uint32_t> args, const void* attrs);
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
  KindTable kinds_, signatures_;
  RecentKinds recent_;
  std::vector<Item> items_{1};          // by signature
  Arena item_dims_;                     // the shapes of their arguments
  std::vector<uint64_t> key_;           // scratch of add() and learn()
  std::vector<Dim> shape_args_;         // scratch of learn()
  std::vector<unsigned> random_words_;  // scratch of add_random_payload()
  std::vector<Bound> bound_;            // open addressing
  std::vector<Held> held_;              // in order of first use
  const Storage* last_held_ = nullptr;
  std::vector<std::shared_ptr<const void>> kept_;
  std::vector<Source> sources_;
  unsigned id_ = 0, numbering_ = 0;
  bool is_aside_ = false;
  std::atomic<uint32_t> in_use_ = 0;  // or forks() + 1, by some thread
};

/// The op of the leaf that stands for a parameter, and its storage.
extern const Op parameter_op;
Storage* parameter_storage(const Node& node);

/// The id of the graph that was started last, in any thread.
unsigned newest_graph_id();

/// The graph of the calling thread that is used where no argument names one.
Graph& current_graph();
/// Makes it (or, with null, forgets it). The room that owns graphs installs how a first one is made.
void set_current_graph(Graph*);
Graph* current_graph_or_null();
/// The graph of an expression, which for a parameter is the current one.
inline Graph& graph_of(const Expression& e) { return e.is_parameter() || !e.pg ? current_graph() : *e.pg; }
/// The graph that a node of these arguments goes to.
Graph& graph_of(const Expressions& xs);
void set_graph_maker(Graph& (*make)());

}  // namespace dynet::engine
