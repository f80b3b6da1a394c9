// ParameterCollection: what is learned, by name, and its model files.
#include "python/src/docs/collection.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "dynet/io/keys.h"
#include "python/src/casters.h"
#include "python/src/files.h"
#include "python/src/initializers.h"
#include "python/src/moment.h"
#include "python/src/numbers.h"
#include "python/src/pictures.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;
using Collection = ParameterCollection;

/// An array as init has the shape itself, as in DyNet 2; a list must have the one that was asked for.
void check_shape(nb::handle init, const Dim& dim, bool is_table) {
  if (is_array(init.ptr())) return;
  const Dim given = read_numbers(init.ptr(), is_table).dim();
  if (!given.same_sizes(dim))
    invalid("init is a list of shape ", sizes_text(given, is_table), "; one of shape ",
            sizes_text(dim, is_table), " is needed");
}

Parameter from_numpy(Collection& c, ArrayLike array, const std::string& name, std::string_view device) {
  check_device(device);
  Numbers numbers = read_numbers(array.ptr());
  const Changing changing;
  return c.add_parameters(numbers.dim(), ParameterInitFromVector(std::move(numbers.values)), name);
}

LookupParameter lookup_from_numpy(Collection& c, ArrayLike array, const std::string& name,
                                  std::string_view device) {
  check_device(device);
  Numbers numbers = read_numbers(array.ptr(), true);
  const Dim dim = numbers.dim();
  const Dim row = dim.nd > 1 ? dim.without(dim.nd - 1) : Dim();
  const Changing changing;
  return c.add_lookup_parameters(dim[dim.nd - 1], row, ParameterInitFromVector(std::move(numbers.values)),
                                 name);
}

Parameter add_parameters(Collection& c, const Dim& dim, InitArgument init, const std::string& name,
                         std::string_view device, Number scale, Number mean, Number std) {
  check_device(device);
  if (is_numbers(init)) return check_shape(init, dim, false), from_numpy(c, init, name, device);
  const InitChoice choice(init, dim, {scale, mean, std});
  const Changing changing;
  return c.add_parameters(dim, *choice, name);
}

LookupParameter add_lookup(Collection& c, const Dim& dim, InitArgument init, const std::string& name,
                           std::string_view device, Number scale, Number mean, Number std) {
  check_device(device);
  const Dim row = dim.nd > 1 ? Dim(dim.d + 1, dim.nd - 1, 1) : Dim();
  if (is_numbers(init))
    return check_shape(init, dim.nd > 1 ? row.with(row.nd, dim[0]) : dim, true),
           lookup_from_numpy(c, init, name, device);
  if (nb::isinstance<NumpyInit>(init))
    invalid(
        "a NumpyInitializer was given, which has no rows; use init=array, or lookup_parameters_from_numpy");
  const InitChoice choice(init, dim, {scale, mean, std});
  const Changing changing;
  return c.add_lookup_parameters(dim[0], row, *choice, name);
}

/// What is in a collection, for repr(): its own parameters by name and shape, those of each collection in it
/// as one.
class Contents {
 public:
  explicit Contents(const Collection& c) : own_(c.get_fullname().size()) {
    const auto parameters = c.parameters_list();
    const auto tables = c.lookup_parameters_list();
    for (const auto& p : parameters) add(*p, false);
    for (const auto& t : tables) add(*t, true);
    title_ = text("ParameterCollection ", c.get_fullname(), " of ", counted(parameters.size(), "parameter"),
                  " and ", counted(tables.size(), "table"), ", ", counted(c.parameter_count(), "number"));
  }
  std::string text_of() const {
    constexpr size_t most = 20;
    std::string all = title_;
    for (size_t i = 0; i < std::min(most, lines_.size()); ++i) {
      const Line& line = lines_[i];
      all += "\n  " + line.name + ' ';
      all += line.shape.empty()
                 ? text("of ", counted(line.count, "parameter"), ", ", counted(line.numbers, "number"))
                 : line.shape;
    }
    if (lines_.size() > most) all += text("\n  and ", lines_.size() - most, " more");
    return all;
  }

 private:
  struct Line {
    std::string name, shape;  // no shape: a collection
    size_t count = 0, numbers = 0;
  };
  static std::string counted(size_t n, const char* what) { return text(n, ' ', what, n == 1 ? "" : "s"); }
  void add(const Storage& s, bool is_table) {
    const size_t inner = s.name.find('/', own_);
    if (inner == std::string::npos) {
      const char* kind = is_table ? ", a table" : "";
      lines_.push_back({s.name, text(sizes_text(s.dim, is_table), kind, s.updated ? "" : ", at rest")});
      return;
    }
    const std::string name = s.name.substr(0, inner + 1);
    auto line = std::ranges::find(lines_, name, &Line::name);
    if (line == lines_.end()) line = lines_.insert(lines_.end(), {name, ""});
    ++line->count;
    line->numbers += s.size();
  }

  const size_t own_;
  std::string title_;
  std::vector<Line> lines_;
};

template <class P, class Storages>
nb::typed<nb::list, P> handles(const Storages& storages) {
  nb::list list;
  for (const auto& storage : storages) list.append(P(storage));
  return list;
}

void bind_adding(nb::class_<Collection>& type) {
  const auto name = "name"_a = "", device = "device"_a = "";
  const auto init = "init"_a = nb::none();
  const auto scale = "scale"_a = 1.0, mean = "mean"_a = 0.0, std = "std"_a = 1.0;
  type.def("add_parameters", add_parameters, "dim"_a, init, name, device, scale, mean, std,
           docs::collection::add_parameters)
      .def("add_lookup_parameters", add_lookup, "dim"_a, init, name, device, scale, mean, std,
           docs::collection::add_lookup_parameters)
      .def("parameters_from_numpy", from_numpy, "array"_a, name, device,
           docs::collection::parameters_from_numpy)
      .def("lookup_parameters_from_numpy", lookup_from_numpy, "array"_a, name, device,
           docs::collection::lookup_parameters_from_numpy)
      .def(
          "add_subcollection",
          [](Collection& c, const std::optional<std::string>& name) {
            return c.add_subcollection(name.value_or(""));
          },
          "name"_a = nb::none(), alone, docs::collection::add_subcollection);
}

void bind_files(nb::class_<Collection>& type) {
  const auto save = [](const Collection& c, const Path& fname, const std::string& name, Flag append) {
    save_to(fname, append, c, name);
  };
  const auto populate = [](Collection& c, const Path& fname, const std::string& key) {
    with_loader(fname, [&](const auto& loader) {
      const Working working;
      loader.populate(c, key);
    });
  };
  // Method and name of its second argument, which is a key in the file.
  for (const auto& [method, key] : {std::pair("save", "name"), std::pair("write_to_textfile", "key")})
    type.def(method, save, "fname"_a, nb::arg(key) = "", "append"_a = false, docs::collection::save);
  for (const char* alias : {"populate", "populate_from_textfile"})
    type.def(alias, populate, "fname"_a, "key"_a = "", docs::collection::populate);
  type.def(
          "load_param",
          [](Collection& c, const Path& fname, const std::string& key) {
            return with_loader(fname, [&](const auto& loader) {
              const Working working;
              return loader.load_param(c, key);
            });
          },
          "fname"_a, "key"_a, docs::collection::load_param)
      .def(
          "load_lookup_param",
          [](Collection& c, const Path& fname, const std::string& key) {
            return with_loader(fname, [&](const auto& loader) {
              const Working working;
              return loader.load_lookup_param(c, key);
            });
          },
          "fname"_a, "key"_a, docs::collection::load_lookup_param);
}

/// All parameters, then all tables, with their names within the collection, from "/" on. Names that files
/// gave may be those of others here: a number follows.
std::vector<std::pair<std::string, std::shared_ptr<Storage>>> named_state(const Collection& c) {
  std::vector<std::pair<std::string, std::shared_ptr<Storage>>> all;
  std::set<std::string> given;
  compute_apart([&] {
    visit_under(c, "/", [&](const std::string& name, Storage& s) {
      std::string own = name;
      for (unsigned number = 1; !given.insert(own).second; ++number) own = text(name, '_', number);
      all.emplace_back(std::move(own), s.shared_from_this());
    });
  });
  return all;
}

nb::typed<nb::dict, nb::str, Array> state_dict(const Collection& c) {
  nb::typed<nb::dict, nb::str, Array> state;
  const auto named = named_state(c);
  std::deque<Copied> copies;
  compute_apart([&] {
    for (const auto& each : named) copies.emplace_back(*each.second);
  });
  for (const auto& each : named) {
    state[each.first.c_str()] = copies.front().array();
    copies.pop_front();
  }
  return state;
}

/// "a, b and 3 more"
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t most = 5;
  std::string list;
  for (size_t i = 0; i < std::min(names.size(), most); ++i) list += (i > 0 ? ", " : "") + names[i];
  return names.size() > most ? text(list, " and ", names.size() - most, " more") : list;
}

void load_state_dict(Collection& c, const nb::mapping& state, Flag strict) {
  if (!nb::hasattr(state, "keys"))
    throw type_error(text("load_state_dict: state is ", a_kind(state.ptr()),
                          "; a dictionary of arrays by name is needed"));
  std::map<std::string, nb::object> given;
  for (const nb::handle key : state) {
    if (!PyUnicode_Check(key.ptr()))
      throw type_error(text("load_state_dict: a key is ", a_kind(key.ptr()), "; a name is needed"));
    given.emplace(nb::cast<std::string>(key), state[key]);
  }
  struct Load {
    std::shared_ptr<Storage> storage;
    std::vector<real> numbers;
  };
  std::vector<Load> loads;
  std::vector<std::string> missing, unexpected;
  const auto add = [&](const std::string& name, Storage& s) {
    const auto found = given.find(name);
    if (found == given.end()) return missing.push_back(name);
    Numbers numbers = read_numbers(found->second.ptr(), s.is_lookup);
    if (!fits(numbers.dim(), s.dim, s.is_lookup))
      invalid("load_state_dict: the array of ", name, " has shape ", sizes_text(numbers.dim(), s.is_lookup),
              "; that of ", s.name, " is ", sizes_text(s.dim, s.is_lookup));
    loads.push_back({s.shared_from_this(), std::move(numbers.values)});
    given.erase(found);
  };
  for (const auto& [name, s] : named_state(c)) add(name, *s);
  for (const auto& [name, array] : given) unexpected.push_back(name);
  if (strict && !(missing.empty() && unexpected.empty()))
    failed("load_state_dict: ", missing.empty() ? "" : "nothing is there for " + listed(missing),
           missing.empty() || unexpected.empty() ? "" : "; ",
           unexpected.empty() ? "" : "the collection has no " + listed(unexpected),
           "; strict=False loads what is in both");
  const Changing changing;
  for (const Load& load : loads)
    if (load.numbers.size() != load.storage->size())
      invalid("load_state_dict: rows were added to ", load.storage->name, " while its array was read");
  for (const Load& load : loads) {
    load.storage->assign(load.numbers);
    load.storage->drop_gradient();
  }
}

void bind_state(nb::class_<Collection>& type) {
  type.def("state_dict", state_dict,
           "The values of all parameters and tables as arrays, by name; load_state_dict puts them back, also "
           "into another collection of the same structure. Names are those within this collection: of the "
           "root p.name(), of a sub-collection the same without its own name, from / on. The arrays are "
           "copies, as as_array() gives them.")
      .def("load_state_dict", load_state_dict, "state"_a, "strict"_a = true,
           "Gives all parameters and tables the values of a dict that state_dict() made, and drops their "
           "gradients. All of it or nothing: RuntimeError where a name is missing or too many (strict=False "
           "loads what is in both), ValueError where a shape differs.");
}

}  // namespace

void bind_collection(nb::module_& m) {
  nb::class_<Collection> type(m, "ParameterCollection", docs::collection::type);
  show_in_notebooks(type);
  type.def(
      "__init__", [](Collection* self, const std::optional<Collection>&) { new (self) Collection(); },
      "parent"_a = nb::none());
  bind_adding(type);
  bind_files(type);
  bind_state(type);
  constexpr auto decay_doc = docs::collection::set_weight_decay;
  const auto set_decay = [](Collection& c, Number lam) { c.set_weight_decay_lambda(lam); };
  type.def(
          "parameters_list",
          [](const Collection& c) {
            return handles<Parameter>(compute_apart([&] { return c.parameters_list(); }));
          },
          docs::collection::parameters_list)
      .def(
          "lookup_parameters_list",
          [](const Collection& c) {
            return handles<LookupParameter>(compute_apart([&] { return c.lookup_parameters_list(); }));
          },
          docs::collection::lookup_parameters_list)
      .def("get_weight_decay", &Collection::get_weight_decay_lambda, docs::collection::get_weight_decay)
      .def("set_weight_decay", set_decay, "lam"_a, alone, decay_doc)
      .def("set_weight_decay_lambda", set_decay, "lam"_a, alone, decay_doc)
      .def("name", &Collection::get_fullname, docs::collection::name)
      .def(
          "__eq__", [](const Collection& a, const Collection& b) { return a == b; }, nb::is_operator())
      .def("__hash__", [](const Collection& c) { return std::hash<const void*>()(c.share().get()) >> 4; })
      .def("__repr__",
           [](const Collection& c) { return compute_apart([&] { return Contents(c).text_of(); }); })
      .def(
          "parameter_count",
          [](const Collection& c) { return compute_apart([&] { return c.parameter_count(); }); },
          docs::collection::parameter_count)
      .def(
          "updated_parameter_count",
          [](const Collection& c) { return compute_apart([&] { return c.updated_parameter_count(); }); },
          docs::collection::updated_parameter_count)
      .def(
          "project_weights", [](Collection& c, Number radius) { return c.project_weights(radius); },
          "radius"_a = 1.0, alone, docs::collection::project_weights)
      .def("reset_gradient", &Collection::reset_gradient, alone, docs::collection::reset_gradient)
      .def("gradient_l2_norm", &Collection::gradient_l2_norm, alone, docs::collection::gradient_l2_norm);
  m.def(
      "_set_default_weight_decay", [](Number lam) { set_default_weight_decay(lam); }, "lam"_a,
      "The weight decay of collections made from now on.");
}

}  // namespace dynet::python
