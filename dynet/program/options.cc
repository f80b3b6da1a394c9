// Reading the --dynet options and making them count.
#include "dynet/program/options.h"

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string_view>

#include "dynet/core/error.h"
#include "dynet/core/profile.h"
#include "dynet/params/collection.h"
#include "dynet/program/random.h"
#include "dynet/run/computation_graph.h"
#include "dynet/run/settings.h"

namespace dynet {

using namespace engine;
namespace {

/// An option by its beginning, after "--dynet-", and what it does with its value.
struct Option {
  std::string_view name;
  void (*take)(DynetParams&, const std::string& option, const std::string& value);
  bool has_value = true;
};

int whole(const std::string& option, const std::string& given) {
  int number = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), number);
  if (error != std::errc() || end != given.data() + given.size())
    invalid(option, ": '", given, "' was given; a whole number is needed");
  if (number < 0) invalid(option, ": ", number, " was given; a number from 0 on is needed");
  return number;
}

float fraction(const std::string& option, const std::string& given) {
  char* end = nullptr;
  const float number = std::strtof(given.c_str(), &end);
  if (given.empty() || *end != '\0') invalid(option, ": '", given, "' was given; a number is needed");
  return number;
}

[[noreturn]] void no_gpu(const std::string& option) { failed(option, ": DyNet was built without GPUs"); }

void take_devices(DynetParams& params, const std::string& option, const std::string& names) {
  if (names.find("GPU") != std::string::npos) no_gpu(option);
  if (names != "CPU") invalid(option, ": '", names, "' was given; 'CPU' is needed");
  params.cpu_requested = true;
}

constexpr Option options[] = {
    {"mem", [](auto& p, auto&, auto& value) { p.mem_descriptor = value; }},
    {"seed",
     [](auto& p, auto& option, auto& value) { p.random_seed = static_cast<unsigned>(whole(option, value)); }},
    {"autobatch", [](auto& p, auto& option, auto& value) { p.autobatch = whole(option, value); }},
    {"profiling", [](auto& p, auto& option, auto& value) { p.profiling = whole(option, value); }},
    {"weight-decay", [](auto& p, auto& option, auto& value) { p.weight_decay = fraction(option, value); }},
    {"threads", [](auto& p, auto& option, auto& value) { p.threads = whole(option, value); }},
    {"devices", take_devices},
    {"gpu", [](auto&, auto& option, auto&) { no_gpu(option); }, false},
};

const Option* find_option(std::string name) {
  for (char& c : name)
    if (c == '_') c = '-';
  for (const Option& option : options)
    if (name.starts_with("--dynet-" + std::string(option.name))) return &option;
  return nullptr;
}

/// The profile of the process; printed once, when it ends or cleans up.
struct Report {
  Profile profile;
  int level = 0;
  void print() {
    if (level) profile.print(std::cout, level > 1);
    level = 0;
  }
  ~Report() { print(); }
};

Report& report() {
  static Report the_report;
  return the_report;
}

}  // namespace

DynetParams extract_dynet_params(int& argc, char**& argv, bool shared_parameters) {
  DynetParams params;
  params.shared_parameters = shared_parameters;
  int kept = argc > 0 ? 1 : 0;
  for (int i = kept; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const Option* option = find_option(name);
    if (!option) {
      argv[kept++] = argv[i];
      continue;
    }
    std::optional<std::string> value;
    if (equals != std::string::npos)
      value = argument.substr(equals + 1);
    else if (option->has_value && i + 1 < argc && !std::string_view(argv[i + 1]).starts_with("--"))
      value = argv[++i];
    if (option->has_value && !value) invalid(name, " expects an argument");
    option->take(params, "--dynet-" + std::string(option->name), value.value_or(""));
  }
  argc = kept;
  return params;
}

void initialize(const DynetParams& params) {
  if (params.ngpus_requested > 0 || params.requested_gpus > 0)
    failed(std::max(params.ngpus_requested, params.requested_gpus),
           " GPUs were asked for; DyNet was built without them");
  for (int bit : params.gpu_mask)
    if (bit != 0) failed("a GPU was asked for; DyNet was built without them");
  default_weight_decay_lambda = params.weight_decay;
  if (params.random_seed) reset_rng(params.random_seed);
  autobatch_flag = params.autobatch;
  if (params.threads) chosen_engine().set_most_threads(static_cast<unsigned>(params.threads));
  share_new_buffers(params.shared_parameters);
  profiling_flag = params.profiling;
}

void engine::choose_batching(int autobatch) {
  settings().policy = autobatch == 0 ? Policy::single : autobatch == 2 ? Policy::depth : Policy::agenda;
}

void engine::choose_profiling(int profiling) {
  report().level = profiling;
  chosen_profile() = profiling ? &report().profile : nullptr;
}

void engine::choose_weight_decay(float lambda) { set_default_weight_decay(lambda); }

constinit Choice<int, choose_batching> autobatch_flag{1};
constinit Choice<int, choose_profiling> profiling_flag{0};
constinit Choice<float, choose_weight_decay> default_weight_decay_lambda{0};

void initialize(int& argc, char**& argv, bool shared_parameters) {
  initialize(extract_dynet_params(argc, argv, shared_parameters));
}

void cleanup() {
  report().print();
  chosen_profile() = nullptr;
}

void reset_rng(unsigned seed) {
  reset_random(seed);
  rndeng->seed(random_seed());
}

}  // namespace dynet
