// Reads the records of a text file of models, and sees where they are damaged.
#include "dynet/io/records.h"

#include <charconv>
#include <string>
#include <utility>

#include "dynet/core/watch.h"
#include "dynet/io/number.h"

namespace dynet::engine {

/// What a header says of the lines behind it.
struct Records::Lines {
  bool has_gradient = false;
  std::string_view size;  // of all of them, with their ends, in digits
  const char* begin = nullptr;
};

namespace {

constexpr std::string_view blank = " \t\r";

/// Takes the last word off the line.
std::string_view take_last_word(std::string_view& line) {
  const size_t end = line.find_last_not_of(blank);
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
  size_t room = size_t{1} << 40;
  for (const char *at = word.data() + 1, *end = word.data() + word.size() - 1; at < end;) {
    unsigned size;
    const auto [rest, error] = std::from_chars(at, end, size);
    if (error != std::errc() || dim.nd == Dim::max_dims || (rest != end && *rest != ',')) return false;
    if (size == 0 || (room /= size) == 0) return false;
    dim.d[dim.nd++] = size;
    at = rest + (rest != end);
  }
  return dim.nd > 0;
}

bool ends_with_checksum(std::string_view line) {
  return line.size() >= checksum_size && line.substr(line.size() - checksum_size).starts_with(checksum_tag);
}

/// From the right, because DyNet lets names hold spaces.
bool parse_header(std::string_view line, Record& r, bool& has_gradient, std::string_view& size) {
  std::string_view word = take_last_word(line);
  has_gradient = word != "ZERO_GRAD";
  if (word == "ZERO_GRAD" || word == "FULL_GRAD") word = take_last_word(line);
  size = word;
  if (!is_number(word) || !parse_dim(take_last_word(line), r.dim)) return false;
  for (const std::string_view tag : {parameter_tag, lookup_tag}) {
    if (line.substr(0, tag.size()) != tag || line.size() < tag.size() + 3) continue;
    r.is_lookup = tag == lookup_tag;
    r.name = line.substr(tag.size() + 1, line.size() - tag.size() - 2);
    return line[tag.size()] == ' ';
  }
  return false;
}

}  // namespace

const Record* Records::at(size_t place) {
  while (records_.size() <= place)
    if (!next()) return nullptr;
  return &records_[place];
}

const Record& Records::find(bool is_lookup, const std::string& name) {
  while (true) {
    if (const auto found = first_.find({is_lookup, name}); found != first_.end()) return *found->second;
    if (next()) continue;
    const bool is_other = first_.contains({!is_lookup, name});
    bad_file("Could not find key ", name, " in the model file ", file_.string(),
             !is_other   ? ""
             : is_lookup ? ", where it is a parameter, which load_param loads"
                         : ", where it is a table, which load_lookup_param loads");
  }
}

/// Reads one record more; false at the end of the file.
bool Records::next() {
  std::string_view line;
  do {
    if (rest_.empty()) return false;
    line = take_line(nullptr, "a header is", nullptr);
  } while (line.find_first_not_of(blank) == std::string_view::npos);
  Record r;
  Lines lines;
  r.line = line_;
  if (!parse_header(line, r, lines.has_gradient, lines.size))
    bad(nullptr, "Bad parameter specification in model: ", line.substr(0, 200));
  lines.begin = rest_.data();
  r.values = take_line(&r, "the values are", lines.has_gradient ? nullptr : &lines);
  if (lines.has_gradient) r.gradient = take_line(&r, "the gradient is", &lines);
  check(r, line.data());
  records_.push_back(r);
  first_.emplace(std::pair(r.is_lookup, r.name), &records_.back());
  return true;
}

/// The last line of a file may have lost its end, but nothing before that: the header says how long the lines
/// are, and where there is a checksum that will tell.
std::string_view Records::take_line(const Record* record, const char* what, const Lines* last_of) {
  ++line_;
  const size_t size = rest_.find('\n');
  if (size == std::string_view::npos && last_of) {
    const auto with_end = rest_.data() + rest_.size() - last_of->begin + 1;
    if (ends_with_checksum(rest_) || text(with_end) == last_of->size)
      return std::exchange(rest_, rest_.substr(rest_.size()));
  }
  if (size == std::string_view::npos)
    bad(record, "The model file ends too early: ", what, " missing or cut off");
  const std::string_view line = rest_.substr(0, size);
  rest_.remove_prefix(size + 1);
  return line;
}

/// Takes the checksum, if there is one, off the last line of a record, which begins with its header.
void Records::check(Record& record, const char* begin) const {
  std::string_view& last = record.gradient.data() ? record.gradient : record.values;
  if (!ends_with_checksum(last)) return;
  const std::string_view sum = last.substr(last.size() - checksum_size + checksum_tag.size());
  last.remove_suffix(checksum_size);
  if (sum != checksum_of({begin, static_cast<size_t>(sum.data() - begin)}))
    bad(&record, "The model file is damaged: a checksum is wrong. (If the file was changed on purpose, take ",
        "the words \"", checksum_tag, "…\" off its lines)");
}

Numbers Records::read(const Record& record) const {
  Numbers n{&record, {}, {}};
  parse_line(record, record.values, n.values, "values");
  if (record.gradient.data()) parse_line(record, record.gradient, n.gradient, "gradient");
  return n;
}

void Records::parse_line(const Record& record, std::string_view line, std::vector<real>& numbers,
                         const char* what) const {
  const size_t size = record.dim.size();
  const auto wrong = [&](const auto&... text) {
    const size_t number = record.line + (what[0] == 'v' ? 1 : 2);
    bad_file(text..., " (", file_.string(), ", line ", number, ", parameter ", record.name, ")");
  };
  // A digit and a space for each, before memory is asked for.
  if (line.size() / 2 + 1 < size)
    wrong("The line of the ", what, " is damaged or cut off: it has no room for ", size, " numbers");
  numbers.resize(size);
  const char *at = line.data(), *end = at + line.size();
  for (size_t i = 0; i < size; ++i) {
    if (i % 4096 == 0) worked(int64_t{1} << 18);
    const char* next = read_number(at, end, numbers[i]);
    if (!next) wrong("Number ", i + 1, " of ", size, " of the ", what, " is missing or damaged");
    at = next;
  }
  if (line.find_first_not_of(blank, static_cast<size_t>(at - line.data())) != std::string_view::npos)
    wrong("The line of the ", what, " has more than ", size, " numbers");
}

}  // namespace dynet::engine
