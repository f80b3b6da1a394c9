// Every public class that DyNet 2 had in C++ is there, under the header names of DyNet 2.
#include <complex>
#include <cstdio>
#include <iostream>
#include <set>
#include <sstream>

#include "dynet/cfsm-builder.h"
#include "dynet/deep-lstm.h"
#include "dynet/devices.h"
#include "dynet/dict.h"
#include "dynet/dim.h"
#include "dynet/dynet.h"
#include "dynet/except.h"
#include "dynet/expr.h"
#include "dynet/fast-lstm.h"
#include "dynet/globals.h"
#include "dynet/grad-check.h"
#include "dynet/gru.h"
#include "dynet/hsm-builder.h"
#include "dynet/index-tensor.h"
#include "dynet/init.h"
#include "dynet/io.h"
#include "dynet/lstm.h"
#include "dynet/model.h"
#include "dynet/mp.h"
#include "dynet/nodes.h"
#include "dynet/param-init.h"
#include "dynet/pretrain.h"
#include "dynet/rnn.h"
#include "dynet/tensor.h"
#include "dynet/timing.h"
#include "dynet/training.h"
#include "dynet/treelstm.h"
#include "dynet/weight-decay.h"
#include "tests/cpp/check.h"

using namespace std;
using namespace dynet;
using test::check;

namespace {

typedef vector<float> V;

/// What is in memory of the caller is read at each forward pass.
void memory() {
  ParameterCollection pc;
  LookupParameter lp = pc.add_lookup_parameters(3, {2}, ParameterInitFromVector({0, 1, 10, 11, 20, 21}));
  ComputationGraph cg;
  unsigned row, place = 0;
  vector<unsigned> both = {0, 0};
  dynet::real factor = 1;
  row = 7;  // need not be right before it is used
  Expression x = lookup(cg, lp, &row), y = pick(x, &place) * 1.f,
             z = sum_batches(pick(lookup(cg, lp, &both), 0));
  Expression scaled = cmult(y, input(cg, &factor));
  row = 1;
  check(as_scalar(cg.forward(scaled)) == 10, "first");
  row = 2, place = 1, factor = 2;
  check(as_scalar(cg.incremental_forward(scaled)) == 10, "values are kept");
  check(as_scalar(cg.forward(scaled)) == 42, "and read again by forward");
  cg.backward(scaled);
  check((*lp.gradients())[2].v[1] == 2 && lp.get_storage().touched.size() == 1,
        "the gradient goes to the row used");
  both = {1, 2};
  check(as_scalar(cg.forward(z)) == 30, "a list");
  both.push_back(0);
  test::check_throws<std::invalid_argument>("lookup: there are now 3 indices", [&] { cg.forward(z); });
  row = 3;
  test::check_throws<std::out_of_range>("index 3 is out of range; 0 to 2", [&] { cg.forward(x); });
  row = 0;
  check(as_vector(cg.forward(x)) == V{0, 1}, "an error leaves the graph as it was");
}

void graphs() {
  ParameterCollection pc;
  Parameter p = pc.add_parameters({2}, ParameterInitConst(1));
  LookupParameter lp = pc.add_lookup_parameters(3, {2}, ParameterInitConst(2));
  ComputationGraph cg, other(false);
  check(get_number_of_active_graphs() >= 2 && other.get_id() == get_current_graph_id(), "several graphs");
  VariableIndex a = cg.add_input(2), b = cg.add_input({2}, V{1, 2}), c = cg.add_parameters(p),
                d = cg.add_lookup(lp, 1u);
  cg.add_const_parameters(p), cg.add_const_lookup(lp, vector<unsigned>{0, 1}), cg.add_input({3}, {0}, {1.f});
  const VariableIndex sum_of = cg.add_function<engine::Add>({b, c}),
                      t = cg.add_function<engine::Tanh>({sum_of});
  check(cg.get_dimension(t) == Dim{2} && as_scalar(cg.forward(a)) == 2 && as_vector(cg.get_value(d))[0] == 2,
        "by place");
  const Expression loss = sum_elems(cg.at(t));
  Tensor value = cg.incremental_forward(loss.i);
  cg.backward(loss.i);
  check(value.d.size() == 1 && cg.get_gradient(sum_of).d == Dim{2} && (*p.gradients()).v[0] > 0, "gradients");
  check(!loss.is_stale() && loss.pg == &cg.graph() && loss.get_device_name() == "CPU", "expressions");
  cg.checkpoint();
  input(cg, 1);
  cg.revert();
  cg.invalidate();
  ostringstream text;
  print_graphviz(cg, text);
  check(text.str().find("digraph") == 0, "graphviz");
  cg.dump("surface.dump", true, true, false);
  check(remove("surface.dump") == 0, "dump");
  cg.clear();
  cg.set_immediate_compute(true), cg.set_check_validity(true);
  const Expression x = input(cg, -1.f);
  test::check_throws<std::runtime_error>("NaN or Inf detected in log", [&] { log(x); });
  ParameterCollection model;
  const Parameter bad = model.add_parameters({1}, ParameterInitFromVector({NAN}), "bad");
  test::check_throws<std::runtime_error>("NaN or Inf detected in the parameter /bad",
                                         [&] { square(parameter(cg, bad)); });
}

void errors_name_the_call() {
  ComputationGraph cg;
  ParameterCollection model;
  LSTMBuilder lstm(1, 2, 2, model);
  test::check_throws<std::invalid_argument>("sum: an empty list", [&] { sum({}); });
  test::check_throws<std::invalid_argument>("in C++ new_graph() and start_new_sequence()",
                                            [&] { lstm.set_dropout_masks(1); });
}

void tensors() {
  V numbers = {3, 1, 2, 6, 5, 4};
  const Tensor t{Dim({3}, 2), numbers.data()};
  check(t.batch_ptr(1)[0] == 6 && t.batch_elem(1).v[1] == 5 && t.batch_elems().size() == 2, "batch elements");
  check(as_vector(t) == numbers && as_scale_vector(t, 2)[0] == 6, "vectors");
  check(TensorTools::access_element(t, 3) == 6 && TensorTools::access_element(t, Dim({2})) == 2, "access");
  const IndexTensor best = TensorTools::argmax(t);
  check(as_vector(best) == vector<long>{0, 0} && best.d == Dim({1}, 2), "argmax");
  const auto [top, places] = TensorTools::topk(t, 0, 2);
  check(as_vector(top) == V{3, 2, 6, 5} && as_vector(places) == vector<long>{0, 2, 0, 1}, "topk");
  test::check_throws<invalid_argument>("axis 99", [&] { TensorTools::argmax(t, 99); });
  V sure = {0, -1000, -1000}, m(1), z(1), copy(6);
  check(as_vector(TensorTools::categorical_sample_log_prob({{3}, sure.data()}))[0] == 0, "sampling");
  TensorTools::logsumexp({{3}, sure.data()}, {{1}, m.data()}, {{1}, z.data()});
  check(z[0] == 0 && m[0] == 0, "logsumexp");
  const Tensor c{{6}, copy.data()};
  TensorTools::copy_elements(c, t), TensorTools::accumulate(c, t), TensorTools::scale(c, 0.5f, 1);
  TensorTools::clip(c, 0, 5), TensorTools::set_element(c, 0, 9), TensorTools::copy_element(c, 0, c, 1);
  check(copy == V{9, 9, 3, 5, 5, 5}, "changes");
  TensorTools::set_elements(c, numbers), TensorTools::randomize_uniform(c),
      TensorTools::uniform_to_bernoulli(c, 0.5f);
  TensorTools::randomize_normal(c), TensorTools::randomize_bernoulli(c, 0.5f), TensorTools::constant(c, 2);
  TensorTools::zero(c);
  V square(4);
  TensorTools::randomize_orthonormal({{2, 2}, square.data()}), TensorTools::identity({{2, 2}, square.data()});
  check(square == V{1, 0, 0, 1} && copy == V(6), "fills");
  check(rand01() < 1 && rand0n(3) < 3 && isfinite(rand_normal()) && rndeng->min() == 0, "random numbers");
  Dim d({2, 3}, 4);
  check(d.size() == 24 && d.batch_size() == 6 && d.sum_dims() == 5 && d.num_nonone_dims() == 2 &&
            d.ndims() == 2 && d.rows() == 2 && d.cols() == 3 && d.batch_elems() == 4 &&
            d.single_batch().size() == 6 && d[1] == 3,
        "sizes");
  check(d.transpose().rows() == 3 && d.truncate() == d && d != Dim{2, 3}, "shapes");
  d.set(0, 5), d.resize(3), d.delete_dim(1), d.add_dim(7), d.insert_dim(0, 2), d.delete_dims({0}, true);
  check(d == Dim{5, 1, 7}, engine::text(d));
  istringstream in("{3,4X2}");
  in >> d;
  check(d == Dim({3, 4}, 2), "reading a shape");
}

void models() {
  ParameterCollection model;
  Model old_name;
  ParameterCollection sub = model.add_subcollection("sub", 0.1f);
  Parameter p = model.add_parameters({2, 2}, 0.5f), q = model.add_parameters({2, 2}, "named");
  for (const ParameterInit* init : initializer_list<const ParameterInit*>{
           new ParameterInitNormal(0, 1), new ParameterInitUniform(1), new ParameterInitUniform(0, 1),
           new ParameterInitConst(1), new ParameterInitIdentity(), new ParameterInitGlorot(false, 1),
           new ParameterInitSaxe(1), new ParameterInitFromVector({1, 2, 3, 4})}) {
    sub.add_parameters({2, 2}, *init);
    delete init;
  }
  LookupParameter lp = sub.add_lookup_parameters(3, {2}, ParameterInitUniform(1), "table");
  sub.add_lookup_parameters(3, {2}, "other");
  lp.initialize(0, {1.f, 2.f});
  check((*lp.values())[0].v[1] == 2 && lp.dim() == Dim{2} && lp.get_fullname() == "/sub/table", "lookup");
  p.set_value({1, 2, 3, 4}), p.scale(2), p.scale_gradient(2), p.clip_inplace(0, 5), q.zero();
  check(as_vector(*p.values()) == V{2, 4, 5, 5} && p.values()->d == p.dim() && q.get_fullname() == "/named",
        "values");
  p.set_updated(false);
  check(!p.is_updated() && p.current_weight_decay() == 1 && !model.is_updated_param(p), "frozen");
  model.set_updated_param(p, true);
  check(model.parameter_count() == 4 * 10 + 12 && model.updated_parameter_count() == 52 &&
            model.size() == 12 && model.parameters_list().size() == 10 &&
            model.lookup_parameters_list().size() == 2,
        "counts");
  check(model.get_parameter_storage("/named") == q.p &&
            model.get_lookup_parameter_storage("/sub/table") == lp.p &&
            sub.get_parameter_storages().size() == 8,
        "storages");
  model.set_weight_decay_lambda(0.5f);
  check(model.get_weight_decay_lambda() == 0.5f && model.gradient_l2_norm() == 0 &&
            sub.get_fullname() == "/sub/",
        "");
  model.reset_gradient(), model.project_weights(100);
  save_dynet_model("surface.model", &model), load_dynet_model("surface.model", &model);
  TextFileSaver saver("surface.model", false);
  saver.save(model, "/key"), saver.save(p, "/p"), saver.save(lp);
  TextFileLoader loader("surface.model");
  loader.populate(model, "/key"), loader.populate(p, "/p"), loader.populate(lp, "/sub/table");
  check(loader.load_param(model, "/p").dim() == p.dim(), "load_param");
  loader.load_lookup_param(model, "/sub/table");
  check(remove("surface.model") == 0, "files");
}

void trainers() {
  ParameterCollection m;
  Parameter p = m.add_parameters({2});
  SimpleSGDTrainer sgd(m), sgd2(m, 0.2f);
  CyclicalSGDTrainer cyclical(m), cyclical2(m, 0.01f, 0.1f, 2000, 1.f, 0.f);
  MomentumSGDTrainer momentum(m, 0.01f, 0.9f);
  AdagradTrainer adagrad(m, 0.1f, 1e-20f);
  AdadeltaTrainer adadelta(m, 1e-6f, 0.95f);
  RMSPropTrainer rmsprop(m, 0.1f, 1e-20f, 0.95f);
  AdamTrainer adam(m, 0.001f, 0.9f, 0.999f, 1e-8f);
  AmsgradTrainer amsgrad(m, 0.001f, 0.9f, 0.999f, 1e-8f);
  EGTrainer eg(m, 0.1f, 0.9f, 0.f);
  eg.enableCyclicalLR(), eg.disableCyclicalLR();
  adam.exponential_moving_average(0.9);
  momentum.cumulative_moving_average();
  for (Trainer* t : initializer_list<Trainer*>{&sgd, &sgd2, &cyclical, &cyclical2, &momentum, &adagrad,
                                               &adadelta, &rmsprop, &adam, &amsgrad, &eg}) {
    p.set_value(V(2, 0.5f));  // EG needs weights of the simplex
    ComputationGraph cg;
    cg.backward(squared_norm(parameter(cg, p)));
    t->clip_threshold = 1, t->clipping_enabled = true, t->sparse_updates_enabled = true;
    t->update(), t->update_epoch(), t->status();
    check(t->updates == 1 && t->clips <= 1 && t->updates_since_status == 0 && t->clips_since_status == 0,
          "fields");
    stringstream file;
    t->save(file);
    t->populate(file, 0.5);
    check(t->learning_rate == 0.5 && t->model.size() == 1, "saved");
    t->restart(), t->restart(0.1);
  }
  check(adam.moving_average() == MovingAverage::Exponential, "averages");
  adam.swap_params_to_moving_average(true, true), adam.swap_params_to_weights();
}

template <class Builder>
void builder(unsigned components) {
  ParameterCollection m;
  Builder rnn(2, 3, 4, m), empty, copy(2, 3, 4, m);
  copy.copy(rnn);
  ComputationGraph cg;
  rnn.set_dropout(0.1f), rnn.disable_dropout();
  rnn.new_graph(cg), rnn.new_graph(cg, false);
  rnn.start_new_sequence();
  const Expression x = input(cg, {3}, V(3, 1));
  check(rnn.state() == -1 && rnn.num_h0_components() == components, "initial");
  rnn.add_input(x);
  const RNNPointer first = rnn.state();
  rnn.add_input(x), rnn.add_input(first, x);
  check(rnn.get_head(rnn.state()) == first && rnn.final_h().size() == 2 && rnn.get_h(first).size() == 2,
        "tree");
  rnn.rewind_one_step();
  check(rnn.state() == first && rnn.back().dim()[0] >= 4 && rnn.get_s(first).size() == components, "back");
  rnn.set_h(first, rnn.final_h()), rnn.set_s(first, rnn.final_s());
  rnn.start_new_sequence(rnn.final_s());
  check(rnn.get_parameter_collection().size() > 0 && rnn.params.size() == 2 && rnn.param_vars.size() == 2 &&
            rnn.layers == 2 && rnn.input_dim == 3 && rnn.hidden_dim == 4,
        "fields");
}

template <class Builder>
void trees(Builder&& tree) {
  ComputationGraph cg;
  tree.new_graph(cg), tree.start_new_sequence(), tree.set_num_elements(3);
  tree.set_dropout(0.1f), tree.disable_dropout();
  const Expression x = input(cg, {4}, V(4, 1));
  tree.add_input(0, vector<int>(), x), tree.add_input(1, vector<int>(), x);
  check(tree.add_input(2, {0, 1}, x).dim() == Dim{4} && tree.final_h().size() == 1 &&
            tree.back().dim() == Dim{4},
        "");
}

void builders() {
  builder<SimpleRNNBuilder>(2), builder<GRUBuilder>(2), builder<CoupledLSTMBuilder>(4);
  builder<VanillaLSTMBuilder>(4), builder<LSTMBuilder>(4), builder<SparseLSTMBuilder>(4);
  builder<CompactVanillaLSTMBuilder>(4), builder<FastLSTMBuilder>(4), builder<DeepLSTMBuilder>(4);
  ParameterCollection m;
  trees(NaryTreeLSTMBuilder(2, 1, 4, 4, m)), trees(UnidirectionalTreeLSTMBuilder(1, 4, 4, m));
  trees(BidirectionalTreeLSTMBuilder(1, 4, 4, m));
  SimpleRNNBuilder lagged(1, 3, 4, m, true);
  VanillaLSTMBuilder normalised(1, 3, 4, m, true, 0.5f);
  CoupledLSTMBuilder coupled(1, 3, 4, m);
  coupled.set_dropout(0.1f, 0.2f, 0.3f), normalised.set_dropout(0.1f, 0.2f);
  ComputationGraph cg;
  lagged.new_graph(cg), lagged.start_new_sequence(), normalised.new_graph(cg),
      normalised.set_dropout_masks(2);
  lagged.add_auxiliary_input(input(cg, {3}, V(3, 1)), input(cg, {4}, V(4, 1)));
  StandardSoftmaxBuilder softmax(3, 5, m), without(3, 5, m, false), shared(m.add_parameters({5, 3}));
  softmax.new_graph(cg);
  const Expression x = input(cg, {3}, V(3, 1));
  check(softmax.neg_log_softmax(x, 1).dim() == Dim{1} && softmax.full_log_distribution(x).dim() == Dim{5} &&
            softmax.full_logits(x).dim() == Dim{5} && softmax.sample(x) < 5 &&
            softmax.get_parameter_collection().size() == 2,
        "softmax");
}

void program() {
  DynetParams params;
  params.random_seed = 3, params.autobatch = 1, params.mem_descriptor = "1024", params.weight_decay = 0;
  params.profiling = 0, params.shared_parameters = false, params.ngpus_requested = 0,
  params.cpu_requested = true;
  dynet::initialize(params);
  reset_rng(7);
  check(get_device_manager()->num_devices() == 1 &&
            get_device_manager()->get_global_device("CPU") == default_device &&
            default_device->name == "CPU" && get_device_manager()->get_devices().size() == 1,
        "devices");
  Timing timing;
  timing.stop();
  timer.start("nothing"), timer.stop("nothing");
  check(timing.elapsed >= 0, "timing");
  Dict d;
  check(d.convert("a") == 0 && d.contains("a") && !d.is_frozen() && d.get_words().size() == 1, "dict");
  d.freeze(), d.set_unk("b");
  check(read_sentence("a x", d) == vector<int>{0, 1} && d.get_unk_id() == 1 && d.size() == 2, "frozen");
  vector<int> source, target;
  read_sentence_pair("a ||| x", source, d, target, d);
  ParameterCollection m;
  LookupParameter lp = m.add_lookup_parameters(2, {3});
  save_pretrained_embeddings("surface.vectors", d, lp);
  unordered_map<int, vector<float>> vectors;
  read_pretrained_embeddings("surface.vectors", d, vectors);
  check(remove("surface.vectors") == 0 && vectors.size() == 2 && vectors[1] == as_vector(lp.row_values(1)),
        "vectors");
  Parameter p = m.add_parameters({2});
  ComputationGraph cg;
  check(check_grad(m, squared_norm(parameter(cg, p)), 0), "check_grad");
  check(mp::elapsed_time_string({0, 0}, {3725, 0}) == "1h02m05s" && !mp::stop_requested, "mp");
  dynet::cleanup();
}

}  // namespace

int main() {
  memory(), graphs(), errors_name_the_call(), tensors(), models(), trainers(), builders(), program();
  return test::finish();
}
