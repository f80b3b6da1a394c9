// A node is plain data; the row of its operation says what it computes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dynet/core/dim.h"
#include "dynet/core/tensor.h"
#include "dynet/device/engine.h"

namespace dynet::engine {

using Dims = std::span<const Dim>;

/// What one item of a merged call is.
enum class Batching : uint8_t {
  elements,  // one element of the mini-batch: the default, the op treats batch elements alike
  nodes,     // a whole node with its batch: for ops that mix batch elements
};

/// A merged call: `count` items of equal shapes, of one or many nodes.
struct Call {
  const void* attrs;
  size_t count;
  Dims x_dims;  // per item
  Dim dim;      // per item
  std::span<const Items> x;
  std::span<PackedMatrix* const> packed;  // of shared matrix arguments that are parameters, else null
  Items y, saved;
  Words words;
  Philox key;
  Items dy, dx, workspace;  // backward only; dx belongs to the argument asked for
  bool accumulate;          // dx += contribution; else dx = 0 + contribution (of ops that overwrite only)
};

/// The columns whose outer product is the gradient of a matrix argument, for one batch element.
struct OuterPair {
  const real* dy;
  const real* x;
  unsigned columns;  // dy has columns of as many rows as the matrix, x of as many as it has columns
};

/// The addresses of a node's arguments, looked up when they are asked for.
struct ArgumentView {
  const void* context;
  const real* (*at)(const void* context, unsigned i);
  const real* operator[](unsigned i) const { return at(context, i); }
  /// By f(i), which must outlive the view.
  template <class F>
  static ArgumentView of(const F& f) {
    return {&f, [](const void* context, unsigned i) { return (*static_cast<const F*>(context))(i); }};
  }
};

/// What a node gives its op when a matrix argument's gradient is due: addresses for one batch element.
struct NodeView {
  const Dim* x_dims;
  ArgumentView x;
  const real* y;
  const real* saved;
  const real* dy;
  const real* workspace;
};

/// A number or a list that an operation was told besides its arguments, by the name of the field that has it.
struct Attribute {
  std::string_view name;
  std::vector<double> numbers;
  bool is_whole, is_list;
};

class Graph;
constexpr uint32_t no_node = ~0u;

/// How a node may become part of another one that computes it itself, as long as nothing else has used it.
enum Fusible : uint8_t { fusible_into_nothing = 0, fusible_into_sums = 1, fusible_into_products = 2 };

/// The constant row of an operation: its identity is its address.
struct Op {
  std::string_view name;
  uint32_t attr_size = 0;
  uint32_t key_size = 0;  // as many first bytes of the attributes say what kind of node it is
  Batching batching = Batching::elements;
  bool view = false;              // the value is the argument's memory, from view_offset on
  bool differentiable = false;    // gradients flow to the arguments
  bool random = false;            // each batch element carries (node, element, part) as words
  bool leaf = false;              // no arguments; the executor binds its value
  bool has_matrix = false;        // some argument is a matrix (is_matrix)
  bool overwrites = false;        // backward heeds Call::accumulate; if not, dx is always added to
  bool writes_workspace = false;  // prepare_backward writes what workspace holds; if not, it is zero before
  bool saved_in_place = false;    // saved takes the memory of argument 0 (where batch sizes are equal)
  bool overwrites_saved = false;  // the backward pass overwrites what saved holds
  bool reads_part = false;        // what it contributes is made when it is added (readers.cc)
  bool saved_becomes_gradient = false;  // prepare_backward turns saved into the gradient of argument 0
  uint8_t fusible_into = 0,
          absorbs = 0;    // Fusible: what may compute it itself, and what it may compute itself
  uint32_t identity = 0;  // bit i: the gradient of argument i is dy itself if the shapes are equal (bit 31:
                          // all from 31 on)

  void (*copy_attrs)(std::byte* to, const void* attrs) = nullptr;  // of a size that the compiler knows
  Dim (*shape)(const void* attrs, Dims x) = nullptr;
  std::vector<Attribute> (*attributes)(const void* attrs, Dims x) = nullptr;  // null: none to tell
  bool (*trained)(const void* attrs) = nullptr;  // of a leaf: its gradient is wanted; null: no
  void (*forward)(Engine&, const Call&) = nullptr;
  void (*prepare_backward)(Engine&,
                           const Call&) =
      nullptr;  // once per call, before backward of each argument; null: nothing
  void (*backward)(Engine&, const Call&, unsigned i) = nullptr;
  size_t (*saved_size)(const void* attrs,
                       Dims x) = nullptr;  // numbers kept per item from forward to backward
  size_t (*workspace_size)(const void* attrs,
                           Dims x) = nullptr;  // numbers per item that live through backward
  size_t (*view_offset)(const void* attrs, Dims x) = nullptr;
  bool (*is_matrix)(const void* attrs,
                    unsigned i) = nullptr;  // argument i is a matrix that is multiplied from the left
  // The columns of a use as matrix i; null: those of the node's gradient and of the argument behind the
  // matrix.
  OuterPair (*outer)(const void* attrs, const NodeView&, unsigned i) = nullptr;
  // Of an op that takes arguments: adds a node that computes some of these itself, or gives no_node.
  uint32_t (*fuse)(Graph&, std::span<const uint32_t> args) = nullptr;
  // Of the one that it adds: the operation as it was written, and its nodes.
  const Op* original = nullptr;
  std::span<const uint32_t> (*original_args)(const void* attrs) = nullptr;
};

/// One operation in a graph. Arguments are node ids in the graph's pool, shapes are numbers in its table.
struct Node {
  const Op* op;
  const std::byte* payload;  // attributes, the number of words, the words
  uint32_t args;
  uint32_t signature;
  uint32_t dim_id;
  uint16_t arg_count;
  bool needs_gradient;       // leads to a trained parameter
  uint8_t fusible_into : 2;  // as its op
  bool used : 1;             // some node has it as an argument
  bool fused_away : 1;       // some node computes it itself instead of having it as an argument

  /// The operation as the program wrote it.
  const Op& written() const { return op->original ? *op->original : *op; }
  std::span<const uint32_t> words() const {
    if (!payload) return {};
    const auto* count = reinterpret_cast<const uint32_t*>(payload + ((op->attr_size + 3) & ~uint32_t{3}));
    return {count + 1, *count};
  }
};
static_assert(sizeof(Node) <= 32 && std::is_trivially_destructible_v<Node>);

}  // namespace dynet::engine
