// What a program chooses before it starts: by fields, or by the --dynet options of its command line.
#pragma once

#include <string>
#include <vector>

namespace dynet {

/// The choices of a process. Memory and the CPU's device have no effect: memory grows as it is needed.
struct DynetParams {
  unsigned random_seed = 0;  // 0: drawn from the system
  std::string mem_descriptor = "512";
  float weight_decay = 0;  // of collections made from now on
  int autobatch = 1;       // how nodes are grouped: 0 not at all, 2 by depth, other numbers by the agenda
  int profiling = 0;  // 1: the time of each operation is printed when the process ends; 2: its batches too
  int threads = 0;    // how many may compute; 0: as it was, which is all physical cores at first
  bool shared_parameters = false;  // parameters made from now on are shared with worker processes (dynet::mp)
  int ngpus_requested = 0;         // there are no GPUs: more than 0 is an error
  bool ids_requested = false, cpu_requested = false;
  int requested_gpus = 0;
  std::vector<int> gpu_mask;
};

/// Takes the --dynet options, with - or _ between words and = or a space before values, out of argv.
/// std::invalid_argument if a value is missing or wrong, std::runtime_error if a GPU is asked for.
DynetParams extract_dynet_params(int& argc, char**& argv, bool shared_parameters = false);

/// Makes the choices count. Programs that choose nothing need no call.
void initialize(const DynetParams& params);
void initialize(int& argc, char**& argv, bool shared_parameters = false);

}  // namespace dynet

namespace dynet::engine {

/// A choice of the process as the variable that DyNet 2 had for it.
template <class Number, void (*choose)(Number)>
class Choice {
 public:
  constexpr explicit Choice(Number now) : now_(now) {}
  constexpr Choice(const Choice&) = default;
  operator Number() const { return now_; }
  Choice& operator=(Number number) {
    choose(number);
    now_ = number;
    return *this;
  }
  Choice& operator=(const Choice& other) { return *this = static_cast<Number>(other); }

 private:
  Number now_;
};

void choose_batching(int autobatch);
void choose_profiling(int profiling);
void choose_weight_decay(float lambda);

}  // namespace dynet::engine

namespace dynet {

/// As the fields of DynetParams.
extern engine::Choice<int, engine::choose_batching> autobatch_flag;
extern engine::Choice<int, engine::choose_profiling> profiling_flag;
extern engine::Choice<float, engine::choose_weight_decay> default_weight_decay_lambda;

/// Prints the profile if one was asked for, as the end of the process does.
void cleanup();

/// The seed of all random numbers from now on; 0 is one as any other.
void reset_rng(unsigned seed);

}  // namespace dynet
