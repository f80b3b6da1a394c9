// Training loops over single data, in this process or in several that share the parameters.
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <ctime>
#include <functional>
#include <iostream>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "dynet/program/random.h"
#include "dynet/program/workers.h"
#include "dynet/train/trainer.h"

/// DyNet 2's header brought it, and programs say `using namespace boost::interprocess`.
namespace boost::interprocess {}

namespace dynet::mp {

/// What learns from one datum of type D; S is the type of its loss, a number or what adds up like one.
template <class D, class S>
class ILearner {
 public:
  virtual ~ILearner() = default;
  /// The loss of a datum; with `learn` a backward pass too. The loops update the parameters.
  virtual S LearnFromDatum(const D& datum, bool learn) = 0;
  /// Called when the loss of the development set is the best so far.
  virtual void SaveModel() = 0;
};

/// A program sets it, for instance in a signal handler, to end the loops early.
inline std::atomic<bool> stop_requested{false};

/// "1m05s" of the time between.
std::string elapsed_time_string(const timespec& start, const timespec& end);

/// Who learns from data: the loss of those in `order`, with an update after each `batch_size` if there is a
/// trainer. One process is this one.
template <class D, class S>
S learn_from(unsigned children, ILearner<D, S>* learner, Trainer* trainer, const std::vector<D>& data,
             std::span<const unsigned> order, bool learn, unsigned batch_size = 1) {
  static_assert(std::is_trivially_copyable_v<S>, "losses cross processes byte by byte");
  S total{};
  if (children <= 1) {
    unsigned waiting = 0;
    for (unsigned place : order) {
      if (stop_requested) break;
      total += learner->LearnFromDatum(data[place], learn);
      if (learn && trainer && ++waiting == batch_size) trainer->update(), waiting = 0;
    }
    if (waiting > 0) trainer->update();
    return total;
  }
  SharedMemory losses(children * sizeof(S));
  Workers workers(children, trainer);
  workers.run([&](unsigned child) {
    S sum{};
    for (size_t at; !stop_requested && (at = workers.take()) < order.size();) {
      workers.see_values();
      sum += learner->LearnFromDatum(data[order[at]], learn);
      if (learn && trainer) workers.update();
    }
    if (learn && !trainer) workers.add_gradients();
    losses.at<S>(child) = sum;
  });
  if (learn && !trainer) workers.take_gradients();
  for (unsigned child = 0; child < children; ++child) total += losses.at<S>(child);
  return total;
}

/// The loop of run_single_process and run_multi_process.
template <class D, class S>
void training_loop(unsigned children, ILearner<D, S>* learner, Trainer* trainer, const std::vector<D>& train,
                   const std::vector<D>& dev, unsigned num_iterations, unsigned dev_frequency,
                   unsigned report_frequency, unsigned batch_size) {
  if (dev_frequency == 0 || report_frequency == 0 || batch_size == 0)
    engine::invalid("the frequencies and the batch size of training must be positive; ", dev_frequency, ", ",
                    report_frequency, " and ", batch_size, " were given");
  std::vector<unsigned> order(train.size()), dev_order(dev.size());
  std::iota(order.begin(), order.end(), 0u);
  std::iota(dev_order.begin(), dev_order.end(), 0u);
  bool has_best = false;
  S best{};
  const auto evaluate = [&](double passes) {
    S loss = learn_from<D, S>(children, learner, nullptr, dev, dev_order, false);  // < need not be const
    const bool better = !has_best || loss < best;
    std::cerr << passes << "\tdev loss = " << loss << (better ? " (new best)\n" : "\n");
    if (!better) return;
    best = loss, has_best = true;
    learner->SaveModel();
  };
  for (unsigned iteration = 0; iteration < num_iterations && !stop_requested; ++iteration) {
    std::shuffle(order.begin(), order.end(), *rndeng);
    S loss{};
    for (size_t begin = 0, end; begin < order.size() && !stop_requested; begin = end) {
      // Up to where something is to be told or tested.
      end = std::min({order.size(), (begin / dev_frequency + 1) * dev_frequency,
                      (begin / report_frequency + 1) * report_frequency});
      loss += learn_from(children, learner, trainer, train, std::span(order).subspan(begin, end - begin),
                         true, batch_size);
      const double passes = iteration + double(end) / double(order.size());
      if (end % report_frequency == 0 || end == order.size()) {
        std::cerr << passes << "\tloss = " << loss << '\n';
        loss = S{};
      }
      if (!dev.empty() && (end % dev_frequency == 0 || end == order.size())) evaluate(passes);
    }
    if (dev.empty()) learner->SaveModel();
  }
}

/// Trains in this process, with an update after each batch_size data. Tells std::cerr the loss of every
/// report_frequency data, and every dev_frequency data that of the development set.
template <class D, class S>
void run_single_process(ILearner<D, S>* learner, Trainer* trainer, const std::vector<D>& train,
                        const std::vector<D>& dev, unsigned num_iterations, unsigned dev_frequency,
                        unsigned report_frequency, unsigned batch_size = 1) {
  training_loop(1, learner, trainer, train, dev, num_iterations, dev_frequency, report_frequency, batch_size);
}

/// The same in num_children processes, which share the parameters: each updates them after each of its data.
/// The parameters must have been made after initialize(argc, argv, true).
template <class D, class S>
void run_multi_process(unsigned num_children, ILearner<D, S>* learner, Trainer* trainer,
                       const std::vector<D>& train, const std::vector<D>& dev, unsigned num_iterations,
                       unsigned dev_frequency, unsigned report_frequency) {
  training_loop(num_children, learner, trainer, train, dev, num_iterations, dev_frequency, report_frequency,
                1);
}

/// 0 to n - 1.
std::vector<unsigned> all_places(size_t n);

/// The sum of the losses of all data, computed in num_children processes; the gradients are added to those of
/// this one.
template <class D, class S>
S run_mp_minibatch(unsigned num_children, ILearner<D, S>* learner, const std::vector<D>& data) {
  return learn_from<D, S>(num_children, learner, nullptr, data, all_places(data.size()), true);
}

/// The same with an update after each datum.
template <class D, class S>
S run_mp_minibatch_trainer(unsigned num_children, ILearner<D, S>* learner, Trainer* trainer,
                           const std::vector<D>& data) {
  return learn_from(num_children, learner, trainer, data, all_places(data.size()), true);
}

/// The same in this process.
template <class D, class S>
S run_sp_minibatch_trainer(ILearner<D, S>* learner, Trainer* trainer, const std::vector<D>& data) {
  return learn_from(1, learner, trainer, data, all_places(data.size()), true);
}

}  // namespace dynet::mp
