// Hands out what is given, and sees whether it fits.
#include "dynet/params/given.h"

#include <algorithm>
#include <utility>

namespace dynet::engine {
namespace {

thread_local Given* innermost_given = nullptr;

}  // namespace

Given::Given(std::vector<ParameterCollection> collections)
    : collections_(std::move(collections)), before_(std::exchange(innermost_given, this)) {}
Given::~Given() { innermost_given = before_; }

Given* Given::current() { return innermost_given; }

Given* Given::current(const ParameterCollection& to) {
  const auto is_given = [&](const ParameterCollection& c) { return &c.get_storage() == &to.get_storage(); };
  return innermost_given && std::ranges::any_of(innermost_given->collections_, is_given) ? innermost_given
                                                                                         : nullptr;
}

const ParameterCollection& Given::next_collection() {
  if (collections_taken_ == collections_.size())
    invalid("a builder has more collections than the ", collections_.size(), " that were given for it");
  return collections_[collections_taken_++];
}

const std::shared_ptr<ParameterStorage>& Given::next_parameter(const Dim& dim) {
  if (collections_.empty()) invalid("a builder has parameters, and no collection was given for it");
  const auto& list = collections_[0].parameters_list();
  if (parameters_taken_ == list.size())
    invalid("a builder has more parameters than the ", list.size(), " of ", collections_[0].get_fullname());
  const auto& parameter = list[parameters_taken_++];
  if (parameter->dim != dim)
    invalid("a builder has a parameter of shape ", dim, " where ", parameter->name, " has shape ",
            parameter->dim);
  return parameter;
}

void Given::check_all_taken() const {
  if (collections_taken_ != collections_.size())
    invalid("a builder has ", collections_taken_, " collections, and ", collections_.size(),
            " were given for it");
}

}  // namespace dynet::engine
