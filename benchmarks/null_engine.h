// An engine whose kernels do nothing: what a program still costs on it, it costs the host.
#pragma once

#include "dynet/cpu/wrapped_engine.h"

namespace benchmarks {

using namespace dynet;
using namespace dynet::engine;

/// The hook of kernels that do not run.
struct Nothing {
  /// Where operands are, for a kernel that does not look.
  struct Unmoved {
    template <class T>
    T operator()(T operand, size_t) const {
      return operand;
    }
    real* const* slots(real* const* addresses) const { return addresses; }
  };
  void operator()(auto&&) const {}
};

/// Numbers stay what they were; of matrices it only says that they are packed.
class NullEngine final : public WrappedEngine<Nothing> {
 public:
  NullEngine() : WrappedEngine(cpu_engine()) {}
  const char* name() const override { return "none"; }

  void pack(const real*, unsigned rows, unsigned cols, real, bool transposed, PackedMatrix& p) override {
    p.rows = rows, p.cols = cols, p.engine = this;
    p.has_transposed = transposed, p.transposed_reads = 0;
  }
  void pack_transposed(PackedMatrix& p) override { p.has_transposed = true; }
};

}  // namespace benchmarks
