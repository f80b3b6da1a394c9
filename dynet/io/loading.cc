// What a load has added is taken away again unless all of it could be read.
#include "dynet/io/loading.h"

#include <algorithm>

#include "dynet/io/keys.h"
#include "dynet/io/text.h"

namespace dynet::engine {

Parameter Loading::load_param(const std::string& key) {
  return TextFileLoader(records_->file(), records_).load_param(collection_, key);
}

LookupParameter Loading::load_lookup_param(const std::string& key) {
  return TextFileLoader(records_->file(), records_).load_lookup_param(collection_, key);
}

void Loading::populate(ParameterCollection& collection, const std::string& key) {
  const auto is_new = [&](const auto& s) { return added_.has(*s); };
  const TextFileLoader loader(records_->file(), records_);
  if (std::ranges::all_of(collection.parameters_list(), is_new) &&
      std::ranges::all_of(collection.lookup_parameters_list(), is_new))
    return loader.populate(collection, key);
  late_.push_back(loader.prepare(collection, key));
}

void Loading::limit(const std::string& key) {
  const std::string prefix = prefix_of(key);
  size_t room = 0;
  for (size_t place = 0; const Record* r = records_->at(place); ++place)
    if (r->name.starts_with(prefix)) room += r->dim.size();
  added_.limit(room);
}

void Loading::commit() {
  for (const auto& change : late_) change();
  late_.clear();
}

void Loading::undo() {
  added_.undo();
  late_.clear();
}

}  // namespace dynet::engine
