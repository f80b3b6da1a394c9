// The engine of one instruction set; each of its members is defined in the file of its kernel.
#pragma once

#include "dynet/cpu/simd/isa.h"
#include "dynet/device/engine.h"

namespace dynet::engine::cpu::DYNET_ISA {

class CpuEngine final : public Engine {
 public:
  const char* name() const override;
  void copy(size_t n, const real* from, real* to) override;

  void map(unsigned f, const void* attrs, size_t count, size_t size, Items x, Items y) override;
  void map_backward(unsigned f, const void* attrs, size_t count, size_t size, Items x, Items y, Items dy,
                    Items dx, bool accumulate) override;
  void zip(unsigned f, const void* attrs, size_t count, const Dim& y_dim, const Dim& x0_dim,
           const Dim& x1_dim, Items x0, Items x1, Items y) override;
  void zip_backward(unsigned f, unsigned side, const void* attrs, size_t count, const Dim& y_dim,
                    const Dim& x0_dim, const Dim& x1_dim, Items x0, Items x1, Items y, Items dy, Items dx,
                    bool accumulate) override;

  void gate(const Gated&) override;
  void gate_backward(unsigned side, const Gated&) override;

  void product(const Product&) override;
  void outer_sum(const OuterSum&) override;
  void pack(const real* a, unsigned rows, unsigned cols, real scale, bool transposed,
            PackedMatrix& p) override;
  void pack_transposed(PackedMatrix& p) override;
  void unpack(const PackedMatrix& p, real* a) override;

  void move(size_t count, const Strides&, const Shift&, bool accumulate, Items from, Items to) override;
  void fill(size_t n, real value, real* x) override;
  void add_scaled(size_t n, real a, const real* x, real* y) override;
  void sum_lists(const SumLists&) override;
  void scale(size_t n, real a, real* x) override;
  double squared_norm(size_t n, const real* x) override;
  void extremum(int sign, size_t count, const Axis&, Items x, Items y) override;
  void extremum_backward(size_t count, const Axis&, Items x, Items y, Items dy, Items dx) override;
  void cumulative_sum(size_t count, const Axis&, bool reverse, bool accumulate, Items x, Items y) override;

  void softmax(size_t count, const Axis&, Items x, Items y, bool may_be_empty) override;
  void log_softmax(size_t count, const Axis&, Items x, Items y) override;
  void log_sum_exp(size_t count, const Axis&, Items x, Items s, Items y) override;
  void softmax_backward(size_t count, const Axis&, Items y, Items dy, Items dx) override;
  void log_softmax_backward(size_t count, const Axis&, Items y, Items dy, Items dx) override;
  void log_sum_exp_backward(size_t count, const Axis&, Items x, Items s, Items dy, Items dx) override;
  void negative_log_softmax(size_t count, size_t n, Words index, Items x, Items s, Items y) override;
  void negative_log_softmax_backward(size_t count, size_t n, Words index, Items x, Items s, Items dy,
                                     Items dx) override;

  void standardize(bool centered, real epsilon, size_t count, const Axis&, Items x, Items s,
                   Items y) override;
  void standardize_backward(bool centered, size_t count, const Axis&, Items y, Items s, Items dy,
                            Items dx) override;

  void random(Distribution, real a, real b, Philox key, size_t count, size_t size, Words words,
              Items y) override;

  void lstm_cell(size_t count, size_t hidden, real forget_bias, Items gates, Items c_prev, Items y) override;
  void lstm_cell_backward(size_t count, size_t hidden, Items gates, Items c_prev, Items y, Items dy,
                          Items dc_prev) override;

  void update(unsigned rule, const real* hyper, size_t n, real* values, const real* gradient,
              real* const* slots) override;
  void update_packed(unsigned rule, const real* hyper, unsigned rows, unsigned cols, real* values,
                     const real* gradient, real* const* slots, real scale, bool transposed,
                     PackedMatrix& p) override;

  void run_parallel(unsigned parts, void (*run)(void* context, unsigned part), void* context) override;
  void set_most_threads(unsigned n) override;
  unsigned most_threads() const override;
  void use_threads(unsigned n) override;
  unsigned threads() const override;
};

}  // namespace dynet::engine::cpu::DYNET_ISA
