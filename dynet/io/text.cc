// Reading and writing DyNet 2's text format.
#include "dynet/io/text.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "dynet/io/file.h"
#include "dynet/io/keys.h"
#include "dynet/io/number.h"

namespace dynet {

using namespace engine;
namespace {

constexpr std::string_view parameter_tag = "#Parameter#", lookup_tag = "#LookupParameter#";

std::string dim_text(const Dim& dim) {
  std::string out = "{";
  for (unsigned i = 0; i < dim.nd; ++i) {
    if (i) out += ',';
    out += std::to_string(dim.d[i]);
  }
  return out += '}';
}

void write_line(FileWriter& out, const Buffer& numbers, real factor) {
  char text[64 * max_number_size];
  for (size_t i = 0; i < numbers.size();) {
    char* at = text;
    for (const size_t stop = std::min(numbers.size(), i + 64); i < stop; ++i)
      at = write_number(numbers[i] * factor, at);
    out.write({text, static_cast<size_t>(at - text)});
  }
  out.write("\n");
}

/// Characters of the line that write_line writes.
size_t line_size(const Buffer& numbers, real factor) {
  size_t size = 1;
  for (real x : numbers) size += number_size(x * factor);
  return size;
}

void write_record(FileWriter& out, const Storage& s, const std::string& name) {
  const real factor = s.decay->factor;
  const size_t size = line_size(s.values, factor) + (s.nonzero ? line_size(s.gradient, 1) : 0);
  out.write(s.is_lookup ? lookup_tag : parameter_tag);
  out.write(' ' + name + ' ' + dim_text(s.dim) + ' ' + std::to_string(size));
  out.write(s.nonzero ? " FULL_GRAD\n" : " ZERO_GRAD\n");
  write_line(out, s.values, factor);
  if (s.nonzero) write_line(out, s.gradient, 1);
}

void save_one(const std::filesystem::path& file, bool append, const Storage& s, const std::string& key) {
  const std::string& name = name_in_file(s, key);
  FileWriter out(file, append);
  write_record(out, s, name);
  out.commit();
}

/// The header line of a record.
struct Record {
  bool is_lookup = false, has_gradient = true;
  std::string_view name;
  Dim dim;
  size_t line = 0;
};

/// The numbers of a record. They go into a parameter when the whole file has been understood.
struct Numbers {
  Record record;
  Buffer values, gradient;

  /// As in DyNet, a gradient that was saved comes back, but does not count as used.
  template <class S>
  void copy_to(S& s) const {
    s.clear_gradient();
    s.gradient.clear();
    if (!gradient.empty()) std::copy(gradient.begin(), gradient.end(), s.gradient.begin());
    s.assign({values.data(), values.size()});
  }
};

/// Goes through a file record by record.
class TextReader {
 public:
  explicit TextReader(const std::filesystem::path& file)
      : file_(file), content_(file), rest_(content_.text()) {}

  /// The next header, or false at the end of the file.
  bool next(Record& r) {
    std::string_view line;
    do {
      if (rest_.empty()) return false;
      line = take_line("a header is");
    } while (line.find_first_not_of(" \t\r") == std::string_view::npos);
    r.line = line_;
    if (!parse_header(line, r)) bad("Bad parameter specification in model: ", line.substr(0, 200));
    name_ = r.name;
    return true;
  }

  Numbers read(const Record& r) {
    Numbers n{r, Buffer(r.dim.size()), {}};
    parse_line(take_line("the values are"), n.values, "values");
    if (!r.has_gradient) return n;
    n.gradient = Buffer(r.dim.size());
    parse_line(take_line("the gradient is"), n.gradient, "gradient");
    return n;
  }

  void skip(const Record& r) {
    take_line("the values are");
    if (r.has_gradient) take_line("the gradient is");
  }

  template <class... T>
  [[noreturn]] void bad(const T&... what) const {
    if (name_.empty()) bad_file(what..., " (", file_.string(), ", line ", line_, ")");
    bad_file(what..., " (", file_.string(), ", line ", line_, ", parameter ", name_, ")");
  }

 private:
  std::string_view take_line(const char* what) {
    ++line_;
    const size_t size = rest_.find('\n');
    if (size == std::string_view::npos) bad("The model file ends too early: ", what, " missing or cut off");
    const std::string_view line = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    return line;
  }

  void parse_line(std::string_view line, Buffer& numbers, const char* what) const {
    const char *at = line.data(), *end = at + line.size();
    for (size_t i = 0; i < numbers.size(); ++i) {
      const char* next = read_number(at, end, numbers[i]);
      if (!next) bad("Number ", i + 1, " of ", numbers.size(), " of the ", what, " is missing or damaged");
      at = next;
    }
    if (line.find_first_not_of(" \t\r", static_cast<size_t>(at - line.data())) != std::string_view::npos)
      bad("The line of the ", what, " has more than ", numbers.size(), " numbers");
  }

  static bool parse_header(std::string_view line, Record& r);

  std::filesystem::path file_;
  FileContent content_;
  std::string_view rest_, name_;
  size_t line_ = 0;
};

/// Takes the last word off the line.
std::string_view take_last_word(std::string_view& line) {
  const size_t end = line.find_last_not_of(" \t\r");
  line = line.substr(0, end == std::string_view::npos ? 0 : end + 1);
  const size_t space = line.find_last_of(' ');
  const size_t start = space == std::string_view::npos ? 0 : space + 1;
  const std::string_view word = line.substr(start);
  line = line.substr(0, start);
  return word;
}

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "{2,3}" with sizes whose product a file could hold.
bool parse_dim(std::string_view word, Dim& dim) {
  if (word.size() < 2 || word.front() != '{' || word.back() != '}') return false;
  dim = Dim();
  size_t numbers = 1;
  for (const char *at = word.data() + 1, *end = word.data() + word.size() - 1; at < end;) {
    unsigned size;
    const auto [rest, error] = std::from_chars(at, end, size);
    if (error != std::errc() || dim.nd == Dim::max_dims || (rest != end && *rest != ',')) return false;
    dim.d[dim.nd++] = size;
    numbers *= size;
    if (numbers >> 40) return false;
    at = rest + (rest != end);
  }
  return dim.nd > 0;
}

bool TextReader::parse_header(std::string_view line, Record& r) {
  // From the right, because DyNet lets names hold spaces.
  std::string_view word = take_last_word(line);
  r.has_gradient = word != "ZERO_GRAD";
  if (word == "ZERO_GRAD" || word == "FULL_GRAD") word = take_last_word(line);
  if (!is_number(word) || !parse_dim(take_last_word(line), r.dim)) return false;
  for (const std::string_view tag : {parameter_tag, lookup_tag}) {
    if (line.substr(0, tag.size()) != tag || line.size() < tag.size() + 3) continue;
    r.is_lookup = tag == lookup_tag;
    r.name = line.substr(tag.size() + 1, line.size() - tag.size() - 2);
    return line[tag.size()] == ' ';
  }
  return false;
}

/// The record of that kind whose name is the key.
Numbers find(const std::filesystem::path& file, bool is_lookup, const std::string& key) {
  TextReader reader(file);
  for (Record r; reader.next(r);) {
    if (r.is_lookup == is_lookup && r.name == key) return reader.read(r);
    reader.skip(r);
  }
  bad_file("Could not find key ", key, " in the model file ", file.string());
}

void check_key(const std::string& key, const char* caller) {
  if (key.empty()) invalid("TextFileLoader.", caller, "() requires non-empty key");
}

template <class S>
void populate_one(const std::filesystem::path& file, S& s, const std::string& key) {
  check_key(key, "populate");
  const Numbers n = find(file, s.is_lookup, key);
  if (!(n.record.dim == s.dim))
    bad_file("Attempted to populate parameter where arguments don't match (", s.dim, " != ", n.record.dim,
             "): ", key, " in ", file.string(), ", line ", n.record.line);
  n.copy_to(s);
}

/// Leaves a new parameter as it was made: zero.
struct Untouched : ParameterInit {
  void initialize_params(Tensor&) const override {}
};

}  // namespace

TextFileSaver::TextFileSaver(std::filesystem::path file, bool append)
    : file_(std::move(file)), append_(append) {
  const auto folder = file_.has_parent_path() ? file_.parent_path() : ".";
  std::error_code none;
  if (std::filesystem::is_directory(file_, none) || !std::filesystem::is_directory(folder, none))
    failed("Could not write model to ", file_.string(), ": it is a folder, or in none that exists");
}

void TextFileSaver::save(const ParameterCollection& collection, const std::string& key) {
  std::vector<std::pair<std::string, const Storage*>> named;
  visit_named(collection, key,
              [&](std::string name, const Storage& s) { named.emplace_back(std::move(name), &s); });
  FileWriter out(file_, append_);
  for (const auto& [name, storage] : named) write_record(out, *storage, name);
  out.commit();
  append_ = true;
}

void TextFileSaver::save(const Parameter& parameter, const std::string& key) {
  save_one(file_, append_, parameter.get_storage(), key);
  append_ = true;
}

void TextFileSaver::save(const LookupParameter& lookup, const std::string& key) {
  save_one(file_, append_, lookup.get_storage(), key);
  append_ = true;
}

void TextFileLoader::populate(ParameterCollection& collection, const std::string& key) const {
  const auto& parameters = collection.parameters_list();
  const auto& lookups = collection.lookup_parameters_list();
  const std::string prefix = prefix_of(key);
  std::vector<Numbers> of_parameters, of_lookups;
  TextReader reader(file_);
  for (Record r; reader.next(r);) {
    if (r.name.substr(0, prefix.size()) != prefix) {
      reader.skip(r);
      continue;
    }
    auto& read = r.is_lookup ? of_lookups : of_parameters;
    const char* kind = r.is_lookup ? "lookup parameter" : "parameter";
    if (read.size() == (r.is_lookup ? lookups.size() : parameters.size()))
      reader.bad("Too many ", kind, "s in populated model at ", r.name);
    const Dim& dim = r.is_lookup ? lookups[read.size()]->dim : parameters[read.size()]->dim;
    if (!(r.dim == dim))
      reader.bad("Dimensions of ", kind, ' ', r.name, " looked up from file (", r.dim,
                 ") do not match parameters to be populated (", dim, ')');
    read.push_back(reader.read(r));
  }
  if (of_parameters.size() != parameters.size() || of_lookups.size() != lookups.size())
    failed("Number of parameter/lookup parameter objects loaded from file (", of_parameters.size(), '/',
           of_lookups.size(), ") did not match number to be populated (", parameters.size(), '/',
           lookups.size(), "): ", file_.string());
  for (size_t i = 0; i < parameters.size(); ++i) of_parameters[i].copy_to(*parameters[i]);
  for (size_t i = 0; i < lookups.size(); ++i) of_lookups[i].copy_to(*lookups[i]);
}

void TextFileLoader::populate(Parameter& parameter, const std::string& key) const {
  populate_one(file_, parameter.get_storage(), key);
}

void TextFileLoader::populate(LookupParameter& lookup, const std::string& key) const {
  populate_one(file_, lookup.get_storage(), key);
}

Parameter TextFileLoader::load_param(ParameterCollection& collection, const std::string& key) const {
  check_key(key, "load_param");
  const Numbers n = find(file_, false, key);
  Parameter parameter = collection.add_parameters(n.record.dim, Untouched());
  n.copy_to(parameter.get_storage());
  parameter.get_storage().name = key;
  return parameter;
}

LookupParameter TextFileLoader::load_lookup_param(ParameterCollection& collection,
                                                  const std::string& key) const {
  check_key(key, "load_lookup_param");
  const Numbers n = find(file_, true, key);
  Dim row = n.record.dim;
  const unsigned rows = row.d[--row.nd];
  row.d[row.nd] = 0;
  LookupParameter lookup = collection.add_lookup_parameters(rows, row, Untouched());
  n.copy_to(lookup.get_storage());
  lookup.get_storage().name = key;
  return lookup;
}

void save_dynet_model(const std::string& file, ParameterCollection* collection) {
  TextFileSaver(file).save(*collection, "/model");
}

void load_dynet_model(const std::string& file, ParameterCollection* collection) {
  TextFileLoader(file).populate(*collection, "/model");
}

}  // namespace dynet
