// Under which names parameters stand in a file: their own, or what a key makes of them.
#pragma once

#include <string>

#include "dynet/core/error.h"
#include "dynet/params/collection.h"
#include "dynet/params/init.h"

namespace dynet::engine {

inline bool is_key(const std::string& key) {
  return key != "/" && key.find_first_of(" #\n") == std::string::npos;
}

/// The key of one parameter, or its full name where there is no key.
inline const std::string& name_in_file(const Storage& s, const std::string& key) {
  if (!is_key(key)) invalid("Key could not include ' ' or '#': ", key);
  return key.empty() ? s.name : key;
}

/// One parameter is read by its name in the file.
inline void check_key(const std::string& key, const char* caller) {
  if (key.empty())
    invalid(caller, ": it requires non-empty key: the name that a parameter or table has in the file");
}

/// What the names in a file begin with: "key/".
inline std::string prefix_of(const std::string& key) {
  return key.empty() || key.back() == '/' ? key : key + '/';
}

/// Calls visit(name in the file, storage) for all parameters, then for all lookup tables; the prefix takes
/// the place of the collection's own name, unless it is empty.
template <class Visit>
void visit_under(const ParameterCollection& collection, const std::string& prefix, Visit visit) {
  const std::string& own = collection.get_fullname();
  const auto visit_one = [&](auto& s) {
    const bool inside = s.name.starts_with(own);  // unless a file has named it
    visit(prefix.empty() ? s.name : prefix + s.name.substr(inside ? own.size() : s.name.starts_with('/')), s);
  };
  for (const auto& p : collection.parameters_list()) visit_one(*p);
  for (const auto& l : collection.lookup_parameters_list()) visit_one(*l);
}

/// As visit_under(), for a key that a user gives.
template <class Visit>
void visit_named(const ParameterCollection& collection, const std::string& key, Visit visit) {
  if (!is_key(key) || (!key.empty() && key[0] != '/'))
    invalid("Key should start with '/' and could not include ' ' or '#': ", key);
  visit_under(collection, prefix_of(key), visit);
}

/// Leaves a new parameter as it was made: zero.
struct Untouched : ParameterInit {
  void initialize_params(Tensor&) const override {}
};

}  // namespace dynet::engine
