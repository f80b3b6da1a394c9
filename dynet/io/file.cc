// Files by the calls of POSIX, which alone can replace a file in one step and force it to the disk.
#include "dynet/io/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "dynet/core/error.h"
#include "dynet/core/watch.h"

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

/// Opens a file and locks it, so that what others add meanwhile is not lost. It may have been replaced while
/// it was waited for. Where locks are not to be had, or not given back for long, nobody waits for them.
Descriptor lock_newest(const fs::path& file) {
  using namespace std::chrono_literals;
  for (const auto end = std::chrono::steady_clock::now() + 10s;;) {
    Descriptor open(persist([&] { return ::open(file.c_str(), O_RDONLY | O_CLOEXEC); }));
    const bool waits = open && ::flock(open, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!open || (!waits && is_still(open, file)) || std::chrono::steady_clock::now() > end) return open;
    if (waits) std::this_thread::sleep_for(1ms);
  }
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
    if (n == 0) return;
    size_ += static_cast<size_t>(n);
    if (size_ < room) continue;
    room = 2 * room + 65536;
    auto more = std::make_unique_for_overwrite<char[]>(room);
    std::memcpy(more.get(), bytes_.get(), size_);
    bytes_ = std::move(more);
  }
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

FileWriter::FileWriter(const fs::path& file, Writing mode)
    : mode_(mode), file_(behind_links(file)), buffer_(std::make_unique_for_overwrite<char[]>(room)) {
  check_place(file_);
  std::error_code none;
  const auto status = fs::status(file_, none);
  // Devices and pipes are never replaced.
  const bool replaceable = fs::is_regular_file(status) || !fs::exists(status);
  if (mode == Writing::beside && !replaceable)
    failed("Could not write model to ", file_.string(), ": it is no regular file");
  const bool added_to = mode == Writing::append && fs::exists(status);
  if (!replaceable || !open_new())
    open_old(mode == Writing::append ? O_APPEND : O_TRUNC);
  else if (added_to)
    copy_old();
}

/// False where no file can be made, but an existing one may still be written over.
bool FileWriter::open_new() {
  partial_ = open_partial(file_);
  partial_.stays = mode_ == Writing::beside;
  const int error = errno;
  if (!partial_.descriptor && (mode_ == Writing::beside || ::access(file_.c_str(), W_OK) != 0)) fail(error);
  return static_cast<bool>(partial_.descriptor);
}

void FileWriter::open_old(int flags) {
  struct stat status;
  created_ = ::stat(file_.c_str(), &status) != 0;
  in_place_ = Descriptor(
      persist([&] { return ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666); }));
  if (!in_place_ || ::fstat(in_place_, &status) != 0) fail(errno);
  if (S_ISREG(status.st_mode) && !(flags & O_TRUNC)) old_size_ = status.st_size;
}

void FileWriter::copy_old() {
  old_ = lock_newest(file_);
  while (old_) {
    const auto n = persist([&] { return ::read(old_, buffer_.get(), room); });
    if (n < 0) cannot_read(file_);
    if (n == 0) return;
    used_ = static_cast<size_t>(n);
    flush();
  }
  cannot_read(file_);
}

FileWriter::~FileWriter() {
  if (!in_place_) return;
  if (old_size_ >= 0) (void)!::ftruncate(in_place_, old_size_);
  if (created_) ::unlink(file_.c_str());
}

void FileWriter::fail(int error) const {
  const fs::path folder = file_.has_parent_path() ? file_.parent_path() : ".";
  if (error == EACCES || error == EPERM || error == EROFS)
    failed("Could not write model to ", file_.string(), ": no file can be made in the folder ",
           folder.string(), " (", std::strerror(error), "); make it writable, or choose another");
  failed("Could not write model to ", file_.string(), ": ", std::strerror(error));
}

void FileWriter::write(std::string_view text) {
  while (!text.empty()) {
    if (used_ == room) flush();
    const size_t n = std::min(text.size(), room - used_);
    std::memcpy(buffer_.get() + used_, text.data(), n);
    used_ += n;
    text.remove_prefix(n);
  }
}

void FileWriter::flush() {
  if (mode_ == Writing::beside) checksum_.add({buffer_.get(), used_});
  size_ += used_;
  for (size_t done = 0; done < used_;) {
    const auto n = persist([&] { return ::write(descriptor(), buffer_.get() + done, used_ - done); });
    if (n < 0) fail(errno);
    worked(int64_t{16} * n);  // they had to be made, too
    done += static_cast<size_t>(n);
  }
  used_ = 0;
}

void FileWriter::finish() {
  flush();
  // Pipes and terminals cannot be forced to a disk.
  const bool synced = persist([&] { return ::fsync(descriptor()); }) == 0;
  if (!synced && errno != EINVAL && errno != EROFS && errno != ENOTSUP) fail(errno);
}

void FileWriter::commit() {
  finish();
  in_place_.close();
  if (!partial_.descriptor) return;
  if (::rename(partial_.name.c_str(), file_.c_str()) != 0) fail(errno);
  partial_.descriptor.close();
  old_.close();
  sync_folder_of(file_);
  remove_dead_partials(file_);
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
