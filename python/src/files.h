// Model files in the format that the name of the file asks for.
#pragma once

#include <filesystem>

#include "dynet/io/safetensors.h"
#include "dynet/io/text.h"

namespace dynet::python {

template <class Use>
void with_saver(const std::filesystem::path& file, bool append, Use use) {
  if (is_safetensors(file)) return use(SafetensorsSaver(file, append));
  use(TextFileSaver(file, append));
}

template <class Use>
auto with_loader(const std::filesystem::path& file, Use use) {
  if (is_safetensors(file)) return use(SafetensorsLoader(file));
  return use(TextFileLoader(file));
}

}  // namespace dynet::python
