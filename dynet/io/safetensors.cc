// Tensors by rows, as files hold them, from and to our tensors by columns.
#include "dynet/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <set>
#include <type_traits>

#include "dynet/io/file.h"
#include "dynet/io/keys.h"
#include "dynet/io/safetensors_header.h"

namespace dynet {

using namespace engine;
namespace {

constexpr auto own_type = std::is_same_v<real, float> ? "F32" : "F64";

/// The sizes as other toolkits see them: those of as_array().
std::vector<size_t> shape_of(const Dim& dim, bool is_lookup) {
  std::vector<size_t> shape(dim.d, dim.d + dim.nd);
  if (is_lookup) std::rotate(shape.begin(), shape.end() - 1, shape.end());
  return shape;
}

/// Calls visit(offset in our storage) for each number in the order of the file.
template <class Visit>
void visit_by_rows(const Dim& dim, bool is_lookup, Visit visit) {
  // Our axes from the one that changes slowest in the file; a table's rows come first there.
  unsigned axes[Dim::max_dims], at[Dim::max_dims] = {};
  size_t stride[Dim::max_dims], step = 1;
  for (unsigned i = 0; i < dim.nd; ++i) axes[i] = is_lookup ? (i + dim.nd - 1) % dim.nd : i;
  for (unsigned i = 0; i < dim.nd; step *= dim.d[i++]) stride[i] = step;
  size_t offset = 0;
  for (size_t i = 0, count = dim.size(); i < count; ++i) {
    visit(offset);
    for (unsigned k = dim.nd; k-- > 0;) {
      const unsigned axis = axes[k];
      offset += stride[axis];
      if (++at[axis] < dim.d[axis]) break;
      offset -= stride[axis] * dim.d[axis];
      at[axis] = 0;
    }
  }
}

/// Calls visit(bytes) for one part after another of what the file has of a parameter.
template <class Visit>
void visit_parts(const Storage& s, Visit visit) {
  const real factor = s.decay_factor;
  const OnHost numbers(s.numbers.data(), s.size());
  real some[1024];
  size_t used = 0;
  const auto flush = [&] {
    visit(std::string_view(reinterpret_cast<const char*>(some), used * sizeof(real)));
    used = 0;
  };
  visit_by_rows(s.dim, s.is_lookup, [&](size_t offset) {
    some[used++] = factor * numbers[offset];
    if (used == std::size(some)) flush();
  });
  flush();
}

/// Half of the bits of a float, by IEEE 754 or, for BF16, the upper half of a float.
float from_half(uint16_t h) {
  const uint32_t sign = uint32_t{h & 0x8000u} << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ff;
  if (exponent == 0) {
    const float tiny = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -tiny : tiny;
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}
float from_bfloat(uint16_t h) { return std::bit_cast<float>(uint32_t{h} << 16); }

template <class Bits, class Convert>
void read_numbers(const char* bytes, const Dim& dim, bool is_lookup, real* numbers, Convert convert) {
  visit_by_rows(dim, is_lookup, [&](size_t offset) {
    Bits bits;
    std::memcpy(&bits, bytes, sizeof bits);
    bytes += sizeof bits;
    numbers[offset] = static_cast<real>(convert(bits));
  });
}

/// A file whose header was understood.
class TensorFile {
 public:
  explicit TensorFile(const std::filesystem::path& path)
      : content_(path), file_(content_.name()), header_(read_header(content_)) {}

  const std::vector<TensorEntry>& entries() const { return header_.entries; }
  FileParts::Bytes bytes(const TensorEntry& e) const { return read_tensor(content_, header_, e); }

  const TensorEntry& find(const std::string& name) const {
    const auto found = std::ranges::find(header_.entries, name, &TensorEntry::name);
    if (found == header_.entries.end()) bad_file("Could not find key ", name, " in the model file ", file_);
    return check_type(*found);
  }
  /// The tensor for a parameter: it has the same shape, and numbers that can be read.
  const TensorEntry& find(const std::string& name, const Storage& s) const {
    const TensorEntry& e = find(name);
    const auto wanted = shape_of(s.dim, s.is_lookup);
    const auto plain = [&](std::vector<size_t> shape) {  // rows of one number may have no axis
      if (s.is_lookup && shape.size() == 2 && shape[1] == 1) shape.pop_back();
      return shape;
    };
    if (plain(e.shape) != plain(wanted))
      bad_file("The shape ", listed(e.shape), " of ", name, " in ", file_,
               " does not match that of the parameter ", s.name, ", ", listed(wanted));
    return e;
  }
  /// A shape that we can have; a number without axes becomes {1}.
  Dim dim_of(const TensorEntry& e) const {
    const bool fits = e.shape.size() <= Dim::max_dims &&
                      std::ranges::all_of(e.shape, [](size_t n) { return n > 0 && n <= UINT32_MAX; });
    if (!fits)
      bad_file("The shape ", listed(e.shape), " of ", e.name, " in ", file_, " is not one that DyNet has");
    return e.shape.empty() ? Dim{1} : Dim(e.shape.data(), e.shape.size(), 1);
  }

  template <class S>
  static void copy_to(const char* from, const TensorEntry& e, S& s) {
    const auto read = [&]<class Bits>(Bits, auto convert) {
      read_numbers<Bits>(from, s.dim, s.is_lookup, OnHost(s.overwrite(), s.size()).data(), convert);
    };
    if (e.type == "F32") read(float{}, [](float x) { return x; });
    if (e.type == "F64") read(double{}, [](double x) { return x; });
    if (e.type == "F16") read(uint16_t{}, from_half);
    if (e.type == "BF16") read(uint16_t{}, from_bfloat);
    s.drop_gradient();
  }

 private:
  const TensorEntry& check_type(const TensorEntry& e) const {
    for (const char* known : {"F32", "F64", "F16", "BF16"})
      if (e.type == known) return e;
    bad_file("The numbers of ", e.name, " in ", file_, " have the type ", e.type,
             "; F32, F64, F16 and BF16 can be read");
  }
  static std::string listed(const std::vector<size_t>& shape) {
    std::string out = "(";
    for (size_t i = 0; i < shape.size(); ++i) out += (i ? "," : "") + std::to_string(shape[i]);
    return out + ')';
  }

  FileParts content_;
  const std::string& file_;
  SafetensorsHeader header_;
};

template <class S>
void populate_one(const std::filesystem::path& path, S& s, const std::string& key) {
  check_key(key, "populate");
  const TensorFile file(path);
  const TensorEntry& e = file.find(key, s);
  file.copy_to(file.bytes(e).get(), e, s);
}

}  // namespace

bool is_safetensors(const std::filesystem::path& file) { return file.extension() == ".safetensors"; }

std::unique_ptr<FileWriter> SafetensorsSaver::write(const Named& named) const {
  auto out = std::make_unique<FileWriter>(file_, append_ ? Writing::merge : Writing::replace);
  std::vector<TensorEntry> entries;
  std::unique_ptr<TensorFile> old;
  if (append_ && !out->in_place() && std::filesystem::exists(file_)) {
    old = std::make_unique<TensorFile>(file_);
    entries = old->entries();
  }
  const size_t kept = entries.size();
  std::set<std::string> names;
  for (TensorEntry& e : entries) {
    names.insert(e.name);
    e.sum = checksum_of({old->bytes(e).get(), e.size()});
  }
  size_t end = kept ? entries.back().end : 0;
  for (const auto& [name, s] : named) {
    if (!names.insert(name).second)
      invalid("The name ", name, " would be twice in ", file_.string(),
              "; safetensors files need different names");
    const size_t begin = end;
    end += s->size() * sizeof(real);
    Checksum sum;
    visit_parts(*s, [&](std::string_view bytes) { sum.add(bytes); });
    entries.push_back({name, own_type, shape_of(s->dim, s->is_lookup), begin, end, sum.digits()});
  }
  out->write(write_header(entries));
  for (size_t i = 0; i < kept; ++i) out->write({old->bytes(entries[i]).get(), entries[i].size()});
  for (const auto& [name, s] : named) visit_parts(*s, [&](std::string_view bytes) { out->write(bytes); });
  return out;
}

std::unique_ptr<FileWriter> SafetensorsSaver::write(const ParameterCollection& collection,
                                                    const std::string& key) const {
  Named named;
  visit_named(collection, key,
              [&](std::string name, const Storage& s) { named.emplace_back(std::move(name), &s); });
  return write(named);
}

std::unique_ptr<FileWriter> SafetensorsSaver::write(const Parameter& parameter,
                                                    const std::string& key) const {
  const Storage& s = parameter.get_storage();
  return write(Named{{name_in_file(s, key), &s}});
}

std::unique_ptr<FileWriter> SafetensorsSaver::write(const LookupParameter& lookup,
                                                    const std::string& key) const {
  const Storage& s = lookup.get_storage();
  return write(Named{{name_in_file(s, key), &s}});
}

void SafetensorsSaver::save(const ParameterCollection& collection, const std::string& key) {
  commit([&] { return write(collection, key); }), append_ = true;
}

void SafetensorsSaver::save(const Parameter& parameter, const std::string& key) {
  commit([&] { return write(parameter, key); }), append_ = true;
}

void SafetensorsSaver::save(const LookupParameter& lookup, const std::string& key) {
  commit([&] { return write(lookup, key); }), append_ = true;
}

void SafetensorsLoader::populate(ParameterCollection& collection, const std::string& key) const {
  const TensorFile file(file_);
  // All of it is read before any of it counts.
  std::vector<std::pair<const TensorEntry*, FileParts::Bytes>> found;
  visit_named(collection, key, [&](const std::string& name, const Storage& s) {
    const TensorEntry& e = file.find(name, s);
    found.emplace_back(&e, file.bytes(e));
  });
  size_t wanted = found.size();
  const std::string prefix = prefix_of(key);
  for (const TensorEntry& e : file.entries()) wanted -= e.name.substr(0, prefix.size()) == prefix;
  if (wanted != 0)
    bad_file("The file ", file_.string(), " holds tensors under \"", prefix,
             "\" that the collection does not have");
  auto next = found.begin();
  visit_named(collection, key, [&](const std::string&, auto& s) {
    file.copy_to(next->second.get(), *next->first, s);
    ++next;
  });
}

void SafetensorsLoader::populate(Parameter& parameter, const std::string& key) const {
  populate_one(file_, parameter.get_storage(), key);
}

void SafetensorsLoader::populate(LookupParameter& lookup, const std::string& key) const {
  populate_one(file_, lookup.get_storage(), key);
}

Parameter SafetensorsLoader::load_param(ParameterCollection& collection, const std::string& key) const {
  check_key(key, "load_param");
  const TensorFile file(file_);
  const TensorEntry& e = file.find(key);
  const FileParts::Bytes bytes = file.bytes(e);
  Parameter parameter = collection.add_parameters(file.dim_of(e), Untouched());
  file.copy_to(bytes.get(), e, parameter.get_storage());
  give_name(parameter.get_storage(), key);
  return parameter;
}

LookupParameter SafetensorsLoader::load_lookup_param(ParameterCollection& collection,
                                                     const std::string& key) const {
  check_key(key, "load_lookup_param");
  const TensorFile file(file_);
  const TensorEntry& e = file.find(key);
  const FileParts::Bytes bytes = file.bytes(e);
  const Dim dim = file.dim_of(e);
  const Dim row = dim.nd > 1 ? Dim(dim.d + 1, dim.nd - 1, 1) : Dim();
  LookupParameter lookup = collection.add_lookup_parameters(dim.d[0], row, Untouched());
  file.copy_to(bytes.get(), e, lookup.get_storage());
  give_name(lookup.get_storage(), key);
  return lookup;
}

}  // namespace dynet
