// Allocation for kernels, in one place that is compiled for every machine.
#include "dynet/cpu/scratch.h"

#include <cstdint>

namespace dynet::engine::cpu {
namespace {

constexpr size_t line = 64 / sizeof(real);

real* aligned(real* p) {
  return reinterpret_cast<real*>((reinterpret_cast<uintptr_t>(p) + 63) & ~uintptr_t{63});
}

struct Buffer {
  std::unique_ptr<real[]> memory;
  size_t capacity = 0;
};

}  // namespace

real* scratch(Scratch use, size_t n) {
  thread_local Buffer buffers[2];
  Buffer& b = buffers[static_cast<int>(use)];
  if (b.capacity < n) {
    b.memory.reset(new real[n + n / 2 + line]);
    b.capacity = n + n / 2;
  }
  return aligned(b.memory.get());
}

real* forward_panels(PackedMatrix& p, size_t n) {
  if (!p.forward || p.capacity < n) {
    p.transposed.reset();
    p.forward.reset(new real[n + line]);
    p.capacity = n;
  }
  return aligned(p.forward.get());
}

real* transposed_panels(PackedMatrix& p, size_t n) {
  if (!p.transposed) p.transposed.reset(new real[n + line]);
  return aligned(p.transposed.get());
}

const real* forward_panels(const PackedMatrix& p) { return aligned(p.forward.get()); }
const real* transposed_panels(const PackedMatrix& p) { return aligned(p.transposed.get()); }

}  // namespace dynet::engine::cpu
