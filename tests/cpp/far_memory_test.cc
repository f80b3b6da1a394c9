// Nothing but engine calls touches numbers: models train, are saved and read on memory that the host cannot
// touch, with the bits that they have on the CPU's.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <sstream>

#include "tests/cpp/check.h"
#include "tests/cpp/far_engine.h"
#include "tests/cpp/train_support.h"

using namespace dynet;
using namespace dynet::engine;
using test::append;
using test::Bits;
using test::check;
using test::train;

namespace {

/// A small model with a table; clipping, weight decay and averages on.
Bits train_with(const std::function<std::unique_ptr<Trainer>(ParameterCollection&)>& make, bool sparse) {
  Bits bits;
  reset_random(5);
  ParameterCollection m;
  m.set_weight_decay_lambda(real(0.01));
  const ParameterInitUniform positive(real(0.1), 1);
  Parameter w = m.add_parameters({4, 3}, positive), b = m.add_parameters({4}, positive),
            unused = m.add_parameters({2}, positive);
  LookupParameter table = m.add_lookup_parameters(6, {3}, positive);
  const auto trainer = make(m);
  trainer->set_sparse_updates(sparse);
  if (sparse) trainer->exponential_moving_average(0.9);
  for (unsigned step = 0; step < 5; ++step) {
    ComputationGraph cg;
    const Expression x = lookup(cg, table, {step % 6, 2u, 2u});
    const Expression loss = sum_batches(squared_norm(tanh(parameter(cg, w) * x + parameter(cg, b))));
    append(bits, as_vector(cg.forward(loss)));
    cg.backward(loss);
    const auto norm = static_cast<real>(m.gradient_l2_norm());
    append(bits, {&norm, 1});
    trainer->update();
    if (step == 2) table.add_rows(2, positive);
  }
  append(bits, m);
  std::stringstream saved;
  trainer->save(saved);
  trainer->populate(saved);
  if (sparse) trainer->swap_params_to_moving_average();
  append(bits, m);
  if (sparse) trainer->swap_params_to_weights();
  trainer->restart();
  w.scale(2), w.clip_inplace(-1, 1), b.zero(), m.project_weights(real(0.5)), m.reset_gradient();
  append(bits, m);
  return bits;
}

/// What is saved is read again.
Bits save_and_load() {
  Bits bits;
  reset_random(7);
  ParameterCollection m;
  m.add_parameters({3, 4}), m.add_lookup_parameters(5, {2});
  SparseLSTMBuilder(1, 3, 4, m).set_sparsity(real(0.5));
  const auto folder = std::filesystem::temp_directory_path() / ("far_memory_" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const auto copy = [&](auto saver, auto loader, const std::string& file) {
    saver(folder / file).save(m);
    for (const auto& p : m.parameters_list()) p->scale(2);
    loader(folder / file).populate(m);
    append(bits, m);
  };
  copy([](auto file) { return TextFileSaver(file); }, [](auto file) { return TextFileLoader(file); },
       "m.text");
  copy([](auto file) { return SafetensorsSaver(file); }, [](auto file) { return SafetensorsLoader(file); },
       "m.safetensors");
  std::filesystem::remove_all(folder);
  return bits;
}

/// Values that programs ask for, checks of gradients, and tensors outside of graphs.
Bits ask() {
  Bits bits;
  reset_random(9);
  ParameterCollection m;
  Parameter w = m.add_parameters({3, 3});
  ComputationGraph cg;
  std::vector<real> numbers{1, 2, 3};
  const Expression x = input(cg, {3}, &numbers), y = parameter(cg, w) * x, loss = squared_norm(y);
  append(bits, as_vector(y.value()));
  check(check_grad(m, loss, 0), "check_grad");
  cg.backward(loss, true);
  append(bits, as_vector(y.gradient()));
  append(bits, as_vector(*w.gradients()));
  TensorTools::scale(*w.values(), 2, 1);
  append(bits, as_vector(*w.values()));
  const auto place = static_cast<real>(as_vector(TensorTools::argmax(y.value()))[0]);
  append(bits, {&place, 1});
  std::ostringstream out;
  out << y.value();
  check(!out.str().empty(), "printed");
  return bits;
}

using Run = std::function<Bits()>;

void compare(const std::string& what, const Run& run) {
  choose_engine(cpu_engine());
  const Bits near = run();
  choose_engine(far_engine());
  check(near == run(), what + " has other bits on far memory");
}

/// Whether a process that does this lives on.
bool survives(const std::function<void()>& act) {
  const pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    act();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status);
}

/// The engine finds out who touches numbers, and who gives it others.
void touching_is_found() {
  ParameterCollection m;
  Parameter p = m.add_parameters({2});
  std::vector<real> own(2);
  check(survives([&] { as_vector(*p.values()); }), "reading by a call");
  check(!survives([&] { own[0] += p.values()->v[0]; }), "reading");
  check(!survives([&] { p.values()->v[0] = 1; }), "writing");
  check(!survives([&] { chosen_engine().add_scaled(2, 1, own.data(), p.values()->v); }), "a kernel");
}

}  // namespace

int main() {
  for (const char* task : {"tagger", "tagger_char", "treelstm", "rnnlm", "rnnlm_bulk"})
    compare(task, [&] { return train(task); });
  using Make = std::function<std::unique_ptr<Trainer>(ParameterCollection&)>;
  const auto with = [](auto make) { return Make(make); };
  const std::pair<const char*, Make> trainers[] = {
      {"SimpleSGD", with([](auto& m) { return std::make_unique<SimpleSGDTrainer>(m); })},
      {"CyclicalSGD", with([](auto& m) { return std::make_unique<CyclicalSGDTrainer>(m); })},
      {"MomentumSGD", with([](auto& m) { return std::make_unique<MomentumSGDTrainer>(m); })},
      {"Adagrad", with([](auto& m) { return std::make_unique<AdagradTrainer>(m); })},
      {"Adadelta", with([](auto& m) { return std::make_unique<AdadeltaTrainer>(m); })},
      {"RMSProp", with([](auto& m) { return std::make_unique<RMSPropTrainer>(m); })},
      {"Adam", with([](auto& m) { return std::make_unique<AdamTrainer>(m); })},
      {"Amsgrad", with([](auto& m) { return std::make_unique<AmsgradTrainer>(m); })},
      {"AdamW", with([](auto& m) { return std::make_unique<AdamWTrainer>(m); })},
      {"RAdam", with([](auto& m) { return std::make_unique<RAdamTrainer>(m); })},
      {"Lion", with([](auto& m) { return std::make_unique<LionTrainer>(m); })},
      {"EG", with([](auto& m) { return std::make_unique<EGTrainer>(m); })},
  };
  for (const auto& [name, make] : trainers)
    for (const bool sparse : {true, false})
      compare(text(name, sparse ? ", sparse" : ""), [&] { return train_with(make, sparse); });
  compare("saving and loading", save_and_load);
  compare("asking", ask);
  touching_is_found();
  return test::finish();
}
