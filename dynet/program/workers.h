// Processes forked from this one that work on parameters in shared memory.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "dynet/train/trainer.h"

namespace dynet::mp {

/// Zeroed memory that processes forked later share.
class SharedMemory {
 public:
  explicit SharedMemory(size_t bytes);
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  template <class T>
  T& at(size_t i) {
    return static_cast<T*>(start_)[i];
  }

 private:
  void* start_;
  size_t bytes_;
};

/// A process that a program forks by itself, and the pipes from and to it: the ends to read from and to write
/// to.
struct Workload {
  pid_t pid = 0;
  int c2p[2] = {-1, -1}, p2c[2] = {-1, -1};
};
/// Makes the pipes.
std::vector<Workload> create_workloads(unsigned num_children);
/// Forks the processes. Gives each child its place, and the parent the count of them. All share the values of
/// parameters made after initialize(argc, argv, true), and change them without taking turns; gradients and
/// the state of trainers are each one's own.
unsigned spawn_children(std::vector<Workload>& workloads);
/// Waits for the children and closes the pipes; 0 if all ended with 0, else the status of one of them.
int cleanup(std::vector<Workload>& workloads);

/// Several processes that learn at once. Each has gradients of its own, and changes the values and the
/// trainer's state, which all share, when it is its turn: no gradient is lost.
class Workers {
 public:
  /// std::runtime_error if no parameter was made after initialize(argc, argv, true).
  Workers(unsigned count, Trainer* trainer);
  ~Workers();

  // For who forks by himself: each child begins, and the parent ends when all have ended.
  /// From here on the gradients are the worker's own.
  void begin();
  /// Sees what the workers have made.
  void end() {
    see_values();
    load_progress();
  }

  /// Runs work(child) in all of them and waits; std::runtime_error with the text of what one of them threw.
  void run(const std::function<void(unsigned)>& work);

  // To be called by a worker.
  /// The next place in the order of the data, each given to one worker only.
  size_t take() { return state_->next++; }
  /// What is read of the parameters from now on is what they hold now.
  void see_values();
  /// The trainer's update with the gradients of this worker.
  void update();
  /// Adds the gradients of this worker to those of the process that made it.
  void add_gradients();

  /// After run(): says which gradients there are, where workers added some.
  void take_gradients();

 private:
  struct State {
    std::atomic<size_t> next;
    Trainer::Progress progress;
    std::atomic<bool> has_error;
    char error[1000];
  };
  struct Turn;

  void keep_error(const char* text);
  void store_progress();
  void load_progress();

  unsigned count_;
  Trainer* trainer_;
  std::vector<std::shared_ptr<engine::Storage>> storages_;
  std::vector<engine::Buffer> shared_gradients_;  // in a worker: those of its parent
  SharedMemory state_memory_;
  State* state_;
  SharedMemory decay_factors_;
  std::vector<real> own_factors_;  // as this process knew them last
  int lock_file_ = -1;
};

}  // namespace dynet::mp
