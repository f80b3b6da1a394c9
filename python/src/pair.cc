// The two files of dy.save, as dynet/io.py writes and reads them.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <variant>

#include "dynet/io/file.h"
#include "dynet/io/loading.h"
#include "dynet/io/text.h"
#include "python/src/casters.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;
using Saved = std::variant<Parameter, LookupParameter, ParameterCollection>;

std::vector<Saved> saved_in(nb::list objects) {
  std::vector<Saved> all;
  for (nb::handle object : objects) {
    if (nb::isinstance<ParameterCollection>(object))
      all.emplace_back(nb::cast<ParameterCollection>(object));
    else if (Py_TYPE(object.ptr()) == types.lookup)
      all.emplace_back(nb::cast<LookupParameter>(object));
    else
      all.emplace_back(nb::cast<Parameter>(object));
  }
  return all;
}

/// Writes all of them while nobody changes them.
void save(FileWriter& file, nb::list objects) {
  const std::vector<Saved> all = saved_in(objects);
  const Working working;
  for (const Saved& each : all) {
    if (const auto* collection = std::get_if<ParameterCollection>(&each))
      write_records(file, *collection);
    else if (const auto* parameter = std::get_if<Parameter>(&each))
      write_record(file, parameter->get_storage());
    else
      write_record(file, std::get<LookupParameter>(each).get_storage());
  }
}

using Apart = nb::call_guard<Unlocked>;
/// Waits for who computes, then for nobody.
using Alone = nb::call_guard<Working>;

void bind_written(nb::module_& m) {
  nb::class_<FileWriter>(m, "_PartialFile", "A file beside the one that it is to replace.")
      .def(
          "__init__",
          [](FileWriter* self, const Path& path) { new (self) FileWriter(path, Writing::beside); }, "path"_a)
      .def("save", save, "objects"_a)
      .def(
          "write", [](FileWriter& f, nb::bytes text) { f.write({text.c_str(), text.size()}); }, "text"_a)
      .def("finish", &FileWriter::finish, Apart())
      .def_prop_ro("partial", &FileWriter::partial)
      .def_prop_ro("target", &FileWriter::target)
      .def_prop_ro("size", &FileWriter::size)
      .def_prop_ro("checksum", [](const FileWriter& f) { return f.checksum().value(); });
  m.def("_sync_folder_of", sync_folder_of, "file"_a, Apart());
  m.def("_behind_links", behind_links, "file"_a, Apart());
  m.def(
      "_partial_files",
      [](const Path& file) {
        nb::typed<nb::list, Path> names;
        for (const Path& name : partial_files(file)) names.append(nb::cast(name));
        return names;
      },
      "file"_a);
  m.def("_remove_dead_partials", remove_dead_partials, "file"_a, Apart());
}

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
  m.def("_identity_of", [](const Path& file) { return identity_of(file); }, "file"_a, Apart());
  nb::class_<Loading>(m, "_Loading", "Adds to a collection what a file holds, or nothing.")
      .def(nb::init<ParameterCollection, std::shared_ptr<Records>>(), "collection"_a, "file"_a)
      .def("load_param", &Loading::load_param, "key"_a, Alone())
      .def("load_lookup_param", &Loading::load_lookup_param, "key"_a, Alone())
      .def("populate", &Loading::populate, "collection"_a, "key"_a, Alone())
      .def("limit", &Loading::limit, "key"_a, Alone())
      .def("lift", &Loading::lift)
      .def("commit", &Loading::commit, Alone())
      .def("undo", &Loading::undo, Alone());
}

}  // namespace

void bind_pair(nb::module_& m) {
  bind_written(m);
  bind_read(m);
}

}  // namespace dynet::python
