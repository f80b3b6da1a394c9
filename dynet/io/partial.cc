// The names and locks of partial files. The system unlocks what a killed process had locked.
#include "dynet/io/partial.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "dynet/core/checksum.h"
#include "dynet/core/error.h"

namespace dynet::engine {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view suffix = ".partial";

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : "."; }

/// What their names begin with. Where a name would become too long, its checksum takes its place.
std::string prefix_of(const fs::path& file) {
  constexpr size_t longest = 190;
  const std::string name = file.filename().string();
  return (name.size() > longest ? checksum_of(name) : name) + ".dynet-";
}

bool is_of_proc(const fs::path& link) {
  std::error_code none;
  return fs::canonical(folder_of(link), none).native().starts_with("/proc/");
}

/// A number that no other writer has, in this container or another.
std::string unique() {
  static std::atomic<unsigned> count{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return text(::getpid(), '-', std::hex, now, '-', count++);
}

}  // namespace

fs::path beside(const fs::path& file, std::string_view end) {
  return folder_of(file) / (prefix_of(file) + std::string(end));
}

void Descriptor::close() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

Partial::~Partial() {
  if (descriptor && !stays) ::unlink(name.c_str());
}

Partial open_partial(const fs::path& file) {
  while (true) {
    Partial made;
    made.name = beside(file, unique() + std::string(suffix));
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int number = -1;
    do number = ::open(made.name.c_str(), flags, 0666);
    while (number < 0 && errno == EINTR);
    if (number < 0 && errno == EEXIST) continue;
    made.descriptor = Descriptor(number);
    if (number < 0) return made;
    struct stat status;
    if (::stat(file.c_str(), &status) == 0) (void)::fchmod(number, status.st_mode & 07777);
    // Between the two calls another writer may have taken it for a dead one's.
    const bool locked = ::flock(number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    if (locked && is_still(number, made.name)) return made;
  }
}

std::vector<fs::path> partial_files(const fs::path& file) {
  const std::string prefix = prefix_of(file);
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code none;
  for (fs::directory_iterator at(folder_of(file), none), end; !none && at != end; at.increment(none)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(suffix)) {
      std::error_code gone;
      found.emplace_back(at->last_write_time(gone), at->path());
    }
  }
  std::ranges::sort(found, std::greater());
  std::vector<fs::path> names;
  for (auto& [time, name] : found) names.push_back(std::move(name));
  return names;
}

void remove_dead_partials(const fs::path& file) {
  for (const fs::path& name : partial_files(file)) {
    constexpr int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    Descriptor open(::open(name.c_str(), O_RDWR | flags));  // network file systems lock no other
    if (!open) open = Descriptor(::open(name.c_str(), O_RDONLY | flags));
    if (open && ::flock(open, LOCK_EX | LOCK_NB) == 0 && is_still(open, name)) ::unlink(name.c_str());
  }
}

bool is_still(int descriptor, const fs::path& name) {
  struct stat open, named;
  return ::fstat(descriptor, &open) == 0 && ::lstat(name.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

void sync_folder_of(const fs::path& file) {
  const Descriptor folder(::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) (void)::fsync(folder);
}

fs::path behind_links(const fs::path& file) {
  fs::path target = file;
  std::error_code none;
  // What a link names need not be there yet.
  for (int links = 0; fs::is_symlink(target, none) && !is_of_proc(target); ++links) {
    if (links == 40) failed("Could not write model to ", file.string(), ": ", std::strerror(ELOOP));
    const fs::path next = fs::read_symlink(target, none);
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target;
}

}  // namespace dynet::engine
