// Reading and writing DyNet 2's text format.
#include "dynet/io/text.h"

#include <algorithm>
#include <string_view>

#include "dynet/io/file.h"
#include "dynet/io/keys.h"
#include "dynet/io/number.h"
#include "dynet/io/records.h"

namespace dynet {

using namespace engine;
namespace {

std::string dim_text(const Dim& dim) {
  std::string out = "{";
  for (unsigned i = 0; i < dim.nd; ++i) {
    if (i) out += ',';
    out += std::to_string(dim.d[i]);
  }
  return out += '}';
}

/// Writes one record, with its checksum behind the last number.
class RecordWriter {
 public:
  explicit RecordWriter(FileWriter& out) : out_(out) {}

  void write(const Storage& s, const std::string& name) {
    const real factor = s.decay_factor;
    const bool gradient = s.nonzero && s.updated;
    const OnHost values(s.numbers.data(), s.size());
    const OnHost gradients(gradient ? s.gradient.numbers().data() : nullptr, gradient ? s.size() : 0);
    const size_t numbers = line_size(values, factor) + (gradient ? line_size(gradients, 1) : 0);
    put(text(s.is_lookup ? lookup_tag : parameter_tag, ' ', name, ' ', dim_text(s.dim), ' ',
             numbers + checksum_size, gradient ? " FULL_GRAD\n" : " ZERO_GRAD\n"));
    write_line(values, factor);
    if (gradient) {
      put("\n");
      write_line(gradients, 1);
    }
    put(checksum_tag);
    out_.write(sum_.digits() + '\n');
  }

 private:
  void put(std::string_view text) {
    sum_.add(text);
    out_.write(text);
  }
  void write_line(std::span<const real> numbers, real factor) {
    char text[64 * max_number_size];
    for (size_t i = 0; i < numbers.size();) {
      char* at = text;
      for (const size_t stop = std::min(numbers.size(), i + 64); i < stop; ++i)
        at = write_number(numbers[i] * factor, at);
      put({text, static_cast<size_t>(at - text)});
    }
  }
  /// Characters of the line, with its end.
  static size_t line_size(std::span<const real> numbers, real factor) {
    size_t size = 1;
    for (real x : numbers) size += number_size(x * factor);
    return size;
  }

  FileWriter& out_;
  Checksum sum_;
};

std::unique_ptr<FileWriter> written(const std::filesystem::path& file, bool append, const Storage& s,
                                    const std::string& key) {
  auto out = std::make_unique<FileWriter>(file, append);
  write_record(*out, s, name_in_file(s, key));
  return out;
}

template <class S>
void populate_one(Records& records, S& s, const std::string& key) {
  check_key(key, "populate");
  const Record& record = records.find(s.is_lookup, key);
  if (!fits(record.dim, s.dim, s.is_lookup))
    bad_file("Attempted to populate parameter where arguments don't match (", s.dim, " != ", record.dim,
             "): ", key, " in ", records.file().string(), ", line ", record.line);
  records.read(record).copy_to(s);
}

}  // namespace

void engine::write_records(FileWriter& out, const ParameterCollection& collection,
                           const std::string& prefix) {
  visit_under(collection, prefix,
              [&](const std::string& name, const Storage& s) { write_record(out, s, name); });
}

void engine::write_record(FileWriter& out, const Storage& s, const std::string& name) {
  RecordWriter(out).write(s, name);
}

TextFileSaver::TextFileSaver(std::filesystem::path file, bool append)
    : file_(std::move(file)), append_(append) {
  check_place(behind_links(file_));
}

std::unique_ptr<FileWriter> TextFileSaver::write(const ParameterCollection& collection,
                                                 const std::string& key) const {
  auto out = std::make_unique<FileWriter>(file_, append_);
  visit_named(collection, key,
              [&](const std::string& name, const Storage& s) { write_record(*out, s, name); });
  return out;
}

std::unique_ptr<FileWriter> TextFileSaver::write(const Parameter& parameter, const std::string& key) const {
  return written(file_, append_, parameter.get_storage(), key);
}

std::unique_ptr<FileWriter> TextFileSaver::write(const LookupParameter& lookup,
                                                 const std::string& key) const {
  return written(file_, append_, lookup.get_storage(), key);
}

void TextFileSaver::save(const ParameterCollection& collection, const std::string& key) {
  commit([&] { return write(collection, key); }), append_ = true;
}

void TextFileSaver::save(const Parameter& parameter, const std::string& key) {
  commit([&] { return write(parameter, key); }), append_ = true;
}

void TextFileSaver::save(const LookupParameter& lookup, const std::string& key) {
  commit([&] { return write(lookup, key); }), append_ = true;
}

std::shared_ptr<Records> TextFileLoader::records() const {
  return records_ ? records_ : std::make_shared<Records>(file_);
}

void TextFileLoader::populate(ParameterCollection& collection, const std::string& key) const {
  prepare(collection, key)();
}

std::function<void()> TextFileLoader::prepare(const ParameterCollection& collection,
                                              const std::string& key) const {
  const auto& parameters = collection.parameters_list();
  const auto& lookups = collection.lookup_parameters_list();
  const std::string prefix = prefix_of(key);
  struct Read {
    std::vector<std::pair<std::shared_ptr<ParameterStorage>, Numbers>> parameters;
    std::vector<std::pair<std::shared_ptr<LookupParameterStorage>, Numbers>> lookups;
  };
  const auto all = std::make_shared<Read>();
  auto& [of_parameters, of_lookups] = *all;
  const auto records = this->records();
  for (size_t place = 0; const Record* r = records->at(place); ++place) {
    if (!r->name.starts_with(prefix)) continue;
    const auto read = [&](const char* kind, const auto& list, auto& into) {
      if (into.size() == list.size()) records->bad(r, "Too many ", kind, "s in populated model at ", r->name);
      const auto& s = list[into.size()];
      if (!fits(r->dim, s->dim, r->is_lookup))
        records->bad(r, "Dimensions of ", kind, ' ', r->name, " looked up from file (", r->dim,
                     ") do not match parameters to be populated (", s->dim, ')');
      into.emplace_back(s, records->read(*r));
    };
    if (r->is_lookup)
      read("lookup parameter", lookups, of_lookups);
    else
      read("parameter", parameters, of_parameters);
  }
  if (of_parameters.size() != parameters.size() || of_lookups.size() != lookups.size())
    failed("Number of parameter/lookup parameter objects loaded from file (", of_parameters.size(), '/',
           of_lookups.size(), ") did not match number to be populated (", parameters.size(), '/',
           lookups.size(), "): ", file_.string());
  return [all] {
    for (const auto& [s, numbers] : all->parameters) numbers.copy_to(*s);
    for (const auto& [s, numbers] : all->lookups) numbers.copy_to(*s);
  };
}

void TextFileLoader::populate(Parameter& parameter, const std::string& key) const {
  populate_one(*records(), parameter.get_storage(), key);
}

void TextFileLoader::populate(LookupParameter& lookup, const std::string& key) const {
  populate_one(*records(), lookup.get_storage(), key);
}

Parameter TextFileLoader::load_param(ParameterCollection& collection, const std::string& key) const {
  check_key(key, "load_param");
  const auto records = this->records();
  const Record& record = records->find(false, key);
  const Numbers n = records->read(record);
  Parameter parameter = collection.add_parameters(record.dim, Untouched());
  n.copy_to(parameter.get_storage());
  give_name(parameter.get_storage(), key);
  return parameter;
}

LookupParameter TextFileLoader::load_lookup_param(ParameterCollection& collection,
                                                  const std::string& key) const {
  check_key(key, "load_lookup_param");
  const auto records = this->records();
  const Record& record = records->find(true, key);
  const Numbers n = records->read(record);
  Dim row = record.dim;
  const unsigned rows = row.d[--row.nd];
  row.d[row.nd] = 0;
  LookupParameter lookup = collection.add_lookup_parameters(rows, row, Untouched());
  n.copy_to(lookup.get_storage());
  give_name(lookup.get_storage(), key);
  return lookup;
}

void save_dynet_model(const std::string& file, ParameterCollection* collection) {
  TextFileSaver(file).save(*collection, "/model");
}

void load_dynet_model(const std::string& file, ParameterCollection* collection) {
  TextFileLoader(file).populate(*collection, "/model");
}

}  // namespace dynet
