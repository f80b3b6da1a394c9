// All that a model file holds, as arrays by name, without a collection that would fit it.
#include <nanobind/stl/string.h>

#include <string_view>
#include <utility>
#include <vector>

#include "dynet/io/records.h"
#include "dynet/io/safetensors_header.h"
#include "python/src/casters.h"
#include "python/src/numbers.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;

/// A name of a file, which may hold any bytes.
nb::object name_of(std::string_view name) {
  PyObject* text =
      PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), "backslashreplace");
  if (!text) nb::raise_python_error();
  return nb::steal(text);
}

/// The numbers as as_array() of the parameter or table would give them.
Array array_of_record(const Record& record, const std::vector<real>& values) {
  const Dim& dim = record.dim;
  if (!record.is_lookup) return array_of(dim, values.data());
  const Dim row = dim.nd > 1 ? dim.without(dim.nd - 1) : Dim();
  const size_t rows = dim[dim.nd - 1];
  const NewArray table = dim.nd > 1 ? NewArray::of_rows(row, rows) : NewArray(dim);
  if (dim.nd == 1) return table.write(values.data()), table.array;
  for (size_t i = 0; i < rows; ++i) table.write(values.data() + i * row.size(), i);
  return table.array;
}

/// (name, whether it is a table, values, whether it has a gradient) of each record.
nb::list text_file(const Path& file) {
  const auto open = [&] {
    const Unlocked unlocked;
    return Records(file);
  };
  Records records = open();
  nb::list all;
  for (size_t i = 0;; ++i) {
    const auto next = [&]() -> std::pair<const Record*, engine::Numbers> {
      const Unlocked unlocked;
      const Record* record = records.at(i);
      return {record, record ? records.read(*record) : engine::Numbers{}};
    };
    const auto [record, numbers] = next();
    if (!record) return all;
    all.append(nb::make_tuple(name_of(record->name), record->is_lookup,
                              array_of_record(*record, numbers.values), !numbers.gradient.empty()));
  }
}

/// (name, type, shape, bytes) of each tensor.
nb::list safetensors_file(const Path& path) {
  const FileParts file(path);
  const SafetensorsHeader header = read_header(file);
  nb::list all;
  for (const TensorEntry& e : header.entries) {
    nb::list shape;
    for (const size_t n : e.shape) shape.append(n);
    const FileParts::Bytes bytes = read_tensor(file, header, e);
    all.append(
        nb::make_tuple(name_of(e.name), e.type.c_str(), nb::tuple(shape), nb::bytes(bytes.get(), e.size())));
  }
  return all;
}

/// Replaces a file in one step by these bytes.
void write_file(const Path& path, nb::bytes bytes) {
  const std::string_view content(bytes.c_str(), bytes.size());
  const Unlocked unlocked;
  FileWriter file(path, Writing::replace);
  file.write(content);
  file.commit();
}

/// Writes what safetensors_file() reads.
void write_safetensors(const Path& path, nb::list tensors) {
  std::vector<TensorEntry> entries;
  std::vector<std::string_view> parts;  // of bytes that the list keeps
  size_t end = 0;
  for (const nb::handle each : tensors) {
    const auto bytes = nb::cast<nb::bytes>(each[3]);
    TensorEntry e{
        nb::cast<std::string>(each[0]), nb::cast<std::string>(each[1]), {}, end, end += bytes.size(), {}};
    for (const nb::handle n : each[2]) e.shape.push_back(nb::cast<size_t>(n));
    e.sum = checksum_of({bytes.c_str(), bytes.size()});
    entries.push_back(std::move(e));
    parts.emplace_back(bytes.c_str(), bytes.size());
  }
  const Unlocked unlocked;
  FileWriter file(path, Writing::replace);
  file.write(write_header(entries));
  for (const std::string_view bytes : parts) file.write(bytes);
  file.commit();
}

}  // namespace

void bind_model_files(nb::module_& m) {
  m.def("_text_file", text_file, "file"_a);
  m.def("_safetensors_file", safetensors_file, "file"_a);
  m.def("_write_file", write_file, "file"_a, "bytes"_a);
  m.def("_write_safetensors", write_safetensors, "file"_a, "tensors"_a);
}

}  // namespace dynet::python
