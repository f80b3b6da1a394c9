// Files by the calls of POSIX, which alone can replace a file in one step and force it to the disk.
#include "dynet/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

#include "dynet/core/error.h"
#include "dynet/core/lines.h"
#include "dynet/core/watch.h"
#include "dynet/io/lock.h"

namespace dynet::engine {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void cannot_read(const fs::path& file) {
  failed("Could not read model from ", file.string(), ": ", std::strerror(errno));
}

/// Calls again what a signal interrupted, unless that was to end the work.
template <class Call>
auto persist(Call call) {
  auto result = call();
  for (; result < 0 && errno == EINTR; result = call()) look_now();
  return result;
}

constexpr size_t at_once = size_t{1} << 26;  // bytes that are read or written between two looks

std::string identity_from(const struct stat& s) {
#ifdef __APPLE__
  const timespec changed = s.st_mtimespec;
#else
  const timespec changed = s.st_mtim;
#endif
  return text(s.st_dev, ' ', s.st_ino, ' ', s.st_size, ' ', changed.tv_sec, ' ', changed.tv_nsec);
}

/// Opens a device or a pipe. A number of /proc or /dev stands for what the process has open under it, with
/// its place in a file.
Descriptor open_in_place(const fs::path& file) {
  std::error_code none;
  const fs::path folder = fs::canonical(file.parent_path(), none);
  const std::string name = file.filename().string();
  int number = -1;
  if (folder == fs::path(text("/proc/", ::getpid(), "/fd")) || folder == "/dev/fd")
    std::from_chars(name.data(), name.data() + name.size(), number);
  if (number >= 0) return Descriptor(::fcntl(number, F_DUPFD_CLOEXEC, 0));
  constexpr int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY;
  return Descriptor(persist([&] { return ::open(file.c_str(), flags); }));
}

}  // namespace

FileContent::FileContent(const fs::path& file) {
  const Descriptor in(persist([&] { return ::open(file.c_str(), O_RDONLY | O_CLOEXEC); }));
  struct stat status;
  if (!in || ::fstat(in, &status) != 0) cannot_read(file);
  identity_ = identity_from(status);
  // One byte more than the file has shows its end; pipes, which have no size, make the room grow.
  size_t room = static_cast<size_t>(status.st_size) + 1;
  bytes_ = std::make_unique_for_overwrite<char[]>(room);
  while (true) {
    const size_t wanted = std::min(room - size_, at_once);
    const auto n = persist([&] { return ::read(in, bytes_.get() + size_, wanted); });
    if (n < 0) cannot_read(file);
    worked(n);
    if (n == 0) break;
    size_ += static_cast<size_t>(n);
    if (size_ < room) continue;
    room = 2 * room + 65536;
    auto more = std::make_unique_for_overwrite<char[]>(room);
    std::memcpy(more.get(), bytes_.get(), size_);
    bytes_ = std::move(more);
  }
  size_ = drop_carriage_returns(bytes_.get(), size_);
}

FileParts::FileParts(const fs::path& file) : name_(file.string()) {
  descriptor_ = Descriptor(persist([&] { return ::open(file.c_str(), O_RDONLY | O_CLOEXEC); }));
  struct stat status;
  if (!descriptor_ || ::fstat(descriptor_, &status) != 0) cannot_read(file);
  if (!S_ISREG(status.st_mode)) failed("Could not read model from ", name_, ": it is no regular file");
  size_ = static_cast<size_t>(status.st_size);
}

FileParts::Bytes FileParts::read(size_t begin, size_t count) const {
  Bytes bytes = std::make_unique_for_overwrite<char[]>(count);
  for (size_t done = 0; done < count;) {
    const auto at = static_cast<off_t>(begin + done);
    const size_t wanted = std::min(count - done, at_once);
    const auto n = persist([&] { return ::pread(descriptor_, bytes.get() + done, wanted, at); });
    if (n < 0) cannot_read(name_);
    worked(n);
    if (n == 0) failed("The file ", name_, " was cut while it was read");
    done += static_cast<size_t>(n);
  }
  return bytes;
}

FileWriter::FileWriter(const fs::path& file, Writing mode) : mode_(mode), file_(behind_links(file)) {
  check_place(file_);
  std::error_code none;
  const auto status = fs::status(file_, none);
  in_place_ = fs::is_symlink(file_, none) || (fs::exists(status) && !fs::is_regular_file(status));
  if (in_place_ && mode == Writing::beside)
    failed("Could not write model to ", file_.string(), ": it is no regular file");
  if (in_place_) return;
  if (mode == Writing::append || mode == Writing::merge) open_old();
  partial_ = open_partial(file_);
  if (!partial_.descriptor) fail(errno);
  if (mode == Writing::append && old_) copy_old();
}

void FileWriter::open_old() {
  old_ = Descriptor(persist([&] { return ::open(file_.c_str(), O_RDONLY | O_CLOEXEC); }));
  struct stat status;
  if (!old_ && errno == ENOENT) return;
  if (!old_ || ::fstat(old_, &status) != 0) cannot_read(file_);
  old_identity_ = identity_from(status);
}

/// What is added begins a line, also where the last one has lost its end.
void FileWriter::copy_old() {
  bool ended = true;
  while (true) {
    held_.resize(room);
    const auto n = persist([&] { return ::read(old_, held_.data(), room); });
    held_.resize(n < 0 ? 0 : static_cast<size_t>(n));
    if (n < 0) cannot_read(file_);
    if (n > 0) ended = held_.back() == '\n';
    if (n == 0) return ended ? void() : write("\n");
    flush();
  }
}

void FileWriter::fail(int error) const {
  const fs::path folder = file_.has_parent_path() ? file_.parent_path() : ".";
  if (error == EACCES || error == EPERM || error == EROFS)
    failed("Could not write model to ", file_.string(), ": no file can be made in the folder ",
           folder.string(), " (", std::strerror(error), "); make it writable, or choose another");
  failed("Could not write model to ", file_.string(), ": ", std::strerror(error));
}

void FileWriter::write(std::string_view text) {
  held_ += text;
  if (held_.size() >= room && !in_place_) flush();
}

void FileWriter::flush() {
  if (mode_ == Writing::beside) checksum_.add(held_);
  size_ += held_.size();
  put(partial_.descriptor, held_);
  held_.clear();
}

void FileWriter::put(int descriptor, std::string_view text) const {
  while (!text.empty()) {
    const auto n = persist([&] { return ::write(descriptor, text.data(), std::min(text.size(), room)); });
    if (n < 0) fail(errno);
    worked(int64_t{16} * n);  // they had to be made, too
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void FileWriter::finish() {
  if (std::exchange(finished_, true)) return;
  if (in_place_) {
    const Descriptor open = open_in_place(file_);
    if (!open) fail(errno);
    return put(open, std::exchange(held_, {}));
  }
  flush();
  const bool synced = persist([&] { return ::fsync(partial_.descriptor); }) == 0;
  if (!synced && errno != EINVAL && errno != EROFS && errno != ENOTSUP) fail(errno);
}

bool FileWriter::replace() {
  const bool made_from_old = mode_ == Writing::append || mode_ == Writing::merge;
  if (made_from_old && identity_of(file_) != old_identity_) return false;
  if (::rename(partial_.name.c_str(), file_.c_str()) != 0) fail(errno);
  partial_.descriptor.close();
  old_.close();
  return true;
}

bool FileWriter::commit() {
  finish();
  if (in_place_) return true;
  {
    const ReplaceLock lock(file_);
    if (!replace()) return false;
  }
  sync_folder_of(file_);
  remove_dead_partials(file_);
  return true;
}

std::string identity_of(const fs::path& file) {
  struct stat status;
  return ::stat(file.c_str(), &status) == 0 ? identity_from(status) : std::string();
}

void check_place(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code none;
  if (file.empty() || fs::is_directory(file, none))
    failed("Could not write model to \"", file.string(), "\": it is a folder; the name of a file is needed");
  if (!fs::is_directory(folder, none))
    failed("Could not write model to ", file.string(), ": there is no folder ", folder.string(),
           "; make it first, or choose another");
}

}  // namespace dynet::engine
