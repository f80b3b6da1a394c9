// What a load has added is taken away again unless all of it could be read.
#include "dynet/io/loading.h"

#include <algorithm>
#include <utility>

#include "dynet/io/keys.h"
#include "dynet/io/text.h"

namespace dynet::engine {

Loading::Loading(ParameterCollection collection, std::shared_ptr<Records> records)
    : collection_(std::move(collection)), records_(std::move(records)), before_(collection_.get_storage()) {}

Loading::~Loading() {
  if (!done_) undo();
}

Parameter Loading::load_param(const std::string& key) {
  return TextFileLoader(records_->file(), records_).load_param(collection_, key);
}

LookupParameter Loading::load_lookup_param(const std::string& key) {
  return TextFileLoader(records_->file(), records_).load_lookup_param(collection_, key);
}

void Loading::populate(ParameterCollection& collection, const std::string& key) {
  const auto is_old = [&](const auto& s) { return before_.has(*s); };
  const TextFileLoader loader(records_->file(), records_);
  if (std::ranges::none_of(collection.parameters_list(), is_old) &&
      std::ranges::none_of(collection.lookup_parameters_list(), is_old))
    return loader.populate(collection, key);
  late_.push_back(loader.prepare(collection, key));
}

void Loading::limit(const std::string& key) {
  const std::string prefix = prefix_of(key);
  size_t room = 0;
  for (size_t place = 0; const Record* r = records_->at(place); ++place)
    if (r->name.starts_with(prefix)) room += r->dim.size();
  collection_.get_storage().room = room;
}

void Loading::commit() {
  lift();
  for (const auto& change : late_) change();
  late_.clear();
  done_ = true;
}

void Loading::undo() {
  lift();
  before_.restore();
  late_.clear();
  done_ = true;
}

}  // namespace dynet::engine
