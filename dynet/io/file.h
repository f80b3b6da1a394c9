// Files: read in one go or in parts; written so that a failure leaves the file as it was.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "dynet/core/checksum.h"
#include "dynet/core/error.h"
#include "dynet/io/partial.h"

namespace dynet::engine {

/// failed() for a text that quotes a file: control characters, which could cut it, become question marks.
template <class... T>
[[noreturn]] void bad_file(const T&... parts) {
  std::string message = text(parts...);
  for (char& c : message)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  failed(message);
}

/// The text that a file held when it was opened, with the line ends of Unix.
class FileContent {
 public:
  explicit FileContent(const std::filesystem::path& file);
  std::string_view text() const { return {bytes_.get(), size_}; }
  /// Which file it was, and when it was last changed: differs where another one has taken the name.
  const std::string& identity() const { return identity_; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  std::string identity_;
};

/// A file of which parts are read. It is not mapped: a mapped file that is cut meanwhile ends the process.
class FileParts {
 public:
  using Bytes = std::unique_ptr<char[]>;

  explicit FileParts(const std::filesystem::path& file);
  const std::string& name() const { return name_; }
  size_t size() const { return size_; }
  /// Throws where the file has fewer bytes than it had when it was opened.
  Bytes read(size_t begin, size_t count) const;

 private:
  std::string name_;
  Descriptor descriptor_;
  size_t size_ = 0;
};

/// What becomes of the file that is there: it is replaced; or added to; or replaced by what was made from it;
/// or stays until replace(), and the new one beside it.
enum class Writing { replace, append, merge, beside };

/// A file that is written beside the old one, which it replaces in one step by commit(). Without commit() the
/// old one stays as it was, whether by an error or the end of the process. What is added is added to a copy.
/// Devices and pipes get everything at the end.
class FileWriter {
 public:
  FileWriter(const std::filesystem::path& file, Writing mode);
  FileWriter(const std::filesystem::path& file, bool append)
      : FileWriter(file, append ? Writing::append : Writing::replace) {}
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::string_view text);
  /// Everything is on the disk, under the name partial() if there is one; nothing is written after that.
  void finish();
  /// The file is replaced, and on the disk. False if what is added to or merged is not the file that is there
  /// any more: then nothing has changed, and it has to be written anew.
  bool commit();
  /// The step of commit() itself, for who has the ReplaceLock and has called finish().
  bool replace();
  /// The partial file stays, also when this ends.
  void keep() { partial_.stays = true; }

  /// What is written: a file beside target(), or empty.
  const std::filesystem::path& partial() const { return partial_.name; }
  /// What is to be replaced: where links lead to.
  const std::filesystem::path& target() const { return file_; }
  /// Whether target() is a device or a pipe.
  bool in_place() const { return in_place_; }
  /// How many bytes were written by finish(), and their checksum.
  size_t size() const { return size_; }
  const Checksum& checksum() const { return checksum_; }

 private:
  void open_old();
  void copy_old();
  void flush();
  void put(int descriptor, std::string_view text) const;
  [[noreturn]] void fail(int error) const;

  static constexpr size_t room = size_t{1} << 18;

  const Writing mode_;
  std::filesystem::path file_;
  bool in_place_ = false, finished_ = false;
  Partial partial_;
  std::string held_;  // what is not written yet
  size_t size_ = 0;
  Checksum checksum_;
  Descriptor old_;  // open, so that no other file can look like it
  std::string old_identity_;
};

/// Writes by write() until what was written is what counts.
template <class Write>
void commit(Write write) {
  while (!write()->commit()) {
  }
}

/// FileContent::identity() of the file that has the name now; empty if none has.
std::string identity_of(const std::filesystem::path& file);

/// Throws unless a file could be made there: its folder exists, and it is no folder itself.
void check_place(const std::filesystem::path& file);

}  // namespace dynet::engine
