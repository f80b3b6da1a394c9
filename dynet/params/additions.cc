// Notes what the calling thread adds, and takes it out of the lists again.
#include "dynet/params/additions.h"

#include <ranges>

#include "dynet/core/error.h"
#include "dynet/params/collection.h"

namespace dynet::engine {
namespace {

thread_local Additions* innermost = nullptr;

}  // namespace

Additions::Noted::Noted(Additions& additions) : before_(innermost) {
  additions.outer_ = before_;
  innermost = &additions;
}
Additions::Noted::~Noted() { innermost = before_; }

bool Additions::has(const Storage& parameter) const {
  return parameters_.contains(parameter.shared_from_this());
}

void Additions::take_room(const Dim& dim) {
  for (Additions* a = innermost; a; a = a->outer_) {
    if (a->room_ == SIZE_MAX) continue;
    if (dim.size() > a->room_)
      failed("a parameter of shape ", dim, " is described, and numbers for less than that are in the file");
    a->room_ -= dim.size();
  }
}

void Additions::add(const std::shared_ptr<CollectionStorage>& collection, const Storage& parameter) {
  for (Additions* a = innermost; a; a = a->outer_) {
    a->parameters_.insert(parameter.shared_from_this());
    for (auto c = collection; c && a->collections_.insert(c).second; c = c->parent) {
    }
  }
}

void Additions::add(const std::shared_ptr<CollectionStorage>& subcollection) {
  for (Additions* a = innermost; a; a = a->outer_) a->new_.insert(subcollection);
}

void Additions::name(const std::shared_ptr<CollectionStorage>& collection, bool of_collection,
                     const std::string& name) {
  for (Additions* a = innermost; a; a = a->outer_)
    a->names_.push_back({collection, of_collection, name, collection->names(of_collection)[name]});
}

void Additions::undo() {
  const auto ours = [this](const auto& s) { return has(*s); };
  for (const auto& c : collections_) {
    if (new_.contains(c)) continue;
    const auto take_out = [&](auto& list) {
      for (const auto& s : list)
        if (ours(s)) c->names_of_files.erase(s->name);
      std::erase_if(list, ours);
    };
    take_out(c->parameters);
    take_out(c->lookups);
  }
  for (const Named& n : names_ | std::views::reverse)
    if (auto& given = n.collection->names(n.of_collection); given[n.name] == n.given) --given[n.name];
  parameters_.clear();
  collections_.clear();
  new_.clear();
  names_.clear();
}

}  // namespace dynet::engine
