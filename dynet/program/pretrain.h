// Files of word vectors: a line is a word and its numbers, separated by spaces.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "dynet/core/dict.h"
#include "dynet/params/lookup.h"

namespace dynet {

/// A row of the table for each word of the vocabulary.
void save_pretrained_embeddings(const std::string& file, const Dict& dict, const LookupParameter& table);
/// The vectors by the numbers of their words. Words that the vocabulary does not know are added to it, or
/// left out where it is frozen. A first line of two numbers, their count and size, is allowed.
void read_pretrained_embeddings(const std::string& file, Dict& dict,
                                std::unordered_map<int, std::vector<real>>& vectors);

}  // namespace dynet
