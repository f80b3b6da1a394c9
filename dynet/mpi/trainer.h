// Training over the processes of MPI, to the same bits for any number of them; the target dynet::mpi.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "dynet/mpi/peers.h"
#include "dynet/params/init.h"
#include "dynet/run/computation_graph.h"
#include "dynet/train/shards.h"
#include "dynet/train/trainer.h"

namespace dynet::mpi {

/// Drives a trainer in every process of a communicator. Each minibatch is cut into shards, whose gradients
/// are computed by one process or another and added in a fixed tree: the sum does not depend on who computed
/// what. The number of processes must divide that of shards. With `exact` each example is a shard, and
/// gradients are added as whole numbers: any number of processes will do. At the start all get the model, the
/// trainer's state and the random numbers of process 0. An exception while a loss is computed ends the job.
class DistributedTrainer {
 public:
  /// std::invalid_argument where the processes do not divide the shards.
  explicit DistributedTrainer(Trainer& trainer, MPI_Comm comm = MPI_COMM_WORLD, unsigned shards = 8,
                              bool exact = false)
      : trainer_(trainer),
        comm_(comm),
        peers_(comm_),
        shards_(shards),
        exact_(exact),
        sum_(engine::GradientSum::make(trainer.model, exact)) {
    if (shards == 0 || (!exact && shards % peers_.count != 0))
      engine::invalid("DistributedTrainer: ", shards, " shards and ", peers_.count,
                      " processes were given; a multiple of these is needed, or exact sums");
    compare_models();
    start_alike();
  }

  unsigned rank() const { return peers_.rank; }
  unsigned count() const { return peers_.count; }

  /// An update with a minibatch, the same in all processes: backward() and update().
  template <class Example, class LossOf>
  double step(const std::vector<Example>& batch, LossOf loss_of) {
    const double loss = backward(batch, loss_of);
    update();
    return loss;
  }

  /// Adds the gradient of a minibatch to the model's, in all processes the same, and gives the sum of losses.
  /// loss_of(graph, part) makes the sum of the losses of a std::span of examples.
  template <class Example, class LossOf>
  double backward(const std::vector<Example>& batch, LossOf loss_of) {
    sum_->begin();
    const auto parts = static_cast<unsigned>(exact_ ? batch.size() : shards_);
    const auto [first, last] = engine::part_of(parts, peers_.rank, peers_.count);
    const uint32_t seed = engine::random_position().seed;
    std::vector<double> losses;
    try {
      for (size_t shard = first; shard < last; ++shard) {
        const auto [begin, end] = engine::part_of(batch.size(), static_cast<unsigned>(shard), parts);
        if (begin < end) {
          const engine::ShardRandom random(seed, trainer_.updates, passes_, static_cast<uint32_t>(shard));
          ComputationGraph graph;
          const Expression loss = loss_of(graph, std::span(batch).subspan(begin, end - begin));
          losses.push_back(as_scalar(graph.forward(loss)));
          graph.backward(loss);
        }
        sum_->take(static_cast<uint32_t>(shard));
      }
    } catch (const std::exception& error) {
      peers_.abort(error.what());
    }
    ++passes_;
    sum_->combine(peers_);
    sum_->put();
    return total(losses, batch.size());
  }

  /// One step of the trainer with the gradient of all processes.
  void update() {
    trainer_.update();
    passes_ = 0;
  }

 private:
  /// The sum in the order of the shards. All must be at the same update, with as many examples.
  double total(const std::vector<double>& losses, uint64_t examples) {
    engine::Bytes own;
    engine::put(own, uint64_t{trainer_.updates});
    engine::put(own, examples);
    engine::put_list(own, losses);
    double sum = 0;
    for (const engine::Bytes& bytes : peers_.gather(own)) {
      engine::Message from(bytes);
      if (from.get<uint64_t>() != trainer_.updates || from.get<uint64_t>() != examples)
        peers_.abort("another process is at another update, or has another minibatch");
      std::vector<double> theirs;
      from.get_list(theirs);
      for (const double loss : theirs) sum += loss;
    }
    return sum;
  }

  void compare_models() {
    std::ostringstream facts;
    facts << engine::library_version() << ' ' << sizeof(real) << ' ' << engine::chosen_engine().name() << ' '
          << trainer_.whoami() << ' ' << shards_ << ' ' << exact_;
    const auto add = [&](const engine::Storage& s) { facts << '\n' << s.name << ' ' << s.dim; };
    for (const auto& p : trainer_.model.parameters_list()) add(*p);
    for (const auto& l : trainer_.model.lookup_parameters_list()) add(*l);
    const std::string text = facts.str();
    const auto all = peers_.gather(std::as_bytes(std::span(text)));
    for (unsigned peer = 0; peer < peers_.count; ++peer)
      if (all[peer] != all[0])
        peers_.abort(("the library, the instruction set, the trainer, the shards or the model of process " +
                      std::to_string(peer) + " is not that of process 0")
                         .c_str());
  }

  void start_alike() {
    const auto share = [&](engine::Storage& s) {
      std::vector<real> values(s.size());
      if (rank() == 0) s.show(values.data(), 0, values.size());
      peers_.broadcast(std::as_writable_bytes(std::span(values)));
      if (rank() > 0) s.assign(values);
    };
    for (const auto& p : trainer_.model.parameters_list()) share(*p);
    for (const auto& l : trainer_.model.lookup_parameters_list()) share(*l);
    std::ostringstream text;
    trainer_.save(text);
    std::string state = text.str();
    uint64_t size = state.size();
    peers_.broadcast(std::as_writable_bytes(std::span(&size, 1)));
    state.resize(size);
    peers_.broadcast(std::as_writable_bytes(std::span(state)));
    std::istringstream from(state);
    trainer_.populate(from);
  }

  Trainer& trainer_;
  Communicator comm_;
  Peers peers_;
  unsigned shards_;
  bool exact_;
  std::unique_ptr<engine::GradientSum> sum_;
  uint32_t passes_ = 0;  // backward passes since the last update
};

}  // namespace dynet::mpi
