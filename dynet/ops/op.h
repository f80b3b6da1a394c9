// The contract of an operation: a struct that says what it computes; everything else is derived from it.
#pragma once

#include <concepts>
#include <cstring>

#include "dynet/graph/expression.h"
#include "dynet/ops/attributes.h"
#include "dynet/ops/on_host.h"

namespace dynet::engine {

/// A named argument of the public function, with its default if it has one: a number, or a list of up to two.
struct Arg {
  const char* name;
  bool has_default = false;
  double value = 0;
  unsigned list[2] = {};
  unsigned list_size = 0;

  constexpr Arg(const char* n) : name(n) {}
  constexpr Arg(const char* n, double v) : name(n), has_default(true), value(v) {}
  constexpr Arg(const char* n, std::initializer_list<unsigned> v) : name(n), has_default(true) {
    for (unsigned i : v) list[list_size++] = i;
  }
};

struct NoAttrs {};

/// The defaults of every operation; families and ops override what differs.
struct OpDefaults {
  using Attrs = NoAttrs;
  static constexpr Batching batching = Batching::elements;
  static constexpr bool view = false, differentiable = true, random = false, leaf = false;
  /// backward writes 0 + its contribution where the call says so, as if dx had been zero.
  static constexpr bool overwrites = false;
  /// prepare_backward writes what workspace holds; if not, it is zero before.
  static constexpr bool writes_workspace = false;
  /// saved is as large as argument 0 and takes its memory, unless batch sizes differ: nothing else may read
  /// it.
  static constexpr bool saved_in_place = false;
  /// The backward pass overwrites what saved holds, so that another one computes it anew.
  static constexpr bool overwrites_saved = false;
  /// prepare_backward turns saved into the gradient of argument 0.
  static constexpr bool saved_becomes_gradient = false;
  /// It reads a part of argument 0, its only one, or tells little of it, and workspace is what one call of
  /// backward has for itself: where many read one node, what they contribute is made when it is added, and
  /// never kept.
  static constexpr bool reads_part = false;
  /// What may compute such a node itself, and what nodes this one may compute itself (fusion.cc).
  static constexpr Fusible fusible_into = fusible_into_nothing, absorbs = fusible_into_nothing;
  /// It touches numbers itself and does not leave them all to the engine: its calls have operands that are
  /// the host's.
  static constexpr bool on_host = false;
  /// A hidden op has no public name: operators and other functions make it.
  static constexpr bool hidden = false;
  /// Bytes at the end of Attrs that belong to one node (an address) and not to its kind.
  static constexpr uint32_t own_size = 0;
  static size_t view_offset(const auto&, Dims) { return 0; }
  static size_t saved_size(const auto&, Dims) { return 0; }
  static size_t workspace_size(const auto&, Dims) { return 0; }
  static constexpr bool is_matrix(unsigned) { return false; }
  /// Bit i: the gradient of argument i is dy itself if the shapes are equal (bit 31: of all from 31 on).
  static constexpr uint32_t identity = 0;
  static void backward(const auto&, Engine&, const Call&, unsigned) {}
};

/// What an operation must state. Attrs are plain data, compared byte by byte when calls are merged: their
/// padding, if any, must be named and zero.
/// An op may also state prepare_backward(attrs, engine, call), run once before its backward calls.
template <class T>
concept OpSpec = requires(const typename T::Attrs& a, Dims d, Engine& e, const Call& c, unsigned i) {
  { T::name } -> std::convertible_to<std::string_view>;
  { T::doc } -> std::convertible_to<std::string_view>;
  { T::hidden } -> std::convertible_to<bool>;
  { T::shape(a, d) } -> std::same_as<Dim>;
  { T::forward(a, e, c) } -> std::same_as<void>;
  { T::backward(a, e, c, i) } -> std::same_as<void>;
} && std::is_trivially_copyable_v<typename T::Attrs>;

template <class T>
constexpr uint32_t attr_size = std::is_empty_v<typename T::Attrs> ? 0 : sizeof(typename T::Attrs);

template <class T>
const typename T::Attrs& attrs_of(const void* p) {
  if constexpr (std::is_empty_v<typename T::Attrs>) {
    static constexpr typename T::Attrs none{};
    return none;
  } else {
    return *static_cast<const typename T::Attrs*>(p);
  }
}

/// Whether argument i is a matrix; an op may say so by i alone, or by its attributes and i.
template <class T>
constexpr bool is_matrix(const void* a, unsigned i) {
  if constexpr (requires { T::is_matrix(i); })
    return T::is_matrix(i);
  else
    return T::is_matrix(attrs_of<T>(a), i);
}
template <class T>
constexpr bool has_matrix() {
  if constexpr (requires { T::is_matrix(0u); })
    return T::is_matrix(0) || T::is_matrix(1) || T::is_matrix(2);
  else
    return true;
}

/// Calls compute(engine, call); an op that the host computes gets operands that are the host's.
template <class T>
void compute_call(Engine& e, const Call& c, bool backward, size_t dx_size, auto compute) {
  if (!T::on_host || !e.memory()) return compute(e, c);
  const auto& a = attrs_of<T>(c.attrs);
  bring_to_host(e, c, {T::saved_size(a, c.x_dims), T::workspace_size(a, c.x_dims), dx_size}, backward,
                [&](const Call& item) { compute(cpu_engine(), item); });
}
template <class T>
void run_forward(Engine& e, const Call& c) {
  compute_call<T>(e, c, false, 0, [](Engine& engine, const Call& call) {
    T::forward(attrs_of<T>(call.attrs), engine, call);
  });
}
template <class T>
void run_backward(Engine& e, const Call& c, unsigned i) {
  compute_call<T>(e, c, true, T::on_host ? c.x_dims[i].size() : 0, [i](Engine& engine, const Call& call) {
    T::backward(attrs_of<T>(call.attrs), engine, call, i);
  });
}

/// T's prepare_backward, or null if it has none.
template <class T>
constexpr auto prepare_backward_of() -> void (*)(Engine&, const Call&) {
  if constexpr (requires(Engine& e, const Call& c) { T::prepare_backward(attrs_of<T>(nullptr), e, c); })
    return [](Engine& e, const Call& c) {
      compute_call<T>(e, c, true, 0, [](Engine& engine, const Call& call) {
        T::prepare_backward(attrs_of<T>(call.attrs), engine, call);
      });
    };
  else
    return nullptr;
}

/// T's trained(attrs), or null if it has none.
template <class T>
constexpr auto trained_of() -> bool (*)(const void*) {
  if constexpr (requires(const typename T::Attrs& a) { T::trained(a); })
    return [](const void* a) { return T::trained(attrs_of<T>(a)); };
  else
    return nullptr;
}

/// T's outer, or null if it has none.
template <class T>
constexpr auto outer_of() -> OuterPair (*)(const void*, const NodeView&, unsigned) {
  if constexpr (requires(const typename T::Attrs& a, const NodeView& v) { T::outer(a, v, 0u); })
    return [](const void* a, const NodeView& v, unsigned i) { return T::outer(attrs_of<T>(a), v, i); };
  else
    return nullptr;
}

/// T's fuse, or null if it has none.
template <class T>
constexpr auto fuse_of() -> uint32_t (*)(Graph&, std::span<const uint32_t>) {
  if constexpr (T::absorbs != fusible_into_nothing)
    return T::fuse;
  else
    return nullptr;
}

/// The operation that T stands for, or null.
template <class T>
constexpr const Op* original_of() {
  if constexpr (requires { T::original; })
    return &T::original;
  else
    return nullptr;
}
template <class T>
constexpr auto original_args_of() -> std::span<const uint32_t> (*)(const void*) {
  if constexpr (requires { T::original; })
    return [](const void* a) -> std::span<const uint32_t> { return T::original_args(attrs_of<T>(a)); };
  else
    return nullptr;
}

/// The row of an operation, made from its struct.
template <OpSpec T>
inline constexpr Op op{
    .name = T::name,
    .attr_size = attr_size<T>,
    .key_size = attr_size<T> - T::own_size,
    .batching = T::batching,
    .view = T::view,
    .differentiable = T::differentiable,
    .random = T::random,
    .leaf = T::leaf,
    .has_matrix = has_matrix<T>(),
    .overwrites = T::overwrites,
    .writes_workspace = T::writes_workspace,
    .saved_in_place = T::saved_in_place,
    .overwrites_saved = T::overwrites_saved || T::saved_becomes_gradient,
    .reads_part = T::reads_part,
    .saved_becomes_gradient = T::saved_becomes_gradient,
    .fusible_into = T::fusible_into,
    .absorbs = T::absorbs,
    .identity = T::identity,
    .copy_attrs = [](std::byte* to, const void* a) { std::memcpy(to, a, attr_size<T>); },
    .shape = [](const void* a, Dims d) { return T::shape(attrs_of<T>(a), d); },
    .attributes = [](const void* a, Dims d) { return attributes_of<T>(attrs_of<T>(a), d); },
    .trained = trained_of<T>(),
    .forward = run_forward<T>,
    .prepare_backward = prepare_backward_of<T>(),
    .backward = run_backward<T>,
    .saved_size = [](const void* a, Dims d) -> size_t { return T::saved_size(attrs_of<T>(a), d); },
    .workspace_size = [](const void* a, Dims d) -> size_t { return T::workspace_size(attrs_of<T>(a), d); },
    .view_offset = [](const void* a, Dims d) -> size_t { return T::view_offset(attrs_of<T>(a), d); },
    .is_matrix = [](const void* a, unsigned i) { return is_matrix<T>(a, i); },
    .outer = outer_of<T>(),
    .fuse = fuse_of<T>(),
    .original = original_of<T>(),
    .original_args = original_args_of<T>(),
};

/// Adds a node of operation T. `words` holds dim.bd times the words of one batch element.
template <OpSpec T>
Expression apply(const Expressions& xs, const typename T::Attrs& a = {},
                 std::span<const unsigned> words = {}) {
  return add_node(op<T>, xs, &a, words);
}

/// A list of operations is a type.
template <class... T>
struct Ops {};

template <class... A, class... B>
constexpr Ops<A..., B...> operator+(Ops<A...>, Ops<B...>) {
  return {};
}

/// The position of an elementwise op in MapOps or ZipOps, by which engines find its kernel (ops/all.h).
template <class T>
unsigned map_position();
template <class T>
unsigned zip_position();

}  // namespace dynet::engine
