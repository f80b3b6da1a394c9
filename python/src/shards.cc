// Sums of the gradients of shards, and what tells the processes of a distributed training apart.
#include "dynet/train/shards.h"

#include <nanobind/stl/string.h>

#include "dynet/params/init.h"
#include "dynet/program/workers.h"
#include "python/src/casters.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

/// Processes that Python's functions reach.
class PythonPeers : public Peers {
 public:
  PythonPeers(unsigned rank, unsigned count, nb::handle transport)
      : Peers(rank, count), exchange_(transport.attr("exchange")), gather_(transport.attr("gather")) {}

  void exchange(unsigned peer, std::span<const std::byte> send, std::span<std::byte> receive) override {
    exchange_(peer, view(const_cast<std::byte*>(send.data()), send.size(), PyBUF_READ),
              view(receive.data(), receive.size(), PyBUF_WRITE));
  }
  std::vector<Bytes> gather(std::span<const std::byte> own) override {
    std::vector<Bytes> all;
    const nb::object given = gather_(nb::bytes(own.data(), own.size()));
    for (const nb::handle each : given) {
      const auto bytes = nb::cast<nb::bytes>(each);
      const auto* const first = static_cast<const std::byte*>(bytes.data());
      all.emplace_back(first, first + bytes.size());
    }
    return all;
  }

 private:
  static nb::object view(std::byte* first, size_t size, int flags) {
    std::byte none;
    char* const start = reinterpret_cast<char*>(size > 0 ? first : &none);
    PyObject* const made = PyMemoryView_FromMemory(start, static_cast<Py_ssize_t>(size), flags);
    if (!made) nb::raise_python_error();
    return nb::steal(made);
  }

  nb::object exchange_, gather_;
};

/// A sum of gradients, and the random numbers of the shard that is computed.
class Shards {
 public:
  Shards(const ParameterCollection& model, bool exact) : sum_(GradientSum::make(model, exact)) {}

  GradientSum& sum() { return *sum_; }
  void enter(uint32_t seed, uint64_t update, uint32_t pass, uint32_t shard) {
    random_.reset();
    random_.emplace(seed, update, pass, shard);
  }
  void leave() { random_.reset(); }

 private:
  std::unique_ptr<GradientSum> sum_;
  std::optional<ShardRandom> random_;
};

nb::tuple random_place() {
  const RandomPosition at = random_position();
  return nb::make_tuple(at.seed, at.streams, at.graphs);
}

/// Processes that share parameters: dynet.mp.
void bind_workers(nb::module_& m) {
  using mp::Workers;
  m.def(
      "_share_new_parameters", [](Flag share) { share_new_buffers(share); }, "share"_a,
      "Whether parameters made from now on are shared with processes forked later.");
  nb::class_<Workers>(m, "_Workers", "Processes that learn at once: dynet.mp.")
      .def(
          "__init__",
          [](Workers* self, Whole count, Trainer* trainer) { new (self) Workers(count, trainer); }, "count"_a,
          "trainer"_a, nb::keep_alive<1, 3>(), alone)
      .def("begin", &Workers::begin, alone, "In a process that was forked: its gradients are its own.")
      .def("take", &Workers::take, "The next place in the order of the data.")
      .def("see_values", &Workers::see_values, alone)
      .def("update", &Workers::update, nb::call_guard<Working>())
      .def("end", &Workers::end, alone, "In the process that forked, when all others have ended.");
}

}  // namespace

void bind_shards(nb::module_& m) {
  nb::class_<Shards>(m, "_Shards", "The sum of the gradients of shards: dynet.distributed.")
      .def(
          "__init__",
          [](Shards* self, const ParameterCollection& model, Flag exact) { new (self) Shards(model, exact); },
          "model"_a, "exact"_a)
      .def(
          "begin", [](Shards& s) { s.sum().begin(); }, alone)
      .def(
          "enter",
          [](Shards& s, uint32_t seed, uint64_t update, uint32_t pass, uint32_t shard) {
            s.enter(seed, update, pass, shard);
          },
          "seed"_a, "update"_a, "number"_a, "shard"_a, "Random numbers are those of a shard from now on.")
      .def("leave", &Shards::leave, "Random numbers go on as before the first shard.")
      .def(
          "take", [](Shards& s, uint32_t shard) { s.sum().take(shard); }, "shard"_a, alone)
      .def(
          "combine",
          [](Shards& s, Whole rank, Whole count, nb::handle transport) {
            PythonPeers peers(rank, count, transport);
            s.sum().combine(peers);
          },
          "rank"_a, "count"_a, "transport"_a)
      .def("put", [](Shards& s) { s.sum().put(); }, alone);
  m.def("_shard_seed", ShardRandom::seed_of, "seed"_a, "update"_a, "number"_a, "shard"_a);
  m.def("_random_position", random_place);
  m.def("_instruction_set", [] { return chosen_engine().name(); }, "The one that graphs use from now on.");
  m.def(
      "_set_random_position",
      [](uint32_t seed, uint32_t streams, uint32_t graphs) { set_random_position({seed, streams, graphs}); },
      "seed"_a, "streams"_a, "graphs"_a);
  bind_workers(m);
}

}  // namespace dynet::python
