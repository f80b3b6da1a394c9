// Every function on expressions that DyNet 2 had in C++ is there, with its arguments.
#include "dynet/dynet.h"
#include "dynet/expr.h"
#include "tests/cpp/check.h"

using namespace std;
using namespace dynet;
using test::check;

namespace {

typedef vector<float> V;

/// The expressions made by one group of functions; all are computed at the end.
struct Made {
  ComputationGraph cg;
  Expression v = input(cg, {3}, {0.1f, 0.2f, 0.7f}), w = input(cg, {3}, {0.5f, 0.4f, 0.3f}),
             s = input(cg, 0.5f);
  Expression m = input(cg, {2, 3}, {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f});
  Expression square_matrix = input(cg, {2, 2}, {2.f, 0.5f, 0.25f, 1.f});
  Expression batch = input(cg, Dim({3}, 2), {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f});
  vector<Expression> all;

  void add(const vector<Expression>& some) { all.insert(all.end(), some.begin(), some.end()); }
  void finish(const char* group) {
    for (const Expression& e : all) check(cg.incremental_forward(e).is_valid(), group);
  }
};

void leaves() {
  Made made;
  ComputationGraph& cg = made.cg;
  ParameterCollection pc;
  Parameter p = pc.add_parameters({2, 3});
  LookupParameter lp = pc.add_lookup_parameters(4, {3});
  dynet::real number = 2;
  V numbers = {1, 2, 3};
  unsigned row = 1;
  vector<unsigned> rows = {0, 3};
  made.add({input(cg, 1.f),
            input(cg, &number),
            input(cg, {3}, numbers),
            input(cg, {3}, &numbers),
            input(cg, {4}, {1, 3}, {5.f, 6.f}),
            input(cg, {4}, {1, 3}, {5.f, 6.f}, 1.f),
            parameter(cg, p),
            parameter(cg, lp),
            const_parameter(cg, p),
            const_parameter(cg, lp),
            lookup(cg, lp, 1u),
            lookup(cg, lp, &row),
            lookup(cg, lp, rows),
            lookup(cg, lp, &rows),
            const_lookup(cg, lp, 1u),
            const_lookup(cg, lp, &row),
            const_lookup(cg, lp, rows),
            const_lookup(cg, lp, &rows),
            one_hot(cg, 4, 2),
            one_hot(cg, 4, rows),
            zeros(cg, {2, 2}),
            zeroes(cg, {2, 2}),
            ones(cg, {2, 2}),
            constant(cg, {2, 2}, 3.f)});
  made.add({random_normal(cg, {3}), random_normal(cg, {3}, 1, 2), random_bernoulli(cg, {3}, 0.5f),
            random_bernoulli(cg, {3}, 0.5f, 2.f), random_uniform(cg, {3}, -1, 1), random_gumbel(cg, {3}),
            random_gumbel(cg, {3}, 0.f, 1.f)});
  made.finish("leaves");
}

void arithmetic() {
  Made made;
  const auto& [cg, v, w, s, m, q, b, all] = made;
  made.add(
      {v + w,   v + 1,   1 + v,   v - w,       v - 1,          1 - v,     -v,        m * v,        v * 2,
       2 * v,   v / 2,   v / w,   cmult(v, w), cdiv(v, w),     pow(v, s), square(v), cube(v),      sqrt(v),
       exp(v),  log(v),  abs(v),  erf(v),      log_sigmoid(v), lgamma(v), sin(v),    cos(v),       tan(v),
       asin(v), acos(v), atan(v), sinh(v),     cosh(v),        tanh(v),   asinh(v),  acosh(v + 1), atanh(v)});
  made.add({affine_transform({v, transpose(m), s + zeros(made.cg, {2})}),
            sum({v, w}),
            average({v, w}),
            max(v, w),
            min(v, w),
            max({v, w}),
            colwise_add(transpose(m), v),
            cumsum(m, 1),
            dot_product(v, w),
            squared_distance(v, w),
            l1_distance(v, w),
            huber_distance(v, w),
            squared_norm(v),
            l2_norm(v),
            circ_conv(v, w),
            circ_corr(v, w),
            logistic(v),
            rectify(v),
            elu(v),
            elu(v, 0.5f),
            selu(v),
            silu(v),
            silu(v, 2.f),
            softsign(v)});
  for (const GradientMode mode : {zero_gradient, straight_through_gradient})
    made.add({round(v, mode), ceil(v, mode), floor(v, mode), argmax(v, mode)});
  vector<Expression> list = {v, w};
  made.add({sum(list), average(list), logsumexp(list), logsumexp({v, w}),
            affine_transform(vector<Expression>{v})});
  made.finish("arithmetic");
}

void reductions() {
  Made made;
  const auto& [cg, v, w, s, m, q, b, all] = made;
  made.add({sum_elems(m),
            sum_dim(m, {0}),
            sum_dim(m, {0, 1}),
            sum_dim(b, {0}, true),
            sum_rows(m),
            sum_cols(m),
            sum_batches(b),
            mean_elems(m),
            moment_elems(m, 2),
            std_elems(m),
            mean_dim(m, {1}),
            mean_dim(b, {0}, true),
            mean_dim(m, {1}, false, 2),
            moment_dim(m, {0}, 2),
            std_dim(m, {0}),
            mean_batches(b),
            moment_batches(b, 2),
            std_batches(b),
            average_cols(m),
            max_dim(m),
            max_dim(m, 1),
            min_dim(m),
            min_dim(m, 1),
            logsumexp_dim(m),
            logsumexp_dim(m, 1)});
  made.add({softmax(v), softmax(m, 1), log_softmax(v), sparsemax(v), constrained_softmax(v, w + 0.3f),
            layer_norm(v, w, w), weight_norm(m, s), inverse(q), logdet(q), trace_of_product(m, m)});
  check(isinf(as_vector(log_softmax(v, {0, 2}).value())[1]), "log_softmax of a restriction");
  made.finish("reductions");
}

void losses() {
  Made made;
  const auto& [cg, v, w, s, m, q, b, all] = made;
  unsigned index = 1;
  vector<unsigned> indices = {0, 2}, three = {0, 1, 1};
  made.add({pickneglogsoftmax(v, 1),
            pickneglogsoftmax(v, &index),
            pickneglogsoftmax(b, indices),
            pickneglogsoftmax(b, &indices),
            hinge(v, 1),
            hinge(v, index, 2.f),
            hinge(v, &index),
            hinge(b, indices),
            hinge(b, &indices, 2.f),
            hinge_dim(m, three),
            hinge_dim(m, &three, 0, 2.f),
            hinge_dim(m, indices, 1),
            hinge_dim(concatenate_to_batch({m, m}), vector<vector<unsigned>>{three, three}),
            binary_log_loss(v, w),
            pairwise_rank_loss(s, s, 0.5f),
            poisson_loss(s, 2),
            poisson_loss(s, &index),
            sparsemax_loss(v, indices),
            sparsemax_loss(v, &indices),
            kmh_ngram(m, 2)});
  made.finish("losses");
}

void shapes() {
  Made made;
  const auto& [cg, v, w, s, m, q, b, all] = made;
  unsigned index = 1;
  vector<unsigned> indices = {1, 0};
  made.add({reshape(m, {3, 2}),
            transpose(m),
            transpose(m, {1, 0}),
            concatenate({v, w}),
            concatenate({m, m}, 1),
            concatenate_cols({v, w}),
            concatenate_to_batch({v, w}),
            pick(v, 0),
            pick(v, index),
            pick(m, 1, 1),
            pick(v, &index),
            pick(m, &index, 1),
            pick(b, indices),
            pick(b, &indices),
            pick_range(v, 0, 2),
            pick_range(m, 1, 3, 1),
            pickrange(v, 0, 2),
            select_rows(m, indices),
            select_rows(m, &indices),
            select_cols(m, {2, 0}),
            select_cols(m, &indices),
            pick_batch_elem(b, 1),
            pick_batch_elem(b, &index),
            pick_batch_elems(b, indices),
            pick_batch_elems(b, &indices),
            strided_select(m, {1, 2}),
            strided_select(m, {1, 2}, {0, 1}),
            strided_select(m, {1, 1}, {0, 1}, {1, 3}),
            nobackprop(v),
            flip_gradient(v),
            scale_gradient(v),
            scale_gradient(v, 2.f),
            to_device(v, default_device),
            fold_rows(m),
            fold_rows(m, 2),
            kmax_pooling(m, 2),
            kmax_pooling(m, 1, 1)});
  made.finish("shapes");
}

void networks() {
  Made made;
  const auto& [cg, v, w, s, m, q, b, all] = made;
  const Expression cube_of_12 = reshape(input(made.cg, {12}, V(12, 0.5f)), {2, 3, 2});
  const Expression two = input(made.cg, {2}, {1.f, 2.f});
  made.add({contract3d_1d(cube_of_12, two), contract3d_1d(cube_of_12, two, m),
            contract3d_1d_1d(cube_of_12, two, v), contract3d_1d_1d(cube_of_12, two, v, two),
            filter1d_narrow(m, m)});
  const Expression picture = input(made.cg, {4, 4, 1}, V(16, 0.5f)),
                   filter = input(made.cg, {2, 2, 1, 3}, V(12, 0.1f));
  made.add({conv2d(picture, filter, {1, 1}), conv2d(picture, filter, {2, 2}, false),
            conv2d(picture, filter, v, {1, 1}), conv2d(picture, filter, v, {1, 1}, false),
            maxpooling2d(picture, {2, 2}, {1, 1}), maxpooling2d(picture, {2, 2}, {2, 2}, false)});
  made.add({noise(v, 0.1f), dropout(v, 0.5f), dropout_dim(m, 0, 0.5f), dropout_batch(b, 0.5f),
            block_dropout(v, 0.5f)});
  const Expression Wx = input(made.cg, {12, 3}, V(36, 0.1f)), Wh = Wx,
                   bias = input(made.cg, {12}, V(12, 0.1f));
  const Expression Wxx = concatenate({Wx, Wx}, 1), vv = concatenate({v, v});
  const Expression gates = vanilla_lstm_gates(v, w, Wx, Wh, bias), c = vanilla_lstm_c(v, gates);
  made.add({gates, c, vanilla_lstm_h(c, gates), vanilla_lstm_gates_concat({v, v}, w, Wxx, Wh, bias),
            vanilla_lstm_gates_dropout(v, w, Wx, Wh, bias, v, w),
            vanilla_lstm_gates_dropout_concat({v, v}, w, Wxx, Wh, bias, vv, w)});
  made.finish("networks");
}

}  // namespace

int main() {
  leaves(), arithmetic(), reductions(), losses(), shapes(), networks();
  return test::finish();
}
