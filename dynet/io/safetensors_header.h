// The header of a safetensors file: the name, type, shape and place of each tensor, as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dynet/io/file.h"

namespace dynet::engine {

/// One tensor of a file; its bytes lie in [begin, end) of the data behind the header.
struct TensorEntry {
  std::string name, type;  // the type as files call it: "F32"
  std::vector<size_t> shape;
  size_t begin = 0, end = 0;
  std::string sum;  // the checksum of the bytes, where the file has one

  size_t size() const { return end - begin; }
};

/// A header that was understood, and where the data begins.
struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  // in the order of their data
  size_t data_start = 0;
};

/// Bytes of one number, or 0 for a type that is not known.
size_t type_size(std::string_view type);

/// Reads the header of a file. Everything is checked: the tensors fill the data with no hole and no overlap.
/// Throws std::runtime_error; the file is named in it.
SafetensorsHeader read_header(const FileParts& file);

/// The bytes of one tensor. Throws std::runtime_error where its checksum is wrong.
FileParts::Bytes read_tensor(const FileParts& file, const SafetensorsHeader& header,
                             const TensorEntry& entry);

/// The length and the JSON, padded to a multiple of eight bytes. The metadata, which other readers pass over,
/// have the checksums of the tensors, then that of all before it. They are the last entry: a file that
/// another program wrote with a copy of our metadata has them elsewhere, and the checksums do not count.
std::string write_header(const std::vector<TensorEntry>& entries);

}  // namespace dynet::engine
