// An engine around another one, for tests and benchmarks: a hook decides of each kernel whether it runs, and
// where its operands are.
#pragma once

#include "dynet/device/engine.h"

namespace dynet::engine {

/// Hook is called with each kernel, a function of a translation at(items, count) or at(address, count) of
/// operands: struct Hook { void operator()(auto kernel) { kernel(at); } };
template <class Hook>
class WrappedEngine : public Engine {
 public:
  explicit WrappedEngine(Engine& inner, Hook hook = {}) : inner_(inner), run_(hook) {}
  const char* name() const override { return inner_.name(); }
  void copy(size_t n, const real* from, real* to) override {
    run_([&](auto& at) { inner_.copy(n, at.anywhere(from), at.anywhere(to)); });
  }

  void map(unsigned f, const void* attrs, size_t count, size_t size, Items x, Items y) override {
    run_([&](auto& at) { inner_.map(f, attrs, count, size, at(x, count), at(y, count)); });
  }
  void map_backward(unsigned f, const void* attrs, size_t count, size_t size, Items x, Items y, Items dy,
                    Items dx, bool accumulate) override {
    run_([&](auto& at) {
      inner_.map_backward(f, attrs, count, size, at(x, count), at(y, count), at(dy, count), at(dx, count),
                          accumulate);
    });
  }
  void zip(unsigned f, const void* attrs, size_t count, const Dim& y_dim, const Dim& x0_dim,
           const Dim& x1_dim, Items x0, Items x1, Items y) override {
    run_([&](auto& at) {
      inner_.zip(f, attrs, count, y_dim, x0_dim, x1_dim, at(x0, count), at(x1, count), at(y, count));
    });
  }
  void zip_backward(unsigned f, unsigned side, const void* attrs, size_t count, const Dim& y_dim,
                    const Dim& x0_dim, const Dim& x1_dim, Items x0, Items x1, Items y, Items dy, Items dx,
                    bool accumulate) override {
    run_([&](auto& at) {
      inner_.zip_backward(f, side, attrs, count, y_dim, x0_dim, x1_dim, at(x0, count), at(x1, count),
                          at(y, count), at(dy, count), at(dx, count), accumulate);
    });
  }

  void gate(const Gated& g) override {
    run_([&](auto& at) { inner_.gate(translated(at, g)); });
  }
  void gate_backward(unsigned side, const Gated& g) override {
    run_([&](auto& at) { inner_.gate_backward(side, translated(at, g)); });
  }

  void product(const Product& given) override {
    run_([&](auto& at) {
      Product p = given;
      p.a = at(p.a, p.count), p.x = at(p.x, p.count), p.y = at(p.y, p.count), p.init = at(p.init, p.count);
      inner_.product(p);
    });
  }
  void outer_sum(const OuterSum& given) override {
    run_([&](auto& at) {
      OuterSum o = given;
      o.dy = at(o.dy, o.count), o.x = at(o.x, o.count), o.g = at(o.g, size_t{o.m} * o.k);
      inner_.outer_sum(o);
    });
  }
  void pack(const real* a, unsigned rows, unsigned cols, real scale, bool transposed,
            PackedMatrix& p) override {
    run_([&](auto& at) { inner_.pack(at(a, size_t{rows} * cols), rows, cols, scale, transposed, p); });
    p.engine = this;
  }
  void pack_transposed(PackedMatrix& p) override {
    run_([&](auto&) { inner_.pack_transposed(p); });
  }
  void unpack(const PackedMatrix& p, real* a) override {
    run_([&](auto& at) { inner_.unpack(p, at(a, size_t{p.rows} * p.cols)); });
  }

  void move(size_t count, const Strides& strides, const Shift& shift, bool accumulate, Items from,
            Items to) override {
    run_([&](auto& at) { inner_.move(count, strides, shift, accumulate, at(from, count), at(to, count)); });
  }
  void fill(size_t n, real value, real* x) override {
    run_([&](auto& at) { inner_.fill(n, value, at(x, n)); });
  }
  void add_scaled(size_t n, real a, const real* x, real* y) override {
    run_([&](auto& at) { inner_.add_scaled(n, a, at(x, n), at(y, n)); });
  }
  void sum_lists(const SumLists& lists) override {
    run_([&](auto& at) {
      SumLists there = lists;
      there.x = at(lists.x, lists.count ? lists.ends[lists.count - 1] : 0);
      there.y = at(lists.y, lists.count);
      inner_.sum_lists(there);
    });
  }
  void scale(size_t n, real a, real* x) override {
    run_([&](auto& at) { inner_.scale(n, a, at(x, n)); });
  }
  double squared_norm(size_t n, const real* x) override {
    double norm = 0;
    run_([&](auto& at) { norm = inner_.squared_norm(n, at(x, n)); });
    return norm;
  }
  void extremum(int sign, size_t count, const Axis& axis, Items x, Items y) override {
    run_([&](auto& at) { inner_.extremum(sign, count, axis, at(x, count), at(y, count)); });
  }
  void extremum_backward(size_t count, const Axis& axis, Items x, Items y, Items dy, Items dx) override {
    run_([&](auto& at) {
      inner_.extremum_backward(count, axis, at(x, count), at(y, count), at(dy, count), at(dx, count));
    });
  }
  void cumulative_sum(size_t count, const Axis& axis, bool reverse, bool accumulate, Items x,
                      Items y) override {
    run_([&](auto& at) {
      inner_.cumulative_sum(count, axis, reverse, accumulate, at(x, count), at(y, count));
    });
  }

  void softmax(size_t count, const Axis& axis, Items x, Items y, bool may_be_empty) override {
    run_([&](auto& at) { inner_.softmax(count, axis, at(x, count), at(y, count), may_be_empty); });
  }
  void log_softmax(size_t count, const Axis& axis, Items x, Items y) override {
    run_([&](auto& at) { inner_.log_softmax(count, axis, at(x, count), at(y, count)); });
  }
  void log_sum_exp(size_t count, const Axis& axis, Items x, Items s, Items y) override {
    run_([&](auto& at) { inner_.log_sum_exp(count, axis, at(x, count), at(s, count), at(y, count)); });
  }
  void softmax_backward(size_t count, const Axis& axis, Items y, Items dy, Items dx) override {
    run_([&](auto& at) { inner_.softmax_backward(count, axis, at(y, count), at(dy, count), at(dx, count)); });
  }
  void log_softmax_backward(size_t count, const Axis& axis, Items y, Items dy, Items dx) override {
    run_([&](auto& at) {
      inner_.log_softmax_backward(count, axis, at(y, count), at(dy, count), at(dx, count));
    });
  }
  void log_sum_exp_backward(size_t count, const Axis& axis, Items x, Items s, Items dy, Items dx) override {
    run_([&](auto& at) {
      inner_.log_sum_exp_backward(count, axis, at(x, count), at(s, count), at(dy, count), at(dx, count));
    });
  }
  void negative_log_softmax(size_t count, size_t n, Words index, Items x, Items s, Items y) override {
    run_([&](auto& at) {
      inner_.negative_log_softmax(count, n, index, at(x, count), at(s, count), at(y, count));
    });
  }
  void negative_log_softmax_backward(size_t count, size_t n, Words index, Items x, Items s, Items dy,
                                     Items dx) override {
    run_([&](auto& at) {
      inner_.negative_log_softmax_backward(count, n, index, at(x, count), at(s, count), at(dy, count),
                                           at(dx, count));
    });
  }

  void standardize(bool centered, real epsilon, size_t count, const Axis& axis, Items x, Items s,
                   Items y) override {
    run_([&](auto& at) {
      inner_.standardize(centered, epsilon, count, axis, at(x, count), at(s, count), at(y, count));
    });
  }
  void standardize_backward(bool centered, size_t count, const Axis& axis, Items y, Items s, Items dy,
                            Items dx) override {
    run_([&](auto& at) {
      inner_.standardize_backward(centered, count, axis, at(y, count), at(s, count), at(dy, count),
                                  at(dx, count));
    });
  }

  void random(Distribution distribution, real a, real b, Philox key, size_t count, size_t size, Words words,
              Items y) override {
    run_([&](auto& at) { inner_.random(distribution, a, b, key, count, size, words, at(y, count)); });
  }

  void lstm_cell(size_t count, size_t hidden, real forget_bias, Items gates, Items c_prev, Items y) override {
    run_([&](auto& at) {
      inner_.lstm_cell(count, hidden, forget_bias, at(gates, count), at(c_prev, count), at(y, count));
    });
  }
  void lstm_cell_backward(size_t count, size_t hidden, Items gates, Items c_prev, Items y, Items dy,
                          Items dc_prev) override {
    run_([&](auto& at) {
      inner_.lstm_cell_backward(count, hidden, at(gates, count), at(c_prev, count), at(y, count),
                                at(dy, count), at(dc_prev, count));
    });
  }

  void update(unsigned rule, const real* hyper, size_t n, real* values, const real* gradient,
              real* const* slots) override {
    run_([&](auto& at) { inner_.update(rule, hyper, n, at(values, n), at(gradient, n), at.slots(slots)); });
  }
  void update_packed(unsigned rule, const real* hyper, unsigned rows, unsigned cols, real* values,
                     const real* gradient, real* const* slots, real scale, bool transposed,
                     PackedMatrix& p) override {
    run_([&](auto& at) {
      const size_t n = size_t{rows} * cols;
      inner_.update_packed(rule, hyper, rows, cols, at(values, n), at(gradient, n), at.slots(slots), scale,
                           transposed, p);
    });
    p.engine = this;
  }

  void run_parallel(unsigned parts, void (*run)(void* context, unsigned part), void* context) override {
    inner_.run_parallel(parts, run, context);
  }
  void set_most_threads(unsigned n) override { inner_.set_most_threads(n); }
  unsigned most_threads() const override { return inner_.most_threads(); }
  void use_threads(unsigned n) override { inner_.use_threads(n); }
  unsigned threads() const override { return inner_.threads(); }

 private:
  static Gated translated(auto& at, Gated g) {
    for (Items* items : {&g.term, &g.x[0], &g.x[1], &g.saved, &g.y, &g.dy, &g.dx})
      *items = at(*items, g.count);
    return g;
  }

  Engine& inner_;
  Hook run_;
};

}  // namespace dynet::engine
