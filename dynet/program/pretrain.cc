// Reading and writing word vectors.
#include "dynet/program/pretrain.h"

#include <fstream>
#include <sstream>

namespace dynet {

using namespace engine;

void save_pretrained_embeddings(const std::string& file, const Dict& dict, const LookupParameter& table) {
  if (dict.size() > table.rows())
    invalid("save_pretrained_embeddings: ", dict.size(), " words for a table of ", table.rows(), " rows");
  std::ofstream out(file);
  out.precision(9);
  for (unsigned i = 0; i < dict.size(); ++i) {
    out << dict.convert(static_cast<int>(i));
    for (real x : as_vector(table.row_values(i))) out << ' ' << x;
    out << '\n';
  }
  if (!out) failed("Could not write the word vectors to ", file);
}

void read_pretrained_embeddings(const std::string& file, Dict& dict,
                                std::unordered_map<int, std::vector<real>>& vectors) {
  std::ifstream in(file);
  if (!in) failed("Could not read word vectors from ", file);
  size_t size = 0, number = 0;
  for (std::string line, word; std::getline(in, line);) {
    ++number;
    std::istringstream parts(line);
    std::vector<real> vector;
    if (!(parts >> word)) continue;
    for (real x; parts >> x;) vector.push_back(x);
    if (number == 1 && vector.size() == 1 && word.find_first_not_of("0123456789") == std::string::npos)
      continue;
    if (size == 0) size = vector.size();
    if (!parts.eof() || vector.size() != size || size == 0)
      failed(file, ", line ", number, ": a word and ", size, " numbers are needed; ", vector.size(),
             " numbers could be read");
    if (dict.is_frozen() && !dict.contains(word)) continue;
    vectors[dict.convert(word)] = std::move(vector);
  }
}

}  // namespace dynet
