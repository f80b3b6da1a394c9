// Adds parameters to collections and names them.
#include "dynet/params/collection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include "dynet/params/additions.h"
#include "dynet/params/given.h"

namespace dynet {

using namespace engine;
namespace {

real& default_lambda() {
  static real lambda = 0;
  return lambda;
}

void check_lambda(real lambda) {
  if (!(lambda >= 0 && lambda < 1))
    throw std::domain_error(text("Bad value of lambda: ", lambda, "; weight decay must lie in [0, 1)"));
}

/// The collection's name and the user's; repeated and empty names get a number, the first that nobody has.
std::string full_name(const std::shared_ptr<CollectionStorage>& collection, bool of_collection,
                      const std::string& name) {
  if (name.find_first_of("/\n") != std::string::npos)
    failed(of_collection ? "add_subcollection: Submodel" : "add_parameters: Parameter",
           " name could not include '/', nor a line break: ", name);
  auto& given = collection->names(of_collection);
  const auto& of_files = root_of(collection)->names_of_files;
  const auto is_given = [&](const std::string& chosen) {
    const auto found = given.find(chosen);
    return found != given.end() && found->second > 0;
  };
  const auto give = [&](const std::string& chosen) {
    const unsigned before = given[chosen]++;
    Additions::name(collection, of_collection, chosen);
    return before;
  };
  for (;;) {
    const unsigned before = give(name);
    const bool is_numbered = before > 0 || name.empty();
    const std::string chosen = is_numbered ? name + '_' + std::to_string(before) : name;
    std::string full = collection->name + chosen;
    if ((!of_collection && of_files.contains(full)) || (is_numbered && is_given(chosen))) continue;
    if (is_numbered) give(chosen);
    return full;
  }
}

/// Every parameter and table comes through here, from programs and from files: it has numbers, and no more
/// than can be counted.
void check_sizes(const char* what, const Dim& shape, size_t rows) {
  if (shape.bd != 1) invalid(what, " has no batch: ", shape, " was given; its batch size must be 1");
  size_t left = std::numeric_limits<size_t>::max() / 2 / sizeof(real) / rows;
  for (unsigned i = 0; i < shape.nd; ++i) {
    if (shape.d[i] == 0) invalid(what, " of shape ", shape, " was asked for; every size must be at least 1");
    left /= shape.d[i];
  }
  if (left > 0) return;
  const std::string count = rows > 1 ? text(rows, " times ") : "";
  throw out_of_memory(text(what, " of shape ", count, shape, " has more numbers than memory can hold"));
}

Dim parameter_dim(const Dim& dim) {
  if (dim.nd == 0) invalid("add_parameters: a parameter without sizes was asked for; {1} is one number");
  check_sizes("a parameter", dim, 1);
  return dim;
}

/// The rows are the last axis.
Dim table_dim(unsigned n, const Dim& row) {
  if (n == 0) invalid("a lookup table of 0 rows was asked for; it needs at least one");
  if (row.nd == Dim::max_dims)
    invalid("a lookup table has rows of shape ", row, "; at most ", Dim::max_dims - 1, " sizes are possible");
  check_sizes("a lookup table with rows", row, n);
  return row.with(row.nd, n);
}

/// Of all threads; those that are gone are dropped when one is added.
struct SharedList {
  ForkedMutex mutex;
  std::vector<std::weak_ptr<Storage>> storages;

  static SharedList& get() {
    static SharedList& list = *new SharedList;  // threads may outlive static objects
    return list;
  }
  void add(const std::shared_ptr<Storage>& storage) {
    const std::lock_guard lock(mutex);
    std::erase_if(storages, [](const auto& s) { return s.expired(); });
    storages.push_back(storage);
  }
};

/// Lists it in the collection and all its ancestors.
template <class S>
void enlist(const std::shared_ptr<CollectionStorage>& collection,
            std::vector<std::shared_ptr<S>> CollectionStorage::* list, const std::shared_ptr<S>& parameter) {
  if (sharing_new_buffers()) SharedList::get().add(parameter);
  // All of the memory first, so that it is listed everywhere or nowhere.
  Additions::add(collection, *parameter);
  for (auto* c = collection.get(); c; c = c->parent.get())
    if ((c->*list).size() == (c->*list).capacity()) (c->*list).reserve(2 * (c->*list).size() + 1);
  for (auto* c = collection.get(); c; c = c->parent.get()) (c->*list).push_back(parameter);
  parameter->owner = root_of(collection);
}

void initialize(Storage& s, const ParameterInit& init) {
  const OnHost numbers(s.numbers.data(), s.size());
  Tensor values{s.dim, numbers.data()};
  init.initialize_params(values);
}

template <class S>
size_t count_numbers(const std::vector<std::shared_ptr<S>>& list, bool updated_only) {
  size_t n = 0;
  for (const auto& s : list)
    if (s->updated || !updated_only) n += s->size();
  return n;
}

template <class S>
std::shared_ptr<S> find(const std::vector<std::shared_ptr<S>>& list, const std::string& name) {
  for (const auto& s : list)
    if (s->name == name) return s;
  failed("No parameter object with name '", name, "' was found in the collection");
}

}  // namespace

std::shared_ptr<CollectionStorage> engine::root_of(std::shared_ptr<CollectionStorage> collection) {
  while (collection->parent) collection = collection->parent;
  return collection;
}

std::vector<std::shared_ptr<Storage>> engine::shared_storages() {
  SharedList& list = SharedList::get();
  const std::lock_guard lock(list.mutex);
  std::vector<std::shared_ptr<Storage>> alive;
  for (const auto& storage : list.storages)
    if (std::shared_ptr<Storage> s = storage.lock()) alive.push_back(std::move(s));
  return alive;
}

void engine::give_name(Storage& parameter, const std::string& name) {
  CollectionStorage& root = *parameter.owner.lock();
  const auto taken = [&](const std::string& candidate) {
    const auto has_it = [&](const auto& s) { return s->name == candidate && s.get() != &parameter; };
    return std::ranges::any_of(root.parameters, has_it) || std::ranges::any_of(root.lookups, has_it);
  };
  std::string full = name;
  for (unsigned number = 1; taken(full); ++number) full = name + '_' + std::to_string(number);
  root.names_of_files.insert(full);
  parameter.name = std::move(full);
}

real engine::default_weight_decay() { return default_lambda(); }

void engine::set_default_weight_decay(real lambda) {
  check_lambda(lambda);
  default_lambda() = lambda;
}

ParameterCollection::ParameterCollection() : storage_(std::make_shared<CollectionStorage>()) {
  storage_->weight_decay = default_weight_decay();
}

ParameterCollection ParameterCollection::add_subcollection(const std::string& name, real lambda) {
  if (!(lambda < 0)) check_lambda(lambda);
  if (Given* given = Given::current()) return given->next_collection();
  auto sub = std::make_shared<CollectionStorage>();
  sub->name = full_name(storage_, true, name) + '/';
  sub->parent = storage_;
  sub->weight_decay = lambda >= 0 ? lambda : get_weight_decay_lambda();
  Additions::add(sub);
  return ParameterCollection(sub);
}

Parameter ParameterCollection::add_parameters(const Dim& dim, const ParameterInit& init,
                                              const std::string& name, const Device* device) {
  check_device("add_parameters", device);
  if (Given* given = Given::current(*this)) return Parameter(given->next_parameter(dim));
  Additions::take_room(parameter_dim(dim));
  auto parameter = std::make_shared<ParameterStorage>(dim);
  initialize(*parameter, init);
  parameter->name = full_name(storage_, false, name);
  enlist(storage_, &CollectionStorage::parameters, parameter);
  return Parameter(parameter);
}

Parameter ParameterCollection::add_parameters(const Dim& dim, real scale, const std::string& name,
                                              const Device* device) {
  if (scale == 0) return add_parameters(dim, ParameterInitGlorot(), name, device);
  return add_parameters(dim, ParameterInitUniform(scale), name, device);
}

LookupParameter ParameterCollection::add_lookup_parameters(unsigned n, const Dim& dim,
                                                           const ParameterInit& init, const std::string& name,
                                                           const Device* device) {
  check_device("add_lookup_parameters", device);
  const Dim whole = table_dim(n, dim);
  if (Given::current(*this)) invalid("a builder has a table, and none was given for it");
  Additions::take_room(whole);
  auto lookup = std::make_shared<LookupParameterStorage>(whole);
  initialize(*lookup, init);
  lookup->name = full_name(storage_, false, name);
  enlist(storage_, &CollectionStorage::lookups, lookup);
  return LookupParameter(lookup);
}

void LookupParameterStorage::add_rows(unsigned more) {
  Dim larger = table_dim(rows() + more, row_dim());
  Buffer new_gradient(larger.size());
  if (nonzero) chosen_engine().copy(size(), gradient.data(), new_gradient.data());
  numbers.grow(larger.size());
  touched.reserve(rows() + more);
  is_touched.resize(rows() + more);
  if (!uses.empty()) uses.resize(rows() + more);
  row_values.clear(), row_gradients.clear();
  dim = larger;
  uid = next_uid();
  packed.reset(), spare.reset();
  gradient = Gradient(std::move(new_gradient));
  changed();
}

void LookupParameter::add_rows(unsigned n, const ParameterInit& init) const {
  LookupParameterStorage& s = get_storage();
  if (n == 0) return;
  if (n > UINT32_MAX - s.rows())
    invalid("add_rows: ", n, " rows more than the ", s.rows(), " of ", s.name, "; a table has at most ",
            UINT32_MAX);
  const Dim added = table_dim(n, dim());
  Additions::take_room(added);
  std::vector<real> numbers(added.size());
  Tensor rows{added, numbers.data()};
  init.initialize_params(rows);
  const size_t before = s.size();
  s.add_rows(n);
  s.assign(numbers, before);
}

LookupParameter ParameterCollection::add_lookup_parameters(unsigned n, const Dim& dim, real scale,
                                                           const std::string& name, const Device* device) {
  if (scale == 0) return add_lookup_parameters(n, dim, ParameterInitGlorot(true), name, device);
  return add_lookup_parameters(n, dim, ParameterInitUniform(scale), name, device);
}

std::shared_ptr<ParameterStorage> ParameterCollection::get_parameter_storage(const std::string& name) const {
  return find(parameters_list(), name);
}

std::shared_ptr<LookupParameterStorage> ParameterCollection::get_lookup_parameter_storage(
    const std::string& name) const {
  return find(lookup_parameters_list(), name);
}

size_t ParameterCollection::parameter_count() const {
  return count_numbers(parameters_list(), false) + count_numbers(lookup_parameters_list(), false);
}

size_t ParameterCollection::updated_parameter_count() const {
  return count_numbers(parameters_list(), true) + count_numbers(lookup_parameters_list(), true);
}

double engine::squared_gradient(const ParameterStorage& p) {
  if (p.gradient.is_clear()) return 0;
  return chosen_engine().squared_norm(p.gradient.size(), p.gradient.numbers().data());
}

double engine::squared_gradient(LookupParameterStorage& l) {
  Engine& engine = chosen_engine();
  if (l.all_touched) return engine.squared_norm(l.gradient.size(), l.gradient.data());
  // In order of the rows, so that the sum does not depend on which was used first.
  std::sort(l.touched.begin(), l.touched.end());
  const size_t n = l.row_size();
  double sum = 0;
  for (uint32_t row : l.touched) sum += engine.squared_norm(n, l.gradient.data() + row * n);
  return sum;
}

double ParameterCollection::gradient_l2_norm() const {
  double sum = 0;
  for (const auto& p : parameters_list())
    if (p->updated) sum += squared_gradient(*p);
  for (const auto& l : lookup_parameters_list())
    if (l->updated) sum += squared_gradient(*l);
  return std::sqrt(sum);
}

void ParameterCollection::reset_gradient() {
  for (const auto& p : parameters_list()) p->clear_gradient();
  for (const auto& l : lookup_parameters_list()) l->clear_gradient();
}

double ParameterCollection::project_weights(real radius) {
  if (!(radius > 0)) invalid("project_weights: the radius is ", radius, "; it must be positive");
  const auto for_each = [&](auto&& act) {
    for (const auto& p : parameters_list())
      if (p->updated) act(static_cast<Storage&>(*p));
    for (const auto& l : lookup_parameters_list())
      if (l->updated) act(static_cast<Storage&>(*l));
  };
  double sum = 0;
  for_each([&](Storage& s) {
    const double factor = s.decay_factor;
    sum += factor * factor * chosen_engine().squared_norm(s.numbers.size(), s.numbers.data());
  });
  const double norm = std::sqrt(sum);
  if (norm > radius) for_each([&](Storage& s) { s.scale(static_cast<real>(radius / norm)); });
  return norm;
}

void ParameterCollection::set_weight_decay_lambda(real lambda) {
  check_lambda(lambda);
  storage_->weight_decay = lambda;
}

}  // namespace dynet
