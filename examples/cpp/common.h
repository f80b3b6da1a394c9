// What the examples share: their command line, and reading the tables that examples/export.py writes.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Options {
  std::string data = ".", save, load;
  unsigned epochs = 0, batch = 0;
  bool smoke = false;
};

/// Reads the options that are left when DyNet has taken its own.
inline Options parse_options(int argc, char** argv, unsigned epochs, unsigned batch) {
  Options chosen;
  chosen.epochs = epochs, chosen.batch = batch;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--smoke") {
      chosen.smoke = true, chosen.epochs = 1;
      continue;
    }
    if (i + 1 == argc) throw std::invalid_argument(name + " needs a value");
    const std::string value = argv[++i];
    if (name == "--data")
      chosen.data = value;
    else if (name == "--save")
      chosen.save = value;
    else if (name == "--load")
      chosen.load = value;
    else if (name == "--epochs")
      chosen.epochs = static_cast<unsigned>(std::stoul(value));
    else if (name == "--batch")
      chosen.batch = static_cast<unsigned>(std::stoul(value));
    else
      throw std::invalid_argument("unknown option " + name);
  }
  if (!chosen.load.empty()) chosen.epochs = 0;
  return chosen;
}

/// What lies between the marks.
inline std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, mark);) parts.push_back(part);
  return parts;
}

/// The lines of a file in the folder of the data.
inline std::vector<std::string> lines_of(const Options& chosen, const std::string& name) {
  std::ifstream file(chosen.data + "/" + name);
  if (!file)
    throw std::runtime_error(chosen.data + "/" + name +
                             " is not there; `python examples/export.py FOLDER` writes it");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// The first few of a list if the run is only to see that all works.
template <class T>
void shorten(const Options& chosen, std::vector<T>& list, size_t most) {
  if (chosen.smoke && list.size() > most) list.resize(most);
}

/// The number of a word; 0 if it is not in the table.
inline unsigned row_of(const std::map<std::string, unsigned>& table, const std::string& word) {
  const auto found = table.find(word);
  return found == table.end() ? 0 : found->second;
}
