// What dynet/pickling.py asks for: the parts of collections, builders and trainers, and new ones made of
// parts.
#include <nanobind/stl/optional.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dynet/nn/lstm.h"
#include "dynet/nn/softmax.h"
#include "dynet/nn/treelstm.h"
#include "dynet/params/given.h"
#include "dynet/train/memory.h"
#include "python/src/casters.h"
#include "python/src/moment.h"
#include "python/src/numbers.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Collection = ParameterCollection;
using Counts = std::unordered_map<std::string, unsigned>;

nb::bytes bytes_of(const std::string& name) { return nb::bytes(name.data(), name.size()); }
/// Python has names as texts.
std::string name_of(nb::handle name) {
  const nb::bytes bytes = nb::cast<nb::bytes>(name);
  const nb::object text =
      nb::steal(PyUnicode_DecodeUTF8(bytes.c_str(), static_cast<Py_ssize_t>(bytes.size()), nullptr));
  if (!text.is_valid()) {
    PyErr_Clear();
    invalid("the name ", nb::repr(bytes).c_str(), " is not in UTF-8, as names are");
  }
  return {bytes.c_str(), bytes.size()};
}

// -- parameters

bool is_lookup(nb::handle p) { return Py_TYPE(p.ptr()) == types.lookup; }

Storage& storage_of(nb::handle p) {
  if (is_lookup(p)) return nb::cast<LookupParameter>(p).get_storage();
  if (Py_TYPE(p.ptr()) != types.parameters)
    throw type_error(text(a_kind(p.ptr()), " was given; a parameter or a table is needed").c_str());
  return nb::cast<Parameter>(p).get_storage();
}

/// Which parameter or collection a handle refers to.
uintptr_t identity_of(nb::handle o) {
  if (nb::isinstance<Collection>(o))
    return reinterpret_cast<uintptr_t>(nb::cast<const Collection&>(o).share().get());
  return reinterpret_cast<uintptr_t>(&storage_of(o));
}

/// What is copied together: a root, or a parameter whose collections are gone.
struct Family {
  std::shared_ptr<engine::CollectionStorage> root;
  std::shared_ptr<Storage> alone;

  explicit Family(nb::handle of) {
    if (Trainer* trainer; nb::try_cast(of, trainer)) {
      root = root_of(trainer->model.share());
    } else if (nb::isinstance<Collection>(of)) {
      root = root_of(nb::cast<const Collection&>(of).share());
    } else {
      Storage& s = storage_of(of);
      root = s.owner.lock();
      if (!root) alone = s.shared_from_this();
    }
  }
  uintptr_t identity() const {
    return root ? reinterpret_cast<uintptr_t>(root.get()) : reinterpret_cast<uintptr_t>(alone.get());
  }
};

void bind_moment(nb::module_& m) {
  nb::class_<Moment>(m, "_Moment", "A model and its trainers as they were when this was made.",
                     nb::is_weak_referenceable())
      .def(
          "__init__",
          [](Moment* self, nb::handle of) {
            Family family(of);
            new (self) Moment(std::move(family.root), std::move(family.alone));
          },
          "of"_a)
      .def(
          "of_parameter", [](const Moment& moment, nb::handle p) { return moment.state_of(storage_of(p)); },
          "handle"_a)
      .def("of_trainer", [](const Moment& moment, Trainer& t) { return moment.state_of(t); }, "trainer"_a);
  m.def("_family", [](nb::handle of) { return Family(of).identity(); }, "of"_a);
}

/// A parameter or a table that is in no collection yet.
nb::object make_parameter(bool is_table, nb::handle array, nb::handle name, bool updated) {
  if (!is_array(array.ptr()))
    throw type_error(text("a parameter of ", a_kind(array.ptr()), "; an array is needed").c_str());
  Numbers numbers = read_numbers(array.ptr(), is_table);
  const std::string own_name = name_of(name);
  if (own_name.empty() || own_name.find('\n') != std::string::npos)
    invalid("a parameter has a name without line breaks, and it is not empty");
  const Dim dim = numbers.dim();
  const ParameterInitFromVector init(std::move(numbers.values));
  const Changing changing;
  Collection scratch;
  const auto named = [&](auto handle) {
    handle.get_storage().name = own_name;
    handle.set_updated(updated);
    return nb::cast(handle);
  };
  if (!is_table) return named(scratch.add_parameters(dim, init));
  const Dim row = dim.nd > 1 ? dim.without(dim.nd - 1) : Dim();
  return named(scratch.add_lookup_parameters(dim[dim.nd - 1], row, init));
}

// -- collections

nb::dict dict_of(const Counts& counts) {
  nb::dict all;
  for (const auto& [name, count] : std::map(counts.begin(), counts.end())) all[bytes_of(name)] = count;
  return all;
}

Counts counts_of(const nb::dict& given) {
  Counts counts;
  for (const auto& [name, count] : given) counts[name_of(name)] = nb::cast<unsigned>(count);
  return counts;
}

template <class Handle>
nb::list handles_of(const auto& storages) {
  nb::list list;
  for (const auto& s : storages) list.append(Handle(s));
  return list;
}

nb::tuple collection_state(const Collection& c) {
  const engine::CollectionStorage& s = *c.share();
  nb::list of_files;
  for (const std::string& name : std::set(s.names_of_files.begin(), s.names_of_files.end()))
    of_files.append(bytes_of(name));
  return nb::make_tuple(bytes_of(s.name), s.parent ? nb::cast(Collection(s.parent)) : nb::none(),
                        s.weight_decay, handles_of<Parameter>(s.parameters),
                        handles_of<LookupParameter>(s.lookups), dict_of(s.parameter_names),
                        dict_of(s.collection_names), of_files);
}

/// The parameters of a list, each once and each in that of the parent, too.
template <class Handle, class S>
std::vector<std::shared_ptr<S>> listed(const nb::list& given, const std::vector<std::shared_ptr<S>>* parent) {
  std::vector<std::shared_ptr<S>> list;
  std::set<std::shared_ptr<S>> seen, allowed;
  if (parent) allowed.insert(parent->begin(), parent->end());
  for (const nb::handle each : given) {
    Handle handle;
    if (!nb::try_cast(each, handle))
      throw type_error(text("a collection lists ", a_kind(each.ptr())).c_str());
    if (!seen.insert(handle.p).second) invalid("a collection lists ", handle.get_fullname(), " twice");
    if (parent && !allowed.contains(handle.p))
      invalid("a collection lists ", handle.get_fullname(), ", and the one that it lies in does not");
    list.push_back(std::move(handle.p));
  }
  return list;
}

Collection make_collection(nb::handle name, const std::optional<Collection>& parent, Number decay,
                           const nb::list& parameters, const nb::list& lookups, const nb::dict& names,
                           const nb::dict& collection_names, const nb::list& of_files) {
  auto made = std::make_shared<engine::CollectionStorage>();
  made->name = name_of(name);
  const std::string inside = parent ? parent->get_fullname() : "";
  if (made->name.find('\n') != std::string::npos || !made->name.starts_with(inside) ||
      made->name.size() <= inside.size() || made->name.back() != '/')
    invalid("a collection in \"", inside, "\" has the name \"", made->name, "\"");
  const Changing changing;
  if (parent) made->parent = parent->share();
  made->parameters = listed<Parameter>(parameters, parent ? &parent->parameters_list() : nullptr);
  made->lookups = listed<LookupParameter>(lookups, parent ? &parent->lookup_parameters_list() : nullptr);
  const auto own = [&](const auto& list) {
    for (const auto& each : list) each->owner = root_of(made);
  };
  own(made->parameters), own(made->lookups);
  made->parameter_names = counts_of(names);
  made->collection_names = counts_of(collection_names);
  for (const nb::handle each : of_files) made->names_of_files.insert(name_of(each));
  Collection collection(std::move(made));
  collection.set_weight_decay_lambda(decay);
  return collection;
}

/// A handle of a class that a program has derived from ParameterCollection.
nb::object collection_as(nb::handle kind, const Collection& collection) {
  const auto base = reinterpret_cast<PyTypeObject*>(nb::type<Collection>().ptr());
  if (!PyType_Check(kind.ptr()) || !PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(kind.ptr()), base))
    throw type_error("a class that derives from ParameterCollection is needed");
  nb::object made = nb::inst_alloc(kind);
  new (nb::inst_ptr<Collection>(made)) Collection(collection);
  nb::inst_mark_ready(made);
  return made;
}

// -- builders

/// The collections of a builder in the order in which it makes them, and its rates.
nb::tuple builder_state(nb::handle builder) {
  nb::list collections, rates;
  const auto add_rates = [&](const auto& all) {
    for (const real rate : all) rates.append(rate);
  };
  if (RNNBuilder* b; nb::try_cast(builder, b)) {
    collections.append(b->get_parameter_collection());
    add_rates(b->dropout_rates());
    if (const auto* compact = dynamic_cast<CompactVanillaLSTMBuilder*>(b))
      rates.append(compact->weightnoise());
  } else if (TreeLSTMBuilder* tree; nb::try_cast(builder, tree)) {
    collections.append(tree->get_parameter_collection());
    if (auto* one = dynamic_cast<UnidirectionalTreeLSTMBuilder*>(tree))
      collections.append(one->node_builder.get_parameter_collection());
    if (auto* two = dynamic_cast<BidirectionalTreeLSTMBuilder*>(tree))
      for (LSTMBuilder* each : {&two->fwd_node_builder, &two->rev_node_builder})
        collections.append(each->get_parameter_collection());
    add_rates(tree->dropout_rates());
  } else {
    collections.append(nb::cast<SoftmaxBuilder&>(builder).get_parameter_collection());
  }
  return nb::make_tuple(collections, rates);
}

/// A list of numbers.
std::vector<double> doubles(const nb::handle& given) {
  std::vector<double> all;
  const bool is_list = for_each(given.ptr(), [&](PyObject* each) {
    if (!read_double(each, all.emplace_back()))
      throw type_error(text(a_kind(each), " was given where a number is needed"));
  });
  if (!is_list) throw type_error(text(a_kind(given.ptr()), " was given where numbers are needed"));
  return all;
}

void restore_rates(nb::handle builder, nb::handle given) {
  std::vector<real> rates;
  for (const double rate : doubles(given)) rates.push_back(static_cast<real>(rate));
  const auto check = [&](size_t wanted) {
    if (rates.size() != wanted)
      invalid(type_name(builder.ptr()), ": ", rates.size(), " rates were given; it has ", wanted);
  };
  if (RNNBuilder* b; nb::try_cast(builder, b)) {
    auto* const compact = dynamic_cast<CompactVanillaLSTMBuilder*>(b);
    check(compact ? 4 : 3);
    b->set_dropout_rates({rates[0], rates[1], rates[2]});
    if (compact) compact->set_weightnoise(rates[3]);
  } else if (TreeLSTMBuilder* tree; nb::try_cast(builder, tree)) {
    check(2);
    tree->set_dropout(rates[0], rates[1]);
  } else {
    check(0);
  }
}

/// What `make` returns, whose builder is made of the parameters of these collections.
nb::object with_given(const nb::list& collections, const nb::callable& make) {
  std::vector<Collection> given;
  for (const nb::handle each : collections) given.push_back(nb::cast<Collection>(each));
  engine::Given all(std::move(given));
  nb::object made = make();
  all.check_all_taken();
  return made;
}

// -- trainers

void restore_trainer(Trainer& t, nb::handle numbers, const nb::list& lists) {
  const std::vector<double> given = doubles(numbers);
  std::vector<std::vector<engine::Buffer>> all;
  for (const nb::handle arrays : lists) {
    auto& list = all.emplace_back();
    const bool rows_first = all.size() % 2 == 0;
    for (const nb::handle array : nb::cast<nb::list>(arrays)) {
      const Numbers content = read_numbers(array.ptr(), rows_first);
      engine::Buffer buffer(content.values.size());
      chosen_engine().copy(buffer.size(), content.values.data(), buffer.data());
      list.push_back(std::move(buffer));
    }
  }
  const Changing changing;
  TrainerMemory::restore(t, given, std::move(all));
}

}  // namespace

void bind_pickling(nb::module_& m) {
  bind_moment(m);
  m.def("_identity", identity_of, "handle"_a);
  m.def("_make_parameter", make_parameter, "is_table"_a, "array"_a, "name"_a, "updated"_a);
  m.def("_collection_state", collection_state, "handle"_a);
  m.def("_make_collection", make_collection, "name"_a, "parent"_a.none(), "decay"_a, "parameters"_a,
        "lookups"_a, "names"_a, "collection_names"_a, "of_files"_a);
  m.def("_collection_as", collection_as, "kind"_a, "collection"_a);
  m.def("_builder_state", builder_state, "builder"_a);
  m.def("_restore_rates", restore_rates, "builder"_a, "rates"_a);
  m.def("_with_given", with_given, "collections"_a, "make"_a);
  m.def("_restore_trainer", restore_trainer, "trainer"_a, "numbers"_a, "lists"_a);
  m.def("_model_of", [](const Trainer& t) { return t.model; }, "trainer"_a);
}

}  // namespace dynet::python
