// Model files in the format that the name of the file asks for.
#pragma once

#include <filesystem>
#include <memory>

#include "dynet/io/records.h"
#include "dynet/io/safetensors.h"
#include "dynet/io/text.h"
#include "python/src/sharing.h"

namespace dynet::python {

/// Calls use(saver) without Python's lock, alone with what is learned.
template <class Use>
void with_saver(const std::filesystem::path& file, bool append, Use use) {
  const Working working;
  if (is_safetensors(file)) return use(SafetensorsSaver(file, append));
  use(TextFileSaver(file, append));
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
