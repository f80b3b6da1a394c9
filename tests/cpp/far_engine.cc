// The far engine's memory is mapped twice: where programs see it there is no access, and kernels get the
// address of the other mapping.
#include "tests/cpp/far_engine.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "dynet/cpu/wrapped_engine.h"

namespace dynet::engine {
namespace {

[[noreturn]] void end(const char* what, const void* address) {
  char line[200];
  const int size = std::snprintf(line, sizeof line, "far memory: %s (%p)\n", what, address);
  void* calls[64];
  if (write(STDERR_FILENO, line, static_cast<size_t>(size)) > 0)
    backtrace_symbols_fd(calls, backtrace(calls, 64), STDERR_FILENO);
  std::abort();
}

class FarMemory final : public Memory {
 public:
  static FarMemory& get() {
    static FarMemory& memory = *new FarMemory;
    return memory;
  }
  std::byte* allocate(size_t bytes) override {
    const size_t size = rounded(bytes);
    const std::lock_guard lock(mutex_);
    const auto spare = spare_.find(size);
    if (spare == spare_.end()) {
      if (size > room - used_) return nullptr;
      used_ += size;
      return far_ + used_ - size;
    }
    std::byte* const memory = spare->second;
    spare_.erase(spare);
    __builtin_memset(memory + distance_, 0, size);
    return memory;
  }
  /// What is given back is filled with what is not a number, so that whoever reads it is found out.
  void release(std::byte* memory, size_t bytes) override {
    const std::lock_guard lock(mutex_);
    __builtin_memset(memory + distance_, 0xff, bytes);
    spare_.emplace(rounded(bytes), memory);
  }
  bool has(const void* p) const {
    const auto* const at = static_cast<const std::byte*>(p);
    return at >= far_ && at < far_ + room;
  }
  template <class Number>
  Number* near(Number* p) const {
    return reinterpret_cast<Number*>(reinterpret_cast<uintptr_t>(p) + static_cast<uintptr_t>(distance_));
  }

 private:
  static constexpr size_t room = size_t{1} << 36, page = 4096;  // only pages that are used take memory

  static size_t rounded(size_t bytes) { return (bytes + page) & ~(page - 1); }

  FarMemory() {
    const int file = memfd_create("far memory", 0);
    if (file < 0 || ftruncate(file, room)) end("there is none", nullptr);
    const auto map = [&](int access) {
      void* const at = mmap(nullptr, room, access, MAP_SHARED | MAP_NORESERVE, file, 0);
      if (at == MAP_FAILED) end("it could not be mapped", nullptr);
      return static_cast<std::byte*>(at);
    };
    far_ = map(PROT_NONE);
    distance_ = map(PROT_READ | PROT_WRITE) - far_;
    close(file);
    struct sigaction action{};
    action.sa_flags = SA_SIGINFO | SA_RESETHAND;
    action.sa_sigaction = [](int, siginfo_t* about, void*) {
      if (get().has(about->si_addr)) end("the host touched numbers", about->si_addr);
    };
    sigaction(SIGSEGV, &action, nullptr);
  }

  std::mutex mutex_;
  std::byte* far_;
  ptrdiff_t distance_;
  size_t used_ = 0;
  std::multimap<size_t, std::byte*> spare_;
};

/// Gives kernels the addresses where they may touch what their callers may not.
class Near {
 public:
  template <class Number>
  Number* operator()(Number* p, size_t) {
    if (!p) return p;
    if (!memory_.has(p)) end("a kernel got numbers of the host", p);
    return memory_.near(p);
  }
  template <class Number>
  Number* const* operator()(Number* const* table, size_t count) {
    if (!table) return table;
    auto& near = tables_.emplace_back();
    for (size_t i = 0; i < count; ++i) near.push_back(const_cast<real*>((*this)(table[i], 1)));
    return const_cast<Number* const*>(near.data());
  }
  Items operator()(Items items, size_t count) {
    items.base = (*this)(items.base, count);
    items.table = (*this)(items.table, count);
    return items;
  }
  /// What may be the host's.
  template <class Number>
  Number* anywhere(Number* p) {
    return memory_.has(p) ? memory_.near(p) : p;
  }
  real* const* slots(real* const* addresses) {
    auto& near = tables_.emplace_back();
    for (size_t i = 0; i < max_slots; ++i) near.push_back(anywhere(addresses[i]));
    return near.data();
  }

 private:
  static constexpr size_t max_slots = 3;
  FarMemory& memory_ = FarMemory::get();
  std::deque<std::vector<real*>> tables_;
};

struct OnFarMemory {
  void operator()(auto&& kernel) const {
    Near at;
    kernel(at);
  }
};

class FarEngine final : public WrappedEngine<OnFarMemory> {
 public:
  FarEngine() : WrappedEngine(cpu_engine()) {}
  Memory* memory() override { return &FarMemory::get(); }
};

}  // namespace

Engine& far_engine() {
  static FarEngine& engine = *new FarEngine;  // what lies in its memory may end after the process's statics
  return engine;
}

}  // namespace dynet::engine
