// Reads and writes the JSON of a safetensors header, which has a form so narrow that no general parser is
// needed.
#include "dynet/io/safetensors_header.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <set>

#include "dynet/io/file.h"

namespace dynet::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr size_t length_size = 8, longest_header = 100'000'000;
constexpr std::string_view checksums_open = "\"__metadata__\":{\"dynet_crc32\":\"", checksums_close = "\"}}";
constexpr size_t digits = 8;  // of a checksum
constexpr int deepest = 100;  // lists in lists, of what is stepped over

/// Steps through JSON text; anything but what is asked for is an error.
class JsonReader {
 public:
  JsonReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  [[noreturn]] void bad(const std::string& what) const {
    bad_file("Damaged safetensors header: ", what, " (", file_, ", offset ", length_size + at_, ')');
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) bad(std::string("'") + c + "' is missing");
  }
  /// Calls item() for each part between the brackets.
  template <class Item>
  void list(char open, char close, Item item) {
    expect(open);
    if (take(close)) return;
    do item();
    while (take(','));
    expect(close);
  }
  size_t number() {
    skip_space();
    const size_t start = at_;
    size_t n = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (n >= size_t{1} << 59) bad("a number is too large");
      n = 10 * n + static_cast<size_t>(text_[at_] - '0');
    }
    if (at_ == start) bad("a whole number is missing");
    return n;
  }
  std::string string() {
    expect('"');
    std::string s;
    while (true) {
      const char c = next();
      if (c == '"') return s;
      if (static_cast<unsigned char>(c) < 0x20) bad("a string has a control character");
      if (c == '\\')
        escape(s);
      else
        s += c;
    }
  }
  /// Steps over a value of any kind.
  void skip(int depth = 0) {
    if (depth > deepest) bad("lists lie too deep in each other");
    skip_space();
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c == '"') {
      string();
    } else if (c == '[') {
      list('[', ']', [&] { skip(depth + 1); });
    } else if (c == '{') {
      list('{', '}', [&] { string(), expect(':'), skip(depth + 1); });
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      skip_number();
    } else if (!take_word("true") && !take_word("false") && !take_word("null")) {
      bad("a value is missing");
    }
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void end() {
    skip_space();
    if (at_ != text_.size()) bad("something follows the last brace");
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) && text_[at_]) ++at_;
  }
  char next() {
    if (at_ == text_.size()) bad("it ends within a string");
    return text_[at_++];
  }
  void escape(std::string& s) {
    constexpr std::string_view letters = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    const char c = next();
    if (c == 'u') return append(code_point(), s);
    const size_t i = letters.find(c);
    if (i == std::string_view::npos) bad("a string has an unknown escape");
    s += meant[i];
  }
  void skip_number() {
    const auto here = [&](std::string_view any) {
      const bool found = at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos;
      at_ += found;
      return found;
    };
    const auto digits = [&] {
      if (!here("0123456789")) bad("a number has no digits");
      while (here("0123456789")) {
      }
    };
    here("-");
    if (!here("0")) digits();
    if (here(".")) digits();
    if (!here("eE")) return;
    here("+-");
    digits();
  }
  uint32_t hex() {
    uint32_t n = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = next();
      const size_t digit =
          std::string_view("0123456789abcdef").find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
      if (digit == std::string_view::npos) bad("a string has an unknown escape");
      n = 16 * n + static_cast<uint32_t>(digit);
    }
    return n;
  }
  /// Two escapes make one code point where the first is the upper half of a pair.
  uint32_t code_point() {
    const uint32_t first = hex();
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first > 0xdbff || next() != '\\' || next() != 'u') bad("a string has half of a pair");
    const uint32_t second = hex();
    if (second < 0xdc00 || second > 0xdfff) bad("a string has half of a pair");
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  }
  static void append(uint32_t c, std::string& s) {
    const int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr uint32_t marks[] = {0, 0xc0, 0xe0, 0xf0};
    s += static_cast<char>(marks[more] | (c >> (6 * more)));
    for (int i = more; i-- > 0;) s += static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3f));
  }

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0;
};

/// Each property must be there once; there may be others.
void read_properties(JsonReader& json, TensorEntry& e) {
  std::set<std::string> seen;
  int known = 0;
  json.list('{', '}', [&] {
    const std::string property = json.string();
    json.expect(':');
    if (!seen.insert(property).second) json.bad("\"" + property + "\" is there twice");
    if (property == "dtype") {
      e.type = json.string();
    } else if (property == "shape") {
      json.list('[', ']', [&] { e.shape.push_back(json.number()); });
    } else if (property == "data_offsets") {
      std::vector<size_t> place;
      json.list('[', ']', [&] { place.push_back(json.number()); });
      if (place.size() != 2) json.bad("data_offsets of " + e.name + " are not two");
      e.begin = place[0], e.end = place[1];
    } else {
      json.skip();  // what other writers add says nothing of the numbers
      return;
    }
    ++known;
  });
  if (known != 3) json.bad("dtype, shape or data_offsets of " + e.name + " is missing");
}

/// Throws unless the bytes of a tensor are as many as its shape and type say.
void check_size(const TensorEntry& e, size_t data_size, const std::string& file) {
  if (e.begin > e.end || e.end > data_size)
    bad_file("Damaged safetensors file: ", e.name, " lies at ", e.begin, " to ", e.end, " of ", data_size,
             " bytes of data (", file, ')');
  const size_t bytes = type_size(e.type);
  size_t size = bytes;
  for (size_t n : e.shape)
    if (__builtin_mul_overflow(size, n, &size)) size = SIZE_MAX;
  if (bytes != 0 && size != e.size())
    bad_file("Damaged safetensors file: ", e.name, " has ", e.size(),
             " bytes, and its shape and type ask for ", size, " (", file, ')');
}

/// Gives the tensors the checksums that we wrote at the end of the header, if it is ours.
void take_checksums(std::string_view json, SafetensorsHeader& header, const std::string& file) {
  json = json.substr(0, json.find_last_not_of(' ') + 1);
  const size_t count = header.entries.size() + 1, open = json.rfind(checksums_open);
  if (open == std::string_view::npos || !json.ends_with(checksums_close)) return;
  const size_t start = open + checksums_open.size(), end = json.size() - checksums_close.size();
  const bool whole = end >= start + digits && end - start == count * digits;
  if (!whole || json.substr(end - digits, digits) != checksum_of(json.substr(0, end - digits)))
    bad_file("Damaged safetensors header: its checksum is wrong (", file, ')');
  for (size_t i = 0; i < header.entries.size(); ++i)
    header.entries[i].sum = json.substr(start + i * digits, digits);
}

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
      continue;
    }
    constexpr auto hex = "0123456789abcdef";
    out += std::string("\\u00") + hex[c >> 4] + hex[c & 15];
  }
  return out += '"';
}

}  // namespace

size_t type_size(std::string_view type) {
  struct Known {
    std::string_view type;
    size_t size;
  };
  for (const Known& k : {Known{"F32", 4},
                         {"F64", 8},
                         {"F16", 2},
                         {"BF16", 2},
                         {"I64", 8},
                         {"U64", 8},
                         {"I32", 4},
                         {"U32", 4},
                         {"I16", 2},
                         {"U16", 2},
                         {"I8", 1},
                         {"U8", 1},
                         {"BOOL", 1}})
    if (k.type == type) return k.size;
  return 0;
}

SafetensorsHeader read_header(const FileParts& parts) {
  const std::string& file = parts.name();
  uint64_t length = 0;
  if (parts.size() < length_size)
    bad_file("No safetensors file: it has only ", parts.size(), " bytes (", file, ')');
  std::memcpy(&length, parts.read(0, length_size).get(), length_size);
  if (length > longest_header || length > parts.size() - length_size)
    bad_file("No safetensors file, or one that was cut off: its header would have ", length, " bytes (", file,
             ')');
  SafetensorsHeader header{{}, length_size + length};
  const FileParts::Bytes text = parts.read(length_size, length);
  JsonReader json({text.get(), length}, file);
  std::set<std::string> names;
  json.list('{', '}', [&] {
    TensorEntry e;
    e.name = json.string();
    json.expect(':');
    if (!names.insert(e.name).second) json.bad("\"" + e.name + "\" is there twice");
    if (e.name == "__metadata__") {
      if (json.take_word("null")) return;
      return json.list('{', '}', [&] { json.string(), json.expect(':'), json.string(); });
    }
    read_properties(json, e);
    header.entries.push_back(std::move(e));
  });
  json.end();
  const size_t data_size = parts.size() - header.data_start;
  for (const TensorEntry& e : header.entries) check_size(e, data_size, file);
  std::ranges::sort(header.entries, {}, [](const TensorEntry& e) { return std::pair(e.begin, e.end); });
  size_t end = 0;
  for (const TensorEntry& e : header.entries) {
    if (e.begin != end)
      bad_file("Damaged safetensors file: a hole or an overlap before ", e.name, " (", file, ')');
    end = e.end;
  }
  if (end != data_size)
    bad_file("Damaged safetensors file: ", data_size - end, " bytes belong to no tensor (", file, ')');
  take_checksums({text.get(), length}, header, file);
  return header;
}

FileParts::Bytes read_tensor(const FileParts& file, const SafetensorsHeader& header,
                             const TensorEntry& entry) {
  FileParts::Bytes bytes = file.read(header.data_start + entry.begin, entry.size());
  if (!entry.sum.empty() && checksum_of({bytes.get(), entry.size()}) != entry.sum)
    bad_file("Damaged safetensors file: the checksum of ", entry.name, " is wrong (", file.name(), ')');
  return bytes;
}

std::string write_header(const std::vector<TensorEntry>& entries) {
  std::string json = "{";
  for (const TensorEntry& e : entries) {
    json += (json.size() > 1 ? "," : "") + quoted(e.name) + ":{\"dtype\":\"" + e.type + "\",\"shape\":[";
    for (size_t i = 0; i < e.shape.size(); ++i) json += (i ? "," : "") + std::to_string(e.shape[i]);
    json += text("],\"data_offsets\":[", e.begin, ',', e.end, "]}");
  }
  if (!entries.empty()) json += ',';
  json += checksums_open;
  for (const TensorEntry& e : entries) json += e.sum;
  json += checksum_of(json);
  json += checksums_close;
  json.append((8 - json.size() % 8) % 8, ' ');
  const uint64_t length = json.size();
  std::string out(length_size, '\0');
  std::memcpy(out.data(), &length, length_size);
  return out + json;
}

}  // namespace dynet::engine
