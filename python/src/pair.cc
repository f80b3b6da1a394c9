// The two files of dy.save, as dynet/io.py writes and reads them.
#include "dynet/io/pair.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <utility>
#include <variant>
#include <vector>

#include "dynet/io/loading.h"
#include "dynet/io/text.h"
#include "python/src/casters.h"
#include "python/src/undo.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;
using What = std::variant<Parameter, LookupParameter, ParameterCollection>;

struct Saved {
  What what;
  std::string name;
};

What what_is(nb::handle object) {
  if (nb::isinstance<ParameterCollection>(object)) return nb::cast<ParameterCollection>(object);
  if (Py_TYPE(object.ptr()) == types.lookup) return nb::cast<LookupParameter>(object);
  return nb::cast<Parameter>(object);
}

void write(FileWriter& file, const Saved& saved) {
  if (const auto* collection = std::get_if<ParameterCollection>(&saved.what))
    write_records(file, *collection, saved.name);
  else if (const auto* parameter = std::get_if<Parameter>(&saved.what))
    write_record(file, parameter->get_storage(), saved.name);
  else
    write_record(file, std::get<LookupParameter>(saved.what).get_storage(), saved.name);
}

/// Writes pairs of what is saved and its name in the file, and then what `describe` says of the size and
/// the checksum of that.
void save(const Path& base, nb::list objects, nb::callable describe) {
  std::vector<Saved> all;
  for (nb::handle pair : objects) all.push_back({what_is(pair[0]), nb::cast<std::string>(pair[1])});
  PairWriter files(base);
  {
    const Working working;
    for (const Saved& each : all) write(files.data(), each);
  }
  {
    const Unlocked unlocked;
    files.data().finish();
  }
  const nb::object meta = describe(files.data().size(), files.data().checksum().value());
  const nb::bytes text = nb::cast<nb::bytes>(meta);
  const std::string_view characters(text.c_str(), text.size());
  const Unlocked unlocked;
  files.meta().write(characters);
  files.commit();
}

/// What `load_one` makes of each description: all of them, or nothing is added to the collection.
nb::list load(ParameterCollection collection, std::shared_ptr<Records> file, nb::list described,
              nb::callable load_one) {
  const auto loading = std::make_shared<Loading>(std::move(collection), std::move(file));
  nb::list loaded;
  try {
    const auto noted = loading->note();
    for (nb::handle each : described) loaded.append(load_one(loading, each));
    const Working working;
    loading->commit();
  } catch (...) {
    take_out([&] { loading->undo(); }, std::current_exception());
  }
  return loaded;
}

using Apart = nb::call_guard<Unlocked>;
/// Waits for who computes, then for nobody.
using Alone = nb::call_guard<Working>;

/// The checksum of the first bytes; none where there are fewer.
std::optional<uint32_t> checksum(const Records& records, size_t size) {
  const std::string_view text = records.content().text();
  if (text.size() < size) return std::nullopt;
  Checksum sum;
  sum.add(text.substr(0, size));
  return sum.value();
}

void bind_read(nb::module_& m) {
  nb::class_<Records>(m, "_RecordsFile", "A file that was read once.")
      .def(nb::init<const Path&>(), "path"_a, Apart())
      .def("checksum", checksum, "size"_a, Apart())
      .def_prop_ro("size", [](const Records& r) { return r.content().text().size(); })
      .def_prop_ro("identity", [](const Records& r) { return r.content().identity(); });
  m.def("_identity_of", identity_of, "file"_a, Apart());
  nb::class_<Loading>(m, "_Loading", "Adds to a collection what a file holds, or nothing.")
      .def("load_param", &Loading::load_param, "key"_a, Alone())
      .def("load_lookup_param", &Loading::load_lookup_param, "key"_a, Alone())
      .def("populate", &Loading::populate, "collection"_a, "key"_a, Alone())
      .def("limit", &Loading::limit, "key"_a, Alone())
      .def("lift", &Loading::lift);
}

}  // namespace

void bind_pair(nb::module_& m) {
  bind_read(m);
  m.def("_save", save, "base"_a, "objects"_a, "describe"_a);
  m.def("_load", load, "collection"_a, "file"_a, "described"_a, "load_one"_a);
  m.def(
      "_partial_files",
      [](const Path& file) {
        nb::typed<nb::list, nb::str> names;
        for (const Path& name : partial_files(behind_links(file))) names.append(nb::cast(name));
        return names;
      },
      "file"_a);
}

}  // namespace dynet::python
