// A vocabulary: words, and the numbers they are known by.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dynet {

/// Words are numbered from 0 in the order in which they came.
class Dict {
 public:
  unsigned size() const { return static_cast<unsigned>(words_.size()); }
  bool contains(const std::string& word) const { return ids_.contains(word); }
  const std::vector<std::string>& get_words() const { return words_; }

  /// The number of a word. A new word gets the next one; in a frozen vocabulary it is the unknown word, or,
  /// where there is none, a std::runtime_error.
  int convert(const std::string& word);
  const std::string& convert(int id) const;

  /// From now on no word is added.
  void freeze() { frozen_ = true; }
  bool is_frozen() const { return frozen_; }
  /// The word that stands for all others; only after freeze(), and once.
  void set_unk(const std::string& word);
  /// Its number, or -1.
  int get_unk_id() const { return unknown_; }
  void clear() { *this = {}; }

 private:
  std::vector<std::string> words_;
  std::unordered_map<std::string, int> ids_;
  bool frozen_ = false;
  int unknown_ = -1;
};

/// The numbers of the words of a line, which are separated by white space.
std::vector<int> read_sentence(const std::string& line, Dict& dict);
/// The same for two sentences with the word ||| between them; std::invalid_argument unless it comes once.
void read_sentence_pair(const std::string& line, std::vector<int>& source, Dict& source_dict,
                        std::vector<int>& target, Dict& target_dict);

}  // namespace dynet
