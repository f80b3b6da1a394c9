// A load that adds several parameters and builders to a collection: all of them or nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dynet/io/records.h"
#include "dynet/params/collection.h"

namespace dynet::engine {

class Loading {
 public:
  Loading(ParameterCollection collection, std::shared_ptr<Records> records);
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;
  /// Without commit() the collection is what it was.
  ~Loading();

  Parameter load_param(const std::string& key);
  LookupParameter load_lookup_param(const std::string& key);
  /// What the file holds under the key goes into a collection that was made for it. Parameters that were
  /// there before change only by commit().
  void populate(ParameterCollection& collection, const std::string& key);
  /// No more may be added to the collection than the file has numbers under the key; until lift().
  void limit(const std::string& key);
  void lift() { collection_.get_storage().room = SIZE_MAX; }
  void commit();
  void undo();

 private:
  ParameterCollection collection_;
  std::shared_ptr<Records> records_;
  CollectionSnapshot before_;
  std::vector<std::function<void()>> late_;  // what commit() does
  bool done_ = false;
};

}  // namespace dynet::engine
