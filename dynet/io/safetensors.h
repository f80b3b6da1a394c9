// Model files in the safetensors format, which other toolkits read too: tensors by name, and no gradients.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dynet/params/collection.h"

namespace dynet::engine {
class FileWriter;
}

namespace dynet {

/// Whether a file's name says that it is in this format, by ending in ".safetensors".
bool is_safetensors(const std::filesystem::path& file);

/// Writes a file as TextFileSaver does; the names in it must differ. Tensors lie by rows, so that other
/// toolkits see the shape and the numbers of as_array(): a matrix {r,c} as r rows, a lookup table with its
/// rows first.
class SafetensorsSaver {
 public:
  explicit SafetensorsSaver(std::filesystem::path file, bool append = false)
      : file_(std::move(file)), append_(append) {}

  /// All parameters and lookup tables; with a key it takes the place of the collection's own name.
  void save(const ParameterCollection& collection, const std::string& key = "");
  /// Under the key, or under its full name.
  void save(const Parameter& parameter, const std::string& key = "");
  void save(const LookupParameter& lookup, const std::string& key = "");

  /// What save() does but for the last step, which is commit().
  std::unique_ptr<engine::FileWriter> write(const ParameterCollection& collection,
                                            const std::string& key) const;
  std::unique_ptr<engine::FileWriter> write(const Parameter& parameter, const std::string& key) const;
  std::unique_ptr<engine::FileWriter> write(const LookupParameter& lookup, const std::string& key) const;

 private:
  using Named = std::vector<std::pair<std::string, const engine::Storage*>>;
  std::unique_ptr<engine::FileWriter> write(const Named& named) const;

  std::filesystem::path file_;
  bool append_;
};

/// Reads a file of any writer; floats of other sizes are converted. Nothing changes when something is wrong.
class SafetensorsLoader {
 public:
  explicit SafetensorsLoader(std::filesystem::path file) : file_(std::move(file)) {}

  /// By name: the parameter "/a" of the root is filled from "key/a". The file must hold just those under the
  /// key.
  void populate(ParameterCollection& collection, const std::string& key = "") const;
  void populate(Parameter& parameter, const std::string& key = "") const;
  void populate(LookupParameter& lookup, const std::string& key = "") const;
  /// Adds a parameter with the key as its name, shape and numbers from the file.
  Parameter load_param(ParameterCollection& collection, const std::string& key) const;
  LookupParameter load_lookup_param(ParameterCollection& collection, const std::string& key) const;

 private:
  std::filesystem::path file_;
};

}  // namespace dynet
