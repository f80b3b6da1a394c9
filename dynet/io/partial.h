// Partial files: what is written lies beside the file that it will replace, and is locked while its writer
// lives.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dynet::engine {

/// A file descriptor, which is closed at the end of its scope.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }

  explicit operator bool() const { return number_ >= 0; }
  operator int() const { return number_; }
  void close();

 private:
  int number_ = -1;
};

/// A file that is removed at the end of its scope, unless it is to stay.
struct Partial {
  Partial() = default;
  Partial(Partial&&) = default;
  Partial& operator=(Partial&&) = default;
  ~Partial();

  std::filesystem::path name;
  Descriptor descriptor;  // it holds the lock
  bool stays = false;
};

/// A new one with the mode of `file`. Where none can be made, it has no descriptor, and errno says why.
Partial open_partial(const std::filesystem::path& file);

/// Those of a file, of writers that live or have died; the newest first.
std::vector<std::filesystem::path> partial_files(const std::filesystem::path& file);

/// Removes those whose writers have died.
void remove_dead_partials(const std::filesystem::path& file);

/// The name that a file's partial files begin with, and another end.
std::filesystem::path beside(const std::filesystem::path& file, std::string_view end);

/// Whether a file that was opened still has its name.
bool is_still(int descriptor, const std::filesystem::path& name);

/// Forces the names in a file's folder to the disk, where the system can.
void sync_folder_of(const std::filesystem::path& file);

/// Where a file lies in truth, if it is a link. Those of /proc lead to what is open, and are not followed.
/// Throws where links lead round in a circle.
std::filesystem::path behind_links(const std::filesystem::path& file);

}  // namespace dynet::engine
