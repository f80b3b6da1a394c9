// One node of each of the tree LSTMs, and the order in which nodes may come.
#include "dynet/nn/treelstm.h"

#include <algorithm>
#include <limits>

#include "dynet/ops/all.h"

namespace dynet {

using namespace engine;
namespace {

enum { word_matrix, word_bias, first_child_matrix };

unsigned at_least_one(const char* builder, const char* what, unsigned count) {
  if (count == 0) invalid(builder, ": 0 ", what, " were asked for; at least one is needed");
  return count;
}

/// The child positions of an N-ary tree LSTM, whose largest matrix has rows for each of them.
unsigned child_positions(unsigned N, unsigned H) {
  if (N > std::numeric_limits<unsigned>::max() / std::max(1u, H) - 3)
    invalid("NaryTreeLSTMBuilder: ", N, " child positions of hidden size ", H,
            " are more than a matrix has rows");
  return at_least_one("NaryTreeLSTMBuilder", "child positions", N);
}

/// The sizes of builders whose LSTMs read inputs and children's outputs alike.
unsigned equal_sizes(const char* builder, unsigned input_dim, unsigned hidden_dim) {
  if (input_dim != hidden_dim)
    invalid(builder, ": input size ", input_dim, " and hidden size ", hidden_dim,
            " were given; they must be equal, since children's outputs are read as inputs are");
  return hidden_dim;
}

unsigned half(const char* builder, unsigned hidden_dim) {
  if (hidden_dim % 2)
    invalid(builder, ": hidden size ", hidden_dim, "; each direction has half, so it must be even");
  return hidden_dim / 2;
}

}  // namespace

TreeLSTMBuilder::TreeLSTMBuilder(const char* collection, unsigned layer_count, unsigned input_size,
                                 unsigned hidden_size, unsigned components, ParameterCollection& model)
    : layers(at_least_one(collection, "layers", layer_count)),
      input_dim(input_size),
      hidden_dim(hidden_size),
      collection_((check_builder_sizes(collection, layer_count, input_size, hidden_size), model)
                      .add_subcollection(collection)),
      components_(components) {}

void TreeLSTMBuilder::new_graph(Graph& graph, bool update) {
  if (now_.bound.id != graph.id() && now_.reading) {
    Tree none;
    exchange(none);
    waiting_.put(std::move(none));
  }
  now_.bound = {GraphHandle(graph), graph.id()};
  now_.reading = false;
  const Tasks::Apart apart(graph.tasks(), Tasks::before, 0);
  bind(graph, update);
}

bool TreeLSTMBuilder::resume(unsigned graph_id) {
  if (now_.bound.id == graph_id) return now_.bound.is_there();
  Tree other;
  if (!waiting_.take(graph_id, other)) return false;
  exchange(other);
  if (other.reading) waiting_.put(std::move(other));
  resume_parts(graph_id);
  return true;
}

/// Changes places with the tree in another graph.
void TreeLSTMBuilder::exchange(Tree& other) {
  exchange_bound(now_);
  std::swap(now_, other);
  exchange_bound(now_);
}

void TreeLSTMBuilder::start_new_sequence() {
  if (now_.bound.id == 0) invalid(name(), "::start_new_sequence: call new_graph first");
  now_.cells.clear();
  now_.announced = 0;
  now_.added.clear();
  now_.reading = true;
  now_.part = now_.bound.part();
  begin();
}

void TreeLSTMBuilder::set_num_elements(unsigned num) {
  if (!now_.reading) invalid(name(), "::set_num_elements: call start_new_sequence first");
  if (num * size_t{components_} < now_.cells.size())
    invalid(name(), "::set_num_elements: ", num, " nodes were announced; there are ",
            now_.cells.size() / components_, " already");
  now_.announced = num;
  now_.cells.resize(num * size_t{components_});
}

bool TreeLSTMBuilder::has(int id) const {
  if (id < 0 || static_cast<size_t>(id) >= now_.cells.size() / components_) return false;
  return std::ranges::all_of(cells(id), [](const Expression& e) { return e.pg && !e.is_stale(); });
}

/// The id of the node added last, of those that are there; -1 if there is none.
int TreeLSTMBuilder::last() const {
  const auto found = std::find_if(now_.added.rbegin(), now_.added.rend(), [this](int id) { return has(id); });
  return found == now_.added.rend() ? -1 : *found;
}

void TreeLSTMBuilder::check_new(int id) const {
  if (id < 0 || (now_.announced && id >= static_cast<int>(now_.announced)))
    bad_index(name(), "::add_input: there is no node ", id, "; ids are ",
              now_.announced ? text("0 to ", now_.announced - 1) : "not negative");
  if (has(id)) invalid(name(), "::add_input: node ", id, " was added before; each id may come once");
}

Expression TreeLSTMBuilder::add_input(int id, const std::vector<int>& children, const Expression& x) {
  if (!now_.reading) invalid(name(), "::add_input: call new_graph and start_new_sequence first");
  const Graph* const graph = now_.bound.handle.get_or_null();
  if (graph && graph->tasks() && !graph->tasks()->is_own(now_.part))
    failed(name(),
           "::add_input: another task of run_batched has begun a tree with this builder since; "
           "give each task a builder of its own, or let a tree be read before any value() is asked for");
  check_new(id);
  for (int child : children)
    if (!has(child))
      invalid(name(), "::add_input: child ", child, " of node ", id,
              " has not been added; children come first");
  check_builder_input(name(), x, input_dim);
  next_.assign(components_, Expression());
  step(children, x, next_);
  const size_t end = (static_cast<size_t>(id) + 1) * components_;
  if (now_.cells.size() < end) now_.cells.resize(end);
  std::ranges::copy(next_, now_.cells.begin() + static_cast<ptrdiff_t>(end - components_));
  while (!now_.added.empty() && !has(now_.added.back())) now_.added.pop_back();
  now_.added.push_back(id);
  return next_.back();
}

std::vector<Expression> TreeLSTMBuilder::get_h(int id) const {
  if (!has(id)) bad_index(name(), "::get_h: there is no node ", id);
  const ConstCells h = cells(id).last(layers);
  return {h.begin(), h.end()};
}

NaryTreeLSTMBuilder::NaryTreeLSTMBuilder(unsigned most_children, unsigned layers, unsigned input_dim,
                                         unsigned hidden_dim, ParameterCollection& model)
    : TreeLSTMBuilder("nary-treelstm-builder", layers, input_dim, hidden_dim,
                      child_positions(most_children, hidden_dim) ? 2 * layers : 0, model),
      N(most_children),
      dropout_(layers, input_dim, hidden_dim, 2) {
  const unsigned H = hidden_dim;
  for (unsigned l = 0; l < layers; ++l) {
    std::vector<Parameter>& p = params.emplace_back();
    p.push_back(collection_.add_parameters({(3 + N) * H, l ? H : input_dim}));
    p.push_back(collection_.add_parameters({(3 + N) * H}, ParameterInitConst(0)));
    for (unsigned rows : {3 + N, 2 + N})
      for (unsigned j = 0; j < N; ++j) p.push_back(collection_.add_parameters({rows * H, H}));
  }
}

void NaryTreeLSTMBuilder::exchange_bound(Tree& tree) {
  std::swap(param_vars, tree.variables);
  dropout_.exchange(tree.masks);
}

void NaryTreeLSTMBuilder::bind(Graph&, bool update) {
  param_vars.clear();
  for (const auto& layer : params) {
    std::vector<Expression>& vars = param_vars.emplace_back();
    for (const Parameter& p : layer) vars.push_back(Expression::of_parameter(&p.get_storage(), update));
  }
}

/// One node of the tree from {W x + b, h_1 … h_n, c_1 … c_n, H_1 … H_n, C_1 … C_n}: its c and its h.
std::vector<Expression> NaryTreeLSTMBuilder::inner_node(unsigned N, unsigned H,
                                                        const std::vector<Expression>& x) {
  const size_t n = (x.size() - 1) / 4;
  const auto products = [&](const Expression& sum, size_t states, size_t matrices) {
    std::vector<Expression> all{sum};
    for (size_t j = 0; j < n; ++j)
      all.push_back(x[1 + matrices * n + j]), all.push_back(x[1 + states * n + j]);
    return n ? affine_transform(all) : sum;
  };
  const Expression sums = products(x[0], 0, 2);
  const Expression gates = products(pick_range(sums, 0, (2 + N) * H), 1, 3);
  const auto gate = [&](unsigned i) { return pick_range(gates, i * H, (i + 1) * H); };
  const Expression g = tanh(pick_range(sums, (2 + N) * H, (3 + N) * H));
  Expression c = cmult(logistic(gate(0)), g);
  for (size_t k = 0; k < n; ++k) {
    const Expression f = logistic(gate(1 + std::min(static_cast<unsigned>(k), N - 1)) + 1);
    c = c + cmult(f, x[1 + n + k]);
  }
  return {c, cmult(logistic(gate(1 + N)), tanh(c))};
}

void NaryTreeLSTMBuilder::step(const std::vector<int>& children, const Expression& input, Cells after) {
  Expression x = input;
  dropout_.prepare(x);
  for (unsigned l = 0; l < layers; ++l) {
    const std::vector<Expression>& p = param_vars[l];
    std::vector<Expression>& all = arguments_;
    all = {affine_transform({p[word_bias], p[word_matrix], dropout_.apply(DropoutMasks::input, l, x)})};
    for (int child : children)
      all.push_back(dropout_.apply(DropoutMasks::output, l, cells(child)[layers + l]));
    for (int child : children) all.push_back(cells(child)[l]);
    for (unsigned first : {0u, N})
      for (size_t j = 0; j < children.size(); ++j)
        all.push_back(p[first + first_child_matrix + std::min(static_cast<unsigned>(j), N - 1)]);
    const Expression node = cell_.node(all);
    after[l] = PickRangeView::call(node, 0, hidden_dim, 0);
    after[layers + l] = x = PickRangeView::call(node, hidden_dim, 2 * hidden_dim, 0);
  }
}

UnidirectionalTreeLSTMBuilder::UnidirectionalTreeLSTMBuilder(unsigned layers, unsigned input_dim,
                                                             unsigned hidden_dim, ParameterCollection& model)
    : TreeLSTMBuilder("unidirectional-treelstm-builder", layers, input_dim,
                      equal_sizes("UnidirectionalTreeLSTMBuilder", input_dim, hidden_dim), layers, model),
      node_builder(layers, input_dim, hidden_dim, collection_) {}

void UnidirectionalTreeLSTMBuilder::step(const std::vector<int>& children, const Expression& x, Cells after) {
  // Each node is a branch from the initial state, so that all share the tree's dropout masks.
  node_builder.add_input(-1, x);
  for (int child : children) node_builder.add_input(cells(child).back());
  std::ranges::copy(node_builder.final_h(), after.begin());
}

BidirectionalTreeLSTMBuilder::BidirectionalTreeLSTMBuilder(unsigned layers, unsigned input_dim,
                                                           unsigned hidden_dim, ParameterCollection& model)
    : TreeLSTMBuilder("bidirectional-treelstm-builder", layers, input_dim,
                      2 * half("BidirectionalTreeLSTMBuilder",
                               equal_sizes("BidirectionalTreeLSTMBuilder", input_dim, hidden_dim)),
                      layers, model),
      fwd_node_builder(layers, input_dim, hidden_dim / 2, collection_),
      rev_node_builder(layers, input_dim, hidden_dim / 2, collection_) {}

void BidirectionalTreeLSTMBuilder::bind(Graph& graph, bool update) {
  fwd_node_builder.new_graph(graph, update);
  rev_node_builder.new_graph(graph, update);
}

void BidirectionalTreeLSTMBuilder::resume_parts(unsigned graph_id) {
  fwd_node_builder.resume(graph_id);
  rev_node_builder.resume(graph_id);
}

void BidirectionalTreeLSTMBuilder::begin() {
  fwd_node_builder.start_new_sequence();
  rev_node_builder.start_new_sequence();
}

std::vector<std::vector<Parameter>> BidirectionalTreeLSTMBuilder::parameters() const {
  std::vector<std::vector<Parameter>> all = fwd_node_builder.params;
  for (unsigned l = 0; l < layers; ++l) {
    const std::vector<Parameter>& rev = rev_node_builder.params[l];
    all[l].insert(all[l].end(), rev.begin(), rev.end());
  }
  return all;
}

void BidirectionalTreeLSTMBuilder::step(const std::vector<int>& children, const Expression& x, Cells after) {
  std::vector<Expression> xs{x};
  for (int child : children) xs.push_back(cells(child).back());
  const auto read = [](LSTMBuilder& builder, const std::vector<Expression>& list) {
    builder.add_input(-1, list[0]);
    for (size_t i = 1; i < list.size(); ++i) builder.add_input(list[i]);
    return builder.final_h();
  };
  const std::vector<Expression> forward = read(fwd_node_builder, xs);
  std::ranges::reverse(xs);
  const std::vector<Expression> backward = read(rev_node_builder, xs);
  for (unsigned l = 0; l < layers; ++l) after[l] = concatenate({forward[l], backward[l]});
}

}  // namespace dynet
