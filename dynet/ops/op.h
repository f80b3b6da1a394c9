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
const typename T::Attrs& attrs_of(const void* p) {
  if constexpr (std::is_empty_v<typename T::Attrs>) {
    static constexpr typename T::Attrs none{};
    return none;
  } else {
    return *static_cast<const typename T::Attrs*>(p);
  }
}

/// The row of an operation of the library, which rows.cc has; that of a program's own is made by ops/row.h.
template <class T>
struct Row {
  static const Op row;
};
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored \
    "-Wundefined-var-template"  // It is in another file: rows.cc, or the program's own.
#endif
template <class T>
inline constexpr const Op& op = Row<T>::row;
#ifdef __clang__
#pragma clang diagnostic pop
#endif

/// Adds a node of operation T, which OpSpec describes: row_of() checks it, once and not in every source.
/// `words` holds dim.bd times the words of one batch element.
template <class T>
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
