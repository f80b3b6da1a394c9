// Whole files: read in one go; written so that a failure leaves the file as it was.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace dynet {

/// What a file held when it was opened.
class FileContent {
 public:
  explicit FileContent(const std::filesystem::path& file);
  std::string_view text() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
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
