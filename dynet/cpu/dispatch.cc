// The choice of the engine for this machine.
#include <string>
#include <string_view>
#include <vector>

#include "dynet/core/error.h"
#include "dynet/device/engine.h"

namespace dynet::engine {
namespace cpu {

#if defined(DYNET_ONE_ISA)
#elif defined(__x86_64__)
namespace v2 {
Engine& engine();
}
namespace v3 {
Engine& engine();
}
namespace v4 {
Engine& engine();
}
#elif defined(__aarch64__)
namespace neon {
Engine& engine();
}
#endif
#if defined(DYNET_PLAIN_TOO) || defined(DYNET_ONE_ISA) || !(defined(__x86_64__) || defined(__aarch64__))
#define DYNET_HAS_PLAIN
namespace plain {
Engine& engine();
}
#endif

namespace {

struct Choice {
  const char* name;
  bool possible;
  Engine& (*engine)();
};

#if defined(__x86_64__) && !defined(DYNET_ONE_ISA)
bool has_v3() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#endif

/// What this library was compiled for, the best first.
std::vector<Choice> choices() {
  return {
#if defined(DYNET_ONE_ISA)
#elif defined(__x86_64__)
      {"v4", has_v4(), v4::engine},
      {"v3", has_v3(), v3::engine},
      {"v2", true, v2::engine},
#elif defined(__aarch64__)
      {"neon", true, neon::engine},
#endif
#ifdef DYNET_HAS_PLAIN
      {"plain", true, plain::engine},
#endif
  };
}

Engine& choose(const char* wanted) {
  std::string known;
  for (const Choice& choice : choices()) {
    if (wanted ? std::string_view(wanted) == choice.name : choice.possible) {
      if (!choice.possible) invalid("instruction set \"", wanted, "\" is not available on this machine");
      return choice.engine();
    }
    known += (known.empty() ? "\"" : ", \"") + std::string(choice.name) + "\"";
  }
  invalid("instruction set \"", wanted, "\" is unknown; this library has ", known);
}

}  // namespace
}  // namespace cpu

Engine& cpu_engine(const char* instruction_set) {
  if (instruction_set) return cpu::choose(instruction_set);
  static Engine& best = cpu::choose(nullptr);
  return best;
}

}  // namespace dynet::engine
