// The records of a text file of models, one after another: a header line, then a line or two of numbers.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include "dynet/core/dim.h"
#include "dynet/io/file.h"
#include "dynet/params/buffer.h"

namespace dynet::engine {

constexpr std::string_view parameter_tag = "#Parameter#", lookup_tag = "#LookupParameter#";

/// The last word of a record that we wrote: the checksum of all before it. DyNet 2 reads only the numbers of
/// a line, but counts the word's characters.
constexpr std::string_view checksum_tag = "crc32:";
constexpr size_t checksum_size = checksum_tag.size() + 8;

/// One parameter or lookup table.
struct Record {
  bool is_lookup = false;
  std::string_view name;
  Dim dim;
  size_t line = 0;                    // of the header, from 1 on
  std::string_view values, gradient;  // lines of numbers; the second may be missing, and is null then
};

/// The numbers of a record. They go into a parameter when the whole file has been understood.
struct Numbers {
  const Record* record;
  std::vector<real> values, gradient;

  /// As in DyNet, a gradient that was saved comes back, but does not count as used. Frozen parameters get
  /// none.
  template <class S>
  void copy_to(S& s) const {
    s.drop_gradient();
    if (!gradient.empty() && s.updated)
      chosen_engine().copy(gradient.size(), gradient.data(), s.gradient.data());
    s.assign(values);
  }
};

/// What a file held when it was opened, read record by record as far as it is asked for. A record whose
/// checksum is wrong is an error, whichever is looked for.
class Records {
 public:
  explicit Records(const std::filesystem::path& file) : file_(file), content_(file), rest_(content_.text()) {}
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  const FileContent& content() const { return content_; }
  const std::filesystem::path& file() const { return file_; }
  /// By its place in the file; null behind the last.
  const Record* at(size_t place);
  /// The first of that kind and name; an error if there is none.
  const Record& find(bool is_lookup, const std::string& name);
  Numbers read(const Record& record) const;

  template <class... T>
  [[noreturn]] void bad(const Record* record, const T&... what) const {
    if (!record) bad_file(what..., " (", file_.string(), ", line ", line_, ")");
    bad_file(what..., " (", file_.string(), ", line ", record->line, ", parameter ", record->name, ")");
  }

 private:
  struct Lines;

  bool next();
  std::string_view take_line(const Record* record, const char* what, const Lines* last_of);
  void check(Record& record, const char* begin) const;
  void parse_line(const Record& record, std::string_view line, std::vector<real>& numbers,
                  const char* what) const;

  std::filesystem::path file_;
  FileContent content_;
  std::string_view rest_;
  size_t line_ = 0;
  std::deque<Record> records_;  // which stay where they are
  std::map<std::pair<bool, std::string_view>, const Record*> first_;
};

}  // namespace dynet::engine
