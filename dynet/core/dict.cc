// Looking up words, and reading lines of them.
#include "dynet/core/dict.h"

#include <sstream>

#include "dynet/core/error.h"

namespace dynet {

using namespace engine;

int Dict::convert(const std::string& word) {
  const auto known = ids_.find(word);
  if (known != ids_.end()) return known->second;
  if (frozen_) {
    if (unknown_ < 0)
      failed("Unknown word encountered in frozen dictionary: ", word,
             "; call set_unk to have a word for all others");
    return unknown_;
  }
  words_.push_back(word);
  return ids_[word] = static_cast<int>(size()) - 1;
}

const std::string& Dict::convert(int id) const {
  if (id < 0 || id >= static_cast<int>(size()))
    bad_index("Dict::convert: there is no word ", id, "; the vocabulary has ", size());
  return words_[static_cast<size_t>(id)];
}

void Dict::set_unk(const std::string& word) {
  if (!frozen_) failed("Dict::set_unk: the vocabulary still grows; call freeze() first");
  if (unknown_ >= 0) failed("Dict::set_unk: ", words_[static_cast<size_t>(unknown_)], " is the unknown word");
  frozen_ = false;
  unknown_ = convert(word);
  frozen_ = true;
}

std::vector<int> read_sentence(const std::string& line, Dict& dict) {
  std::istringstream words(line);
  std::vector<int> ids;
  for (std::string word; words >> word;) ids.push_back(dict.convert(word));
  return ids;
}

void read_sentence_pair(const std::string& line, std::vector<int>& source, Dict& source_dict,
                        std::vector<int>& target, Dict& target_dict) {
  std::istringstream words(line);
  std::vector<std::string> sides[2];
  int side = 0;
  for (std::string word; words >> word;) {
    if (word != "|||")
      sides[side].push_back(word);
    else if (++side > 1)
      break;
  }
  if (side != 1) invalid("read_sentence_pair: a line with one ||| between two sentences is needed: ", line);
  for (const std::string& word : sides[0]) source.push_back(source_dict.convert(word));
  for (const std::string& word : sides[1]) target.push_back(target_dict.convert(word));
}

}  // namespace dynet
