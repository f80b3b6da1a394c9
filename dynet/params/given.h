// Builders that are made anew of parameters that are there, such as those of a pickle.
#pragma once

#include <memory>
#include <vector>

#include "dynet/params/collection.h"

namespace dynet::engine {

/// While it lives, what the calling thread adds to collections is not made, but taken from here in order:
/// sub-collections from a list, and parameters from those of the first of them.
class Given {
 public:
  explicit Given(std::vector<ParameterCollection> collections);
  ~Given();
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;

  /// That of the calling thread, or null.
  static Given* current();
  /// The same for who adds to this collection: others may add to their own meanwhile, as finalizers do.
  static Given* current(const ParameterCollection& to);
  const ParameterCollection& next_collection();
  /// std::invalid_argument if it has another shape.
  const std::shared_ptr<ParameterStorage>& next_parameter(const Dim& dim);
  /// std::invalid_argument if something of the list was not asked for.
  void check_all_taken() const;

 private:
  const std::vector<ParameterCollection> collections_;
  size_t collections_taken_ = 0, parameters_taken_ = 0;
  Given* const before_;
};

}  // namespace dynet::engine
