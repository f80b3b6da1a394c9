// Files by the calls of POSIX, which alone can replace a file in one step and force it to the disk.
#include "dynet/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "dynet/core/error.h"

namespace dynet::engine {
namespace {

/// A descriptor that is closed at the end of its scope.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

[[noreturn]] void cannot_read(const std::filesystem::path& file) {
  failed("Could not read model from ", file.string(), ": ", std::strerror(errno));
}

/// Calls again what a signal interrupted.
template <class Call>
auto persist(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// A name next to the file that nobody else uses.
std::filesystem::path temporary_beside(const std::filesystem::path& file) {
  static std::atomic<unsigned> count{0};
  return file.parent_path() / text(".dynet-", ::getpid(), '-', count++, ".partial");
}

}  // namespace

FileContent::FileContent(const std::filesystem::path& file) {
  const Descriptor in{persist([&] { return ::open(file.c_str(), O_RDONLY | O_CLOEXEC); })};
  struct stat status;
  if (in.number < 0 || ::fstat(in.number, &status) != 0) cannot_read(file);
  // One byte more than the file has shows its end; pipes, which have no size, make the room grow.
  size_t room = static_cast<size_t>(status.st_size) + 1;
  bytes_ = std::make_unique_for_overwrite<char[]>(room);
  while (true) {
    const auto n = persist([&] { return ::read(in.number, bytes_.get() + size_, room - size_); });
    if (n < 0) cannot_read(file);
    if (n == 0) return;
    size_ += static_cast<size_t>(n);
    if (size_ < room) continue;
    room = 2 * room + 65536;
    auto more = std::make_unique_for_overwrite<char[]>(room);
    std::memcpy(more.get(), bytes_.get(), size_);
    bytes_ = std::move(more);
  }
}

FileParts::FileParts(const std::filesystem::path& file) : name_(file.string()) {
  Descriptor in{persist([&] { return ::open(file.c_str(), O_RDONLY | O_CLOEXEC); })};
  struct stat status;
  if (in.number < 0 || ::fstat(in.number, &status) != 0) cannot_read(file);
  if (!S_ISREG(status.st_mode)) failed("Could not read model from ", name_, ": it is no regular file");
  size_ = static_cast<size_t>(status.st_size);
  descriptor_ = std::exchange(in.number, -1);
}

FileParts::~FileParts() { ::close(descriptor_); }

FileParts::Bytes FileParts::read(size_t begin, size_t count) const {
  Bytes bytes = std::make_unique_for_overwrite<char[]>(count);
  for (size_t done = 0; done < count;) {
    const auto at = static_cast<off_t>(begin + done);
    const auto n = persist([&] { return ::pread(descriptor_, bytes.get() + done, count - done, at); });
    if (n < 0) cannot_read(name_);
    if (n == 0) failed("The file ", name_, " was cut while it was read");
    done += static_cast<size_t>(n);
  }
  return bytes;
}

FileWriter::FileWriter(const std::filesystem::path& file, bool append)
    : file_(file), buffer_(std::make_unique_for_overwrite<char[]>(room)) {
  std::error_code none;
  if (std::filesystem::is_symlink(file, none)) file_ = std::filesystem::weakly_canonical(file, none);
  const auto status = std::filesystem::status(file_, none);
  // Devices and pipes are never replaced.
  const bool replaceable = std::filesystem::is_regular_file(status) || !std::filesystem::exists(status);
  if (append || !replaceable)
    open_old(O_APPEND);
  else
    open_new();
}

void FileWriter::open_new() {
  temporary_ = temporary_beside(file_);
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  descriptor_ = persist([&] { return ::open(temporary_.c_str(), flags, 0666); });
  struct stat status;
  if (descriptor_ >= 0) {
    // A replaced file keeps its mode.
    if (::stat(file_.c_str(), &status) == 0) (void)::fchmod(descriptor_, status.st_mode & 07777);
    return;
  }
  temporary_.clear();
  // Where no file can be made, an existing one may still be written over.
  if (::access(file_.c_str(), W_OK) != 0) fail();
  open_old(O_TRUNC);
}

void FileWriter::open_old(int flags) {
  struct stat status;
  created_ = ::stat(file_.c_str(), &status) != 0;
  descriptor_ = persist([&] { return ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666); });
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) fail();
  if (S_ISREG(status.st_mode) && !(flags & O_TRUNC)) old_size_ = status.st_size;
}

FileWriter::~FileWriter() {
  if (descriptor_ < 0) return;
  if (old_size_ >= 0) (void)!::ftruncate(descriptor_, old_size_);
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  if (created_) ::unlink(file_.c_str());
}

void FileWriter::fail() const {
  failed("Could not write model to ", file_.string(), ": ", std::strerror(errno));
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
  for (size_t done = 0; done < used_;) {
    const auto n = persist([&] { return ::write(descriptor_, buffer_.get() + done, used_ - done); });
    if (n < 0) fail();
    done += static_cast<size_t>(n);
  }
  used_ = 0;
}

void FileWriter::commit() {
  flush();
  // Pipes and terminals cannot be forced to a disk.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) fail();
  if (!temporary_.empty() && ::rename(temporary_.c_str(), file_.c_str()) != 0) fail();
  ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace dynet::engine
