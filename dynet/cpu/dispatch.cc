// The choice of the engine for this machine.
#include <string_view>

#include "dynet/core/error.h"
#include "dynet/device/engine.h"

namespace dynet::engine {
namespace cpu {

#if defined(__x86_64__) && !defined(DYNET_ONE_ISA)
namespace v2 {
Engine& engine();
}
namespace v3 {
Engine& engine();
}
namespace v4 {
Engine& engine();
}
#else
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

Engine& choose(const char* wanted) {
#if defined(__x86_64__) && !defined(DYNET_ONE_ISA)
  __builtin_cpu_init();
  const bool v3 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  const Choice choices[] = {
      {"v4", v4, cpu::v4::engine}, {"v3", v3, cpu::v3::engine}, {"v2", true, cpu::v2::engine}};
#else
  const Choice choices[] = {{"plain", true, cpu::plain::engine}};
#endif
  for (const Choice& choice : choices) {
    if (wanted ? std::string_view(wanted) == choice.name : choice.possible) {
      if (!choice.possible) invalid("instruction set \"", wanted, "\" is not available on this machine");
      return choice.engine();
    }
  }
  invalid("instruction set \"", wanted, "\" is unknown; it must be \"v2\", \"v3\" or \"v4\"");
}

}  // namespace
}  // namespace cpu

Engine& cpu_engine(const char* instruction_set) {
  if (instruction_set) return cpu::choose(instruction_set);
  static Engine& best = cpu::choose(nullptr);
  return best;
}

}  // namespace dynet::engine
