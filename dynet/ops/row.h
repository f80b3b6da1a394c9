// The row of an operation, made from its struct: those of the library are made once, in rows.cc, and a
// program's own where they are used.
#pragma once

#include "dynet/ops/all.h"

namespace dynet::engine {

template <class T>
constexpr uint32_t attr_size = std::is_empty_v<typename T::Attrs> ? 0 : sizeof(typename T::Attrs);

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

/// The row of an operation.
template <class T>
constexpr Op row_of() {
  static_assert(OpSpec<T>, "an operation needs what OpSpec says in dynet/ops/op.h");
  return {
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
}

template <class T>
struct MadeThere {};
template <class... T>
struct MadeInLibrary : MadeThere<T>... {};
template <class... T>
MadeInLibrary<T...> made_in_library(Ops<T...>);
/// Whether rows.cc makes the row of T.
template <class T>
constexpr bool in_library = std::is_base_of_v<MadeThere<T>, decltype(made_in_library(AllOps{}))>;

template <class T>
  requires(!in_library<T>)
struct Row<T> {
  static const Op row;
};
template <class T>
  requires(!in_library<T>)
constinit const Op Row<T>::row = row_of<T>();

/// Those of the library.
std::span<const Op* const> all_rows();

}  // namespace dynet::engine
