// The two files of Python's dy.save: NAME.data has the numbers, NAME.meta says what they are.
#pragma once

#include <filesystem>
#include <string_view>

#include "dynet/io/file.h"

namespace dynet::engine {

/// Each of the two files is replaced in one step, but not both at once. A process may end between the two,
/// and the second step may fail: then the new .meta file lies beside as a partial file, where loads find it.
class PairWriter {
 public:
  explicit PairWriter(const std::filesystem::path& base)
      : data_(named(base, ".data"), Writing::beside), meta_(named(base, ".meta"), Writing::beside) {}

  FileWriter& data() { return data_; }
  FileWriter& meta() { return meta_; }
  /// Both are put in their places, and are on the disk. Until then the old ones stay.
  void commit();

 private:
  static std::filesystem::path named(std::filesystem::path base, const char* suffix) {
    return base += suffix;
  }

  FileWriter data_, meta_;
};

}  // namespace dynet::engine
