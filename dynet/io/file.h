// Whole files: read in one go or mapped; written so that a failure leaves the file as it was.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "dynet/core/error.h"

namespace dynet {

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

/// The bytes of a file, in memory that is filled as it is read. It must not be cut while it is in use.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();
  std::string_view bytes() const { return {static_cast<const char*>(start_), size_}; }

 private:
  void* start_ = nullptr;
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

}  // namespace dynet
