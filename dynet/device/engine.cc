// The one place that knows which engine computes.
#include "dynet/device/engine.h"

namespace dynet::engine {
namespace {

std::atomic<Engine*> chosen = nullptr;

}  // namespace

Memory* Engine::memory() { return nullptr; }

Engine& chosen_engine() {
  Engine* const engine = chosen.load(std::memory_order_acquire);
  return engine ? *engine : cpu_engine();
}

void choose_engine(Engine& engine) { chosen.store(&engine, std::memory_order_release); }

}  // namespace dynet::engine
