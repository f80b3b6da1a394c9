// Files: read in one go or in parts; written so that a failure leaves the file as it was.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "dynet/core/error.h"

namespace dynet::engine {

/// failed() for a text that quotes a file: control characters, which could cut it, become question marks.
template <class... T>
[[noreturn]] void bad_file(const T&... parts) {
  std::string message = text(parts...);
  for (char& c : message)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  failed(message);
}

/// What a file held when it was opened.
class FileContent {
 public:
  explicit FileContent(const std::filesystem::path& file);
  std::string_view text() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

/// A file of which parts are read. It is not mapped: a mapped file that is cut meanwhile ends the process.
class FileParts {
 public:
  using Bytes = std::unique_ptr<char[]>;

  explicit FileParts(const std::filesystem::path& file);
  FileParts(const FileParts&) = delete;
  FileParts& operator=(const FileParts&) = delete;
  ~FileParts();
  const std::string& name() const { return name_; }
  size_t size() const { return size_; }
  /// Throws where the file has fewer bytes than it had when it was opened.
  Bytes read(size_t begin, size_t count) const;

 private:
  std::string name_;
  int descriptor_ = -1;
  size_t size_ = 0;
};

/// A file that is written anew under another name and renamed by commit(), or added to. Without commit() it
/// stays as it was.
class FileWriter {
 public:
  FileWriter(const std::filesystem::path& file, bool append);
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  ~FileWriter();

  void write(std::string_view text);
  /// Everything is on the disk when it returns.
  void commit();

 private:
  void open_new();
  void open_old(int flags);
  void flush();
  [[noreturn]] void fail() const;

  static constexpr size_t room = size_t{1} << 18;

  std::filesystem::path file_, temporary_;
  std::unique_ptr<char[]> buffer_;
  size_t used_ = 0;
  int descriptor_ = -1;
  bool created_ = false;
  long long old_size_ = -1;  // negative: not a file that can be cut
};

}  // namespace dynet::engine
