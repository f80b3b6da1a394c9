// Helpers for texts, which DyNet 2 had in dynet/str-util.h.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace dynet {

inline bool startswith(const std::string& text, const std::string& beginning) {
  return text.compare(0, beginning.size(), beginning) == 0;
}
inline bool endswith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The elements with spaces between.
template <class T>
std::string print_vec(const std::vector<T>& elements) {
  std::ostringstream out;
  for (size_t i = 0; i < elements.size(); ++i) out << (i > 0 ? " " : "") << elements[i];
  return out.str();
}
/// Each in brackets.
template <class T>
std::string print_vecs(const std::vector<std::vector<T>>& lists) {
  std::string all;
  for (const auto& elements : lists) all += (all.empty() ? "[" : " [") + print_vec(elements) + "]";
  return all;
}

}  // namespace dynet
