// What a device can do: the few kernels that every operation is written in.
//
// Laws for every kernel: an item's result does not depend on how many items run together, on their
// order, on where they lie, or on the number of threads; the order of a sum depends on the number of its
// terms alone; contributions are rounded before they are added ("+=" never fuses with the product that
// made the contribution).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "dynet/core/dim.h"
#include "dynet/core/random.h"
#include "dynet/core/real.h"
#include "dynet/device/memory.h"

namespace dynet::engine {

/// Terms of a sum that are added one after another; longer sums are pairwise sums of such runs.
inline constexpr size_t terms_in_a_row = 64;

/// Equally shaped tensors: item i lies at table[i] + offset, or, without a table, at base + i * step.
/// Step 0 is one tensor shared by all items.
struct Items {
  real* base = nullptr;
  real* const* table = nullptr;
  size_t step = 0, offset = 0;

  real* operator[](size_t i) const { return table ? table[i] + offset : base + i * step; }
  /// What lies so many numbers into each item.
  Items part(size_t at) const {
    return table ? Items{nullptr, table, 0, offset + at} : Items{base + at, nullptr, step};
  }
  /// The items lie one after another without a gap, each of this size.
  bool packed(size_t size) const { return !table && step == size; }
  bool is_broadcast() const { return !table && step == 0; }
  bool is_none() const { return !table && !base; }
};

/// Integers of each item (indices, keys), at table[i].
struct Words {
  const uint32_t* const* table = nullptr;
  const uint32_t* operator[](size_t i) const { return table[i]; }
};

/// A matrix repacked by an engine for its product kernel: opaque to everyone else.
struct PackedMatrix {
  unsigned rows = 0, cols = 0;
  size_t capacity = 0;
  std::unique_ptr<real[]> forward;     // panels of A
  std::unique_ptr<real[]> transposed;  // panels of Aᵀ, if they were made
  std::atomic<bool> has_transposed = false;
  unsigned transposed_reads = 0;  // calls that read Aᵀ so far
  const void* engine = nullptr;   // whose layout this is

  /// True where panels of Aᵀ pay; a single call does as well without them.
  bool wants_transposed() const { return transposed_reads > 1; }
};

/// Y_i = init_i + A_i X_i, or init_i + A_iᵀ X_i. The depth is summed in order from zero (a great one in runs,
/// which are summed pairwise), then added to init.
struct Product {
  unsigned m, k, n;  // A is m×k as stored; X_i has n columns (of k numbers, or of m when transposed)
  bool transposed = false;
  size_t count;  // items
  Items a;       // plain column-major matrices; one shared matrix when packed is set
  PackedMatrix* packed = nullptr;
  Items x, y;
  Items init;                   // added columns; base == nullptr: zero. May be y itself (accumulate)
  bool init_is_column = false;  // init_i is one column, added to each of the n columns
  unsigned a_step = 0;          // from column to column of a plain matrix; 0: m
  bool short_runs = false;      // the depth is summed in the short runs of the greatest ones
};

/// G = G (or 0) + Σ_c dY_c X_cᵀ over count columns, summed in the order of the tables (many in
/// runs).
struct OuterSum {
  unsigned m, k;
  size_t count;
  const real* const* dy;  // columns of m
  const real* const* x;   // columns of k
  real* g;                // m×k, column-major
  bool accumulate;        // false: G is written, not added to
};

/// y_i = y_i (or 0) + x_e + … over the terms e of list i, ends[i - 1] ≤ e < ends[i], all of n numbers: in
/// order; in runs, if they are many. Where some y_i are the same, lists are added one after another.
struct SumLists {
  size_t n, count;
  const uint32_t* ends;
  const real* const* x;
  real* const* y;
  bool accumulate;  // false: y is written, not added to
};

/// A nest of loops over up to eight axes with a stride on each side (in numbers; 0 = repeat).
struct Strides {
  unsigned nd = 0;
  unsigned size[8];
  ptrdiff_t from[8], to[8];

  void axis(unsigned n, ptrdiff_t from_stride, ptrdiff_t to_stride) {
    size[nd] = n, from[nd] = from_stride, to[nd] = to_stride, ++nd;
  }
  Strides swapped() const {
    Strides s = *this;
    for (unsigned i = 0; i < nd; ++i) std::swap(s.from[i], s.to[i]);
    return s;
  }
};

/// Where a move starts: a fixed offset and, per item, an index times a stride.
struct Shift {
  size_t from_offset = 0, to_offset = 0;
  size_t from_by = 0, to_by = 0;  // multiplied with the first word of the item
  Words words{};                  // table == nullptr: none
  Shift swapped() const { return {to_offset, from_offset, to_by, from_by, words}; }
};

/// An axis of n numbers `inner` apart, in `outer` blocks: the columns (d = 0) or rows (d = 1) of a tensor.
struct Axis {
  size_t outer, n, inner;
  size_t lines() const { return outer * inner; }
  /// Where a line begins.
  size_t start(size_t line) const { return line / inner * inner * n + line % inner; }
  static Axis of(const Dim& dim, unsigned d) {
    Axis a{1, dim[d], 1};
    for (unsigned i = 0; i < d; ++i) a.inner *= dim[i];
    for (unsigned i = d + 1; i < dim.nd; ++i) a.outer *= dim[i];
    a.outer *= dim.bd;
    return a;
  }
};

/// y = [term +] f0(x0) ∘ f1(x1), all of one size. saved holds the values of those f that change something.
struct Gated {
  unsigned f[2];  // positions in Activations (ops/gate.h)
  size_t count, size;
  Items term;
  Items x[2];
  Items saved, y;
  Items dy, dx;
  bool accumulate;
};

enum class Distribution : uint8_t { uniform, normal, bernoulli, gumbel };

class Engine {
 public:
  virtual ~Engine() = default;
  virtual const char* name() const = 0;  // the instruction set in use

  // -- where numbers are
  /// Null where they are in the host's memory, which it may touch; if not, the host touches them through
  /// copy() (device/on_host.h), and every other operand lies in this memory.
  virtual Memory* memory();
  /// to = from; each may be the host's.
  virtual void copy(size_t n, const real* from, real* to) = 0;

  // -- elementwise; f is the position of the op in MapOps or ZipOps (ops/all.h)
  virtual void map(unsigned f, const void* attrs, size_t count, size_t size, Items x, Items y) = 0;
  /// dx += slope(x, y) * dy; if not accumulate, as if dx were zero
  virtual void map_backward(unsigned f, const void* attrs, size_t count, size_t size, Items x, Items y,
                            Items dy, Items dx, bool accumulate) = 0;
  /// y = f(x0, x1); x0 and x1 are broadcast along axes where their size is 1.
  virtual void zip(unsigned f, const void* attrs, size_t count, const Dim& y_dim, const Dim& x0_dim,
                   const Dim& x1_dim, Items x0, Items x1, Items y) = 0;
  /// dx_side += Σ over broadcast axes of slope_side(x0, x1, y) * dy; if not accumulate, as if dx were zero
  virtual void zip_backward(unsigned f, unsigned side, const void* attrs, size_t count, const Dim& y_dim,
                            const Dim& x0_dim, const Dim& x1_dim, Items x0, Items x1, Items y, Items dy,
                            Items dx, bool accumulate) = 0;

  virtual void gate(const Gated&) = 0;
  /// dx += what x_side contributed; if not accumulate, as if dx were zero
  virtual void gate_backward(unsigned side, const Gated&) = 0;

  // -- matrices
  virtual void product(const Product&) = 0;
  virtual void outer_sum(const OuterSum&) = 0;
  /// Repacks scale * A (rows×cols, column-major) into p, reusing its memory; the transposed panels too if
  /// wanted.
  virtual void pack(const real* a, unsigned rows, unsigned cols, real scale, bool transposed,
                    PackedMatrix& p) = 0;
  /// Makes the transposed panels from the others.
  virtual void pack_transposed(PackedMatrix& p) = 0;
  /// The reverse of pack.
  virtual void unpack(const PackedMatrix& p, real* a) = 0;

  // -- moving and summing
  /// to[…] = from[…], or += when accumulate; with a stride of 0 on the `to` side it sums along that axis.
  virtual void move(size_t count, const Strides&, const Shift&, bool accumulate, Items from, Items to) = 0;
  virtual void fill(size_t n, real value, real* x) = 0;
  /// y += a * x
  virtual void add_scaled(size_t n, real a, const real* x, real* y) = 0;
  virtual void sum_lists(const SumLists&) = 0;
  virtual void scale(size_t n, real a, real* x) = 0;
  virtual double squared_norm(size_t n, const real* x) = 0;
  /// The largest (sign 1) or smallest (sign -1) along the axis; what is not a number is extreme.
  virtual void extremum(int sign, size_t count, const Axis&, Items x, Items y) = 0;
  /// dx at the first extremal position of each line += dy
  virtual void extremum_backward(size_t count, const Axis&, Items x, Items y, Items dy, Items dx) = 0;
  virtual void cumulative_sum(size_t count, const Axis&, bool reverse, bool accumulate, Items x, Items y) = 0;

  // -- softmax family, along an axis; s keeps two numbers a line for the backward pass: first the largest
  // number of each line, then the sum of exp(x - largest), less the 1 of the largest, of each line
  /// y = exp(x) / Σ exp(x); where all x are -inf nothing is known, or it is 0 if they may be
  virtual void softmax(size_t count, const Axis&, Items x, Items y, bool may_be_empty = false) = 0;
  virtual void log_softmax(size_t count, const Axis&, Items x, Items y) = 0;
  /// y = log Σ exp x, one number a line
  virtual void log_sum_exp(size_t count, const Axis&, Items x, Items s, Items y) = 0;
  /// dx += y * (dy - Σ y dy)
  virtual void softmax_backward(size_t count, const Axis&, Items y, Items dy, Items dx) = 0;
  /// dx += dy - exp(y) * Σ dy
  virtual void log_softmax_backward(size_t count, const Axis&, Items y, Items dy, Items dx) = 0;
  /// dx += softmax(x) * dy, and nothing where all x are -inf
  virtual void log_sum_exp_backward(size_t count, const Axis&, Items x, Items s, Items dy, Items dx) = 0;
  /// y = log Σ exp x - x[word]: one column of n an item
  virtual void negative_log_softmax(size_t count, size_t n, Words index, Items x, Items s, Items y) = 0;
  /// dx += dy * (softmax(x) - [word])
  virtual void negative_log_softmax_backward(size_t count, size_t n, Words index, Items x, Items s, Items dy,
                                             Items dx) = 0;

  // -- standardising along an axis, by one number s a line: the root of epsilon plus the mean square
  /// y = (x - mean of x) / s; if not centered, the mean counts as zero
  virtual void standardize(bool centered, real epsilon, size_t count, const Axis&, Items x, Items s,
                           Items y) = 0;
  /// dx += (dy - mean of dy - y * mean of (y dy)) / s
  virtual void standardize_backward(bool centered, size_t count, const Axis&, Items y, Items s, Items dy,
                                    Items dx) = 0;

  // -- random: number e of item i is a pure function of (key, words[i][0 … 2], e)
  virtual void random(Distribution, real a, real b, Philox key, size_t count, size_t size, Words words,
                      Items y) = 0;

  // -- recurrent cells
  /// gates {4H: i,f,o,g before activation} and c_prev (base == nullptr: zero) → gates activated in place,
  /// y = {2H: c, h}; forget_bias is added to f before its logistic.
  virtual void lstm_cell(size_t count, size_t hidden, real forget_bias, Items gates, Items c_prev,
                         Items y) = 0;
  /// From activated gates, c_prev, y and dy = {dc, dh}: the gradients of the gates in their place, and
  /// dc_prev = f * dc unless it is null.
  virtual void lstm_cell_backward(size_t count, size_t hidden, Items gates, Items c_prev, Items y, Items dy,
                                  Items dc_prev) = 0;

  // -- training; rule is the position in Rules (train/rules.h), hyper its numbers, slots its state
  virtual void update(unsigned rule, const real* hyper, size_t n, real* values, const real* gradient,
                      real* const* slots) = 0;
  /// The update of a rows×cols matrix that packs the new scale * A in the same pass.
  virtual void update_packed(unsigned rule, const real* hyper, unsigned rows, unsigned cols, real* values,
                             const real* gradient, real* const* slots, real scale, bool transposed,
                             PackedMatrix& p) = 0;

  /// Calls run(context, part) for every part below `parts`, side by side as far as there are threads; the
  /// kernels that it calls run on its thread alone. Of what they throw one is thrown here.
  virtual void run_parallel(unsigned parts, void (*run)(void* context, unsigned part), void* context) = 0;
  /// How many threads may compute: the physical cores, until it is set.
  virtual void set_most_threads(unsigned n) = 0;
  virtual unsigned most_threads() const = 0;
  /// How many of them compute what the calling thread asks for; at first all.
  virtual void use_threads(unsigned n) = 0;
  virtual unsigned threads() const = 0;
};

/// y += x_0, then y += x_1, … of count tensors; in runs, if they are many.
inline void add_each(Engine& engine, size_t n, size_t count, const real* const* x, real* y) {
  const auto end = static_cast<uint32_t>(count);
  engine.sum_lists({n, 1, &end, x, &y, true});
}

/// Calls f(part) for every part below `parts`, as run_parallel does.
template <class F>
void parallel_for(Engine& engine, size_t parts, F&& f) {
  constexpr size_t most = 1 << 10;  // calls of the engine
  struct Context {
    F& f;
    size_t parts;
  } context{f, parts};
  const auto run = [](void* given, unsigned first) {
    auto& c = *static_cast<Context*>(given);
    for (size_t part = first; part < c.parts; part += most) c.f(static_cast<unsigned>(part));
  };
  engine.run_parallel(static_cast<unsigned>(parts < most ? parts : most), run, &context);
}

/// The CPU engine for the best instruction set here, or the one called "v2", "v3", "v4", "neon" or "plain".
Engine& cpu_engine(const char* instruction_set = nullptr);

/// What computes: graphs that start from now on, trainers, averages and norms. First it is cpu_engine().
Engine& chosen_engine();
void choose_engine(Engine& engine);

}  // namespace dynet::engine
