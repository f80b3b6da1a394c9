// Model files in the format that the name of the file asks for.
#pragma once

#include <filesystem>
#include <memory>

#include "dynet/io/file.h"
#include "dynet/io/records.h"
#include "dynet/io/safetensors.h"
#include "dynet/io/text.h"
#include "python/src/sharing.h"

namespace dynet::python {

/// Writes a collection or a parameter. What is learned is locked while it is read, but not while the file,
/// which may be a pipe, or who else replaces it, is waited for.
template <class What>
void save_to(const std::filesystem::path& file, bool append, const What& what, const std::string& key) {
  const auto save = [&](const auto& saver) {
    while (true) {
      const auto written = [&] {
        const Working working;  // other threads change gradients, which files have, too
        return saver.write(what, key);
      }();
      const Unlocked unlocked;
      if (written->commit()) return;
    }
  };
  is_safetensors(file) ? save(SafetensorsSaver(file, append)) : save(TextFileSaver(file, append));
}

/// Calls use(loader). What is learned is not locked while a file, which may be a pipe, is read.
template <class Use>
auto with_loader(const std::filesystem::path& file, Use use) {
  if (is_safetensors(file)) return use(SafetensorsLoader(file));
  const auto read = [&] {
    const Unlocked unlocked;
    return std::make_shared<Records>(file);
  };
  return use(TextFileLoader(file, read()));
}

}  // namespace dynet::python
