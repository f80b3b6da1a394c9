// What programs of DyNet 2 write beside its classes: devices, graphs of expressions, storages, its headers
// and what those bring.
#include "dynet/aligned-mem-pool.h"
#include "dynet/c2w.h"
#include "dynet/cuda.h"
#include "dynet/devices.h"
#include "dynet/dynet.h"
#include "dynet/except.h"
#include "dynet/expr.h"
#include "dynet/functors.h"
#include "dynet/globals.h"
#include "dynet/gpu-ops.h"
#include "dynet/index-tensor.h"
#include "dynet/io-macros.h"
#include "dynet/io.h"
#include "dynet/mp.h"
#include "dynet/nodes-impl-macros.h"
#include "dynet/param-nodes.h"
#include "dynet/simd-functors.h"
#include "dynet/str-util.h"
#include "dynet/tensor-eigen.h"
#include "dynet/weight-decay.h"

using namespace std;
using namespace dynet;
using namespace dynet::expr;
using namespace dynet::mp;
using namespace boost::interprocess;

#include "tests/cpp/check.h"

using test::check;
using test::check_throws;

namespace {

typedef vector<float> V;

class Archived {
  DYNET_SERIALIZE_COMMIT(Archived, DYNET_SERIALIZE_DEFINE(W, b))
};
DYNET_SERIALIZE_IMPL(Archived)

/// Nothing of the standard library is included here.
void what_headers_bring() {
  assert(isfinite(numeric_limits<float>::max()));
  unordered_map<string, unique_ptr<set<int>>> sets;
  const auto numbers = {1, 2};
  ostringstream out;
  out << setprecision(3) << accumulate(numbers.begin(), numbers.end(), 0) << startswith("--seed", "--")
      << print_vec(vector<int>{1, 2});
  check(out.str() == "311 2" && sets.empty() && !ifstream("no such file"), out.str());
  vector<Eigen::DenseIndex> places = as_vector(IndexTensor(Dim{2}));
  check(places.size() == 2, "indices");
  check(FLogisticSigmoid()(0) == 0.5f && FPairwiseRankLoss(1)(2, 3) == 2 && FHuberForward(1)(3) == 2.5f &&
            FProduct()(2, 3) == 6 && FBinaryLogLoss()(1, 1) == 0 && FConstantMinus(1)(3) == -2,
        "functors");
  check_throws<invalid_argument>("a size of 3", [] { DYNET_INVALID_ARG("a size of " << 3); });
  check_throws<invalid_argument>("one", [] { DYNET_ARG_CHECK(1 == 2, "o" << "ne"); });
  check_throws<runtime_error>("late", [] { DYNET_RUNTIME_ERR("late"); });
  DYNET_ARG_CHECK(true, "never");
  DYNET_ASSERT(true, "never");
  L2WeightDecay decay(0.5f);
  decay.update_weight_decay();
  check(decay.current_weight_decay() == 0.5f && !decay.parameters_need_rescaled(), "weight decay");
  ostringstream profile;
  Dim({2, 3}, 4).print_profile(profile);
  check(profile.str() == "2 x 3 X 4", profile.str());
}

void memory_pools() {
  CPUAllocator allocator;
  AlignedMemoryPool pool("test", 100, &allocator, 256);
  auto* first = static_cast<char*>(pool.allocate(33));
  check(pool.used() == 64 && pool.get_cap() == 128 && reinterpret_cast<uintptr_t>(first) % 32 == 0,
        "rounded");
  first[0] = 1;
  static_cast<char*>(pool.allocate(300))[299] = 2;
  check(pool.used() == 384 && pool.get_cap() == 640 && first[0] == 1, "grown");
  pool.zero_allocated_memory();
  check(first[0] == 0, "zeros");
  pool.set_used(64);
  check(pool.used() == 64 && pool.get_cap() == 128, "back");
  check_throws<invalid_argument>("set_used: 65 bytes", [&] { pool.set_used(65); });
  pool.allocate(300), pool.free();
  check(pool.used() == 0 && pool.get_cap() == 640, "free");
  pool.allocate(640);
  check(pool.get_cap() == 640, "in one piece");
}

void devices_of_parameters(Device* cpu, Device* other) {
  ParameterCollection m;
  m.add_parameters({2}, cpu), m.add_parameters({2}, nullptr), m.add_parameters({2}, "a", cpu);
  m.add_parameters({2}, 0.5f, cpu), m.add_parameters({2}, 0.5f, "b", cpu), m.add_parameters({2}, 0);
  m.add_parameters({2}, ParameterInitConst(1), cpu);
  Parameter p = m.add_parameters({2}, ParameterInitConst(1), "c", cpu);
  m.add_lookup_parameters(3, {2}, cpu), m.add_lookup_parameters(3, {2}, "d", cpu);
  m.add_lookup_parameters(3, {2}, 0.5f, cpu), m.add_lookup_parameters(3, {2}, 0.5f, "e", cpu);
  m.add_lookup_parameters(3, {2}, ParameterInitConst(1), cpu);
  LookupParameter l = m.add_lookup_parameters(3, {2}, ParameterInitConst(1), "f", cpu);
  check(p.get_fullname() == "/c" && l.get_fullname() == "/f" && m.size() == 14, "names and devices");
  check_throws<invalid_argument>("add_parameters: device \"GPU:0\"; \"CPU\" is the only one",
                                 [&] { m.add_parameters({2}, other); });
  check_throws<invalid_argument>("add_lookup_parameters: device \"GPU:0\"",
                                 [&] { m.add_lookup_parameters(3, {2}, ParameterInitConst(1), "g", other); });
  check(m.size() == 14, "nothing was added");
}

void devices() {
  DeviceManager* manager = get_device_manager();
  Device* cpu = manager->get_global_device("CPU");
  Device gpu;
  gpu.type = DeviceType::GPU, gpu.name = "GPU:0";
  check(cpu == default_device && cpu->type == DeviceType::CPU && cpu->device_id == 0, "the device");
  check_throws<runtime_error>("Invalid device name: GPU:0", [&] { manager->get_global_device("GPU:0"); });
  devices_of_parameters(cpu, &gpu);
  ComputationGraph cg;
  V two = {1, 2};
  dynet::real one = 3;
  vector<Expression> all = {input(cg, 3, cpu),
                            input(cg, &one, cpu),
                            input(cg, {2}, two, cpu),
                            input(cg, {2}, &two, cpu),
                            input(cg, {3}, {0, 2}, two, 0.f, cpu),
                            one_hot(cg, 3, 1, cpu),
                            one_hot(cg, 3, vector<unsigned>{1, 2}, cpu),
                            zeros(cg, {2}, cpu),
                            zeroes(cg, {2}, cpu),
                            ones(cg, {2}, cpu),
                            constant(cg, {2}, 4, cpu),
                            random_normal(cg, {2}, 0, 1, cpu),
                            random_uniform(cg, {2}, 0, 1, cpu),
                            random_bernoulli(cg, {2}, 0.5f, 1, cpu),
                            random_gumbel(cg, {2}, 0, 1, nullptr)};
  for (const Expression& e : all) check(to_device(e, cpu).get_device_name() == "CPU", "on the CPU");
  cg.add_input(1, cpu), cg.add_input(&one, cpu), cg.add_input({2}, two, cpu), cg.add_input({2}, &two, cpu);
  check(as_vector(cg.forward(cg.add_input({3}, {0, 2}, two, cpu, 5.f))) == V{1, 5, 2}, "by place");
  check_throws<invalid_argument>("input: device \"GPU:0\"", [&] { input(cg, {2}, two, &gpu); });
  check_throws<invalid_argument>("one_hot: device \"GPU:0\"", [&] { one_hot(cg, 3, 1, &gpu); });
  check_throws<invalid_argument>("random_normal: device", [&] { random_normal(cg, {2}, 0, 1, &gpu); });
  check_throws<invalid_argument>("to_device: device \"GPU:0\"", [&] { to_device(all[0], &gpu); });
  const Tensor t(Dim({2}), two.data(), cpu, DeviceMempool::FXS);
  check(t.device == default_device && t.mem_pool == DeviceMempool::FXS && as_vector(t) == two, "tensors");
  check_throws<invalid_argument>("Tensor: device \"GPU:0\"", [&] { Tensor(Dim({2}), two.data(), &gpu); });
  show_pool_mem_info();
}

Expression twice(const Expression& x) {
  ComputationGraph& cg = *x.pg;
  return x * constant(cg, {1}, 2);
}

/// An expression knows the graph of the program.
void graphs_of_expressions() {
  Expression kept;
  {
    ComputationGraph cg, newer;
    ComputationGraph* pointer = &cg;
    const Expression x = input(cg, 3.f), y = twice(x);
    ComputationGraph* its = y.pg;
    check(its == &cg && y.pg == pointer && y.pg != &newer && x.pg && y.pg == x.pg, "the graph");
    check(as_scalar(y.pg->incremental_forward(y)) == 6 && as_scalar(y.pg->get_value(y.i)) == 6, "values");
    check(as_scalar(Expression(pointer, y.i).value()) == 6, "by place");
    check(!Expression().pg && Expression().pg != &cg && Expression().pg == nullptr, "none");
    kept = y;
  }
  check_throws<runtime_error>("has ended", [&] { kept.pg->get_value(kept); });
  check_throws<runtime_error>("empty", [] { Expression().pg->clear(); });
}

void printed_tensors() {
  ComputationGraph cg;
  ostringstream out;
  out << cg.forward(input(cg, {2, 2}, V{1, 2, 3, 4})) << ";" << input(cg, Dim({2}, 2), V{1, 2, 3, 4}).value();
  check(out.str() == "1 3\n2 4;1\n2\n\n3\n4", out.str());
  auto& held = cg.forward(input(cg, 3.f));
  check(as_scalar(held) == 3, "held by a reference");
}

/// The storages of parameters have their numbers as tensors.
void storages() {
  ParameterCollection m;
  Parameter p = m.add_parameters({2, 2});
  LookupParameter l = m.add_lookup_parameters(3, {2});
  Expression loss;
  const auto value = [&] {
    ComputationGraph cg;
    loss = sum_elems(parameter(cg, p) * input(cg, {2}, V{1, 1})) + sum_elems(lookup(cg, l, 1));
    cg.backward(loss);
    return as_scalar(loss.value());
  };
  TensorTools::set_elements(p.get_storage().values, {1, 2, 3, 4});
  TensorTools::set_elements(l.get_storage().all_values, {1, 2, 3, 4, 5, 6});
  check(value() == 17, "written before");
  p.get_storage().values.v[0] = 11;
  l.get_storage().values[1].v[0] = 13;
  check(value() == 37, "written between two graphs");
  check(as_vector(p.get_storage().values) == V{11, 2, 3, 4} && p.get_storage().values.d == Dim({2, 2}), "");
  check(as_vector(p.get_storage().g) == V(4, 2) && p.get_storage().has_grad(), "the gradient");
  check(as_vector(l.get_storage().all_grads) == V{0, 0, 2, 2, 0, 0}, "of a table");
  check(as_vector(l.get_storage().grads[1]) == V(2, 2) && l.get_storage().values.size() == 3, "of its rows");
  l.get_storage().initialize(2, V{7, 8});
  vector<Tensor> rows = l.get_storage().values;
  check(as_vector(rows[2]) == V{7, 8} && l.get_storage().size() == 6, "rows");
  check_throws<out_of_range>("row 3", [&] { l.get_storage().initialize(3, V{7, 8}); });
  m.set_updated_param(&p, false), m.set_updated_lookup_param(&l, false);
  check(!m.is_updated_param(&p) && !m.is_updated_lookup_param(&l), "frozen by pointer");
  m.get_weight_decay().set_lambda(0.5f);
  check(m.get_weight_decay().get_lambda() == 0.5f && m.get_weight_decay().current_weight_decay() == 1, "");
}

/// What is written through a storage under weight decay is what is read.
void storages_under_decay() {
  ParameterCollection m;
  m.set_weight_decay_lambda(0.25f);
  Parameter p = m.add_parameters({2}, ParameterInitConst(4));
  SimpleSGDTrainer trainer(m, 0);
  ComputationGraph cg;
  cg.backward(sum_elems(parameter(cg, p)));
  trainer.update();
  check(as_vector(p.get_storage().values) == V{3, 3}, "decayed");
  p.get_storage().values.v[1] = 5;
  ComputationGraph next;
  check(as_vector(parameter(next, p).value()) == V{3, 5}, "written");
}

void savers() {
  ParameterCollection m, other;
  m.add_parameters({2}, ParameterInitConst(3), "p");
  Parameter q = other.add_parameters({2}, ParameterInitConst(4), "p");
  const unique_ptr<Saver> saver(new TextFileSaver("dynet2_surface.model"));
  saver->save(m);
  const unique_ptr<Loader> loader(new TextFileLoader("dynet2_surface.model"));
  loader->populate(other);
  check(as_vector(*q.values()) == V{3, 3} && loader->load_param(other, "/p").dim() == Dim({2}),
        "by base class");
  check(remove("dynet2_surface.model") == 0, "the file");
}

}  // namespace

int main(int argc, char** argv) {
  dynet::initialize(argc, argv);
  what_headers_bring(), memory_pools(), devices(), graphs_of_expressions(), printed_tensors();
  storages(), storages_under_decay(), savers();
  return test::finish();
}
