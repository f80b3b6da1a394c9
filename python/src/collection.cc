// ParameterCollection: what is learned, by name, and its model files.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "python/src/casters.h"
#include "python/src/files.h"
#include "python/src/initializers.h"
#include "python/src/numbers.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;
using Collection = ParameterCollection;

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
  const Dim row = dim.nd > 1 ? dim.without(dim.nd - 1) : Dim{1};
  const Changing changing;
  return c.add_lookup_parameters(dim[dim.nd - 1], row, ParameterInitFromVector(std::move(numbers.values)),
                                 name);
}

Parameter add_parameters(Collection& c, const Dim& dim, InitArgument init, const std::string& name,
                         std::string_view device, Number scale, Number mean, Number std) {
  check_device(device);
  if (is_array(init.ptr())) return from_numpy(c, init, name, device);
  const InitChoice choice(init, dim, {scale, mean, std});
  const Changing changing;
  return c.add_parameters(dim, *choice, name);
}

LookupParameter add_lookup(Collection& c, const Dim& dim, InitArgument init, const std::string& name,
                           std::string_view device, Number scale, Number mean, Number std) {
  check_device(device);
  if (is_array(init.ptr())) return lookup_from_numpy(c, init, name, device);
  if (nb::isinstance<ParameterInitFromVector>(init))
    invalid(
        "Do not use NumpyInitializer with add_lookup_parameters, use lookup_parameters_from_numpy instead");
  const Dim row = dim.nd > 1 ? Dim(dim.d + 1, dim.nd - 1, 1) : Dim{1};
  const InitChoice choice(init, dim, {scale, mean, std});
  const Changing changing;
  return c.add_lookup_parameters(dim[0], row, *choice, name);
}

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
  type.def(
          "add_parameters", add_parameters, "dim"_a, init, name, device, scale, mean, std,
          "Adds a parameter. init: a number, an array (whose shape counts), an initializer, or 'glorot' (the "
          "default), 'he', 'uniform' (within scale), 'normal' (mean, std), 'identity'.")
      .def("add_lookup_parameters", add_lookup, "dim"_a, init, name, device, scale, mean, std,
           "Adds a table; the first size of dim is the number of rows. init as in add_parameters.")
      .def("parameters_from_numpy", from_numpy, "array"_a, name, device,
           "Adds a parameter with an array's numbers.")
      .def("lookup_parameters_from_numpy", lookup_from_numpy, "array"_a, name, device,
           "Adds a table with an array's numbers; its first axis is that of the rows.")
      .def(
          "add_subcollection",
          [](Collection& c, const std::optional<std::string>& name) {
            return c.add_subcollection(name.value_or(""));
          },
          "name"_a = nb::none(), alone, "Adds a collection whose parameters are also listed in this one.");
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
    type.def(
        method, save, "fname"_a, nb::arg(key) = "", "append"_a = false,
        "Writes all parameters to a file; a name replaces that of the collection. The file has DyNet 2's "
        "text format, or, if its name ends in .safetensors, the format of that name: tensors as as_array() "
        "gives them, by name, without gradients.");
  for (const char* alias : {"populate", "populate_from_textfile"})
    type.def(
        alias, populate, "fname"_a, "key"_a = "",
        "Reads all parameters from what a file holds under a key, or from all of it: in order, or by name "
        "from a .safetensors file.");
  type.def(
          "load_param",
          [](Collection& c, const Path& fname, const std::string& key) {
            return with_loader(fname, [&](const auto& loader) {
              const Working working;
              return loader.load_param(c, key);
            });
          },
          "fname"_a, "key"_a, "Adds the parameter that a file holds under a key.")
      .def(
          "load_lookup_param",
          [](Collection& c, const Path& fname, const std::string& key) {
            return with_loader(fname, [&](const auto& loader) {
              const Working working;
              return loader.load_lookup_param(c, key);
            });
          },
          "fname"_a, "key"_a, "Adds the table that a file holds under a key.");
}

}  // namespace

void bind_collection(nb::module_& m) {
  nb::class_<Collection> type(m, "ParameterCollection",
                              "A tree of named parameters; `parent` has no effect.");
  type.def(
      "__init__", [](Collection* self, const std::optional<Collection>&) { new (self) Collection(); },
      "parent"_a = nb::none());
  bind_adding(type);
  bind_files(type);
  const auto set_decay = [](Collection& c, Number lam) { c.set_weight_decay_lambda(lam); };
  type.def(
          "parameters_list",
          [](const Collection& c) {
            return handles<Parameter>(compute_apart([&] { return c.parameters_list(); }));
          },
          "All parameters, in order of creation.")
      .def(
          "lookup_parameters_list",
          [](const Collection& c) {
            return handles<LookupParameter>(compute_apart([&] { return c.lookup_parameters_list(); }));
          },
          "All tables, in order of creation.")
      .def("get_weight_decay", &Collection::get_weight_decay_lambda, "The weight decay of each update.")
      .def("set_weight_decay", set_decay, "lam"_a, alone, "Sets the weight decay of each update.")
      .def("set_weight_decay_lambda", set_decay, "lam"_a, alone, "Sets the weight decay of each update.")
      .def("name", &Collection::get_fullname, "The full name, from / on.")
      .def(
          "parameter_count",
          [](const Collection& c) { return compute_apart([&] { return c.parameter_count(); }); },
          "How many numbers are learned.")
      .def(
          "updated_parameter_count",
          [](const Collection& c) { return compute_apart([&] { return c.updated_parameter_count(); }); },
          "How many numbers are in parameters that trainers change.")
      .def(
          "project_weights", [](Collection& c, Number radius) { return c.project_weights(radius); },
          "radius"_a = 1.0, alone,
          "Scales all parameters that trainers change so that their norm together is at most radius; returns "
          "the norm before.")
      .def("reset_gradient", &Collection::reset_gradient, alone, "Sets all gradients to zero.")
      .def("gradient_l2_norm", &Collection::gradient_l2_norm, alone, "The norm of all gradients together.");
  m.def(
      "_set_default_weight_decay", [](Number lam) { set_default_weight_decay(lam); }, "lam"_a,
      "The weight decay of collections made from now on.");
}

}  // namespace dynet::python
