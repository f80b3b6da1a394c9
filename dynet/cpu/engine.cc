// The engine object of one instruction set.
#include "dynet/cpu/engine.h"

#include "dynet/cpu/threads.h"

namespace dynet::engine::cpu::DYNET_ISA {
const char* CpuEngine::name() const {
#if defined(__AVX512F__)
  return "v4";
#elif defined(__AVX2__)
  return "v3";
#elif defined(__x86_64__)
  return "v2";
#elif defined(DYNET_NEON)
  return "neon";
#else
  return "plain";
#endif
}

void CpuEngine::run_parallel(unsigned parts, void (*run)(void* context, unsigned part), void* context) {
  run_parts(parts, run, context);
}
void CpuEngine::set_most_threads(unsigned n) { cpu::set_most_threads(n); }
unsigned CpuEngine::most_threads() const { return cpu::most_threads(); }
void CpuEngine::use_threads(unsigned n) { cpu::use_threads(n); }
unsigned CpuEngine::threads() const { return thread_count(); }

Engine& engine() {
  static CpuEngine& instance =
      *new CpuEngine;  // never destroyed: threads may end after the process's statics
  return instance;
}

}  // namespace dynet::engine::cpu::DYNET_ISA
