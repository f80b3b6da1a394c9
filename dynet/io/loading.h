// A load that adds several parameters and builders to a collection: all of them or nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dynet/io/records.h"
#include "dynet/params/additions.h"
#include "dynet/params/collection.h"

namespace dynet::engine {

class Loading {
 public:
  Loading(ParameterCollection collection, std::shared_ptr<Records> records)
      : collection_(std::move(collection)), records_(std::move(records)) {}
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

  /// What the loading thread adds is noted while what this returns lives.
  Additions::Noted note() { return Additions::Noted(added_); }
  Parameter load_param(const std::string& key);
  LookupParameter load_lookup_param(const std::string& key);
  /// What the file holds under the key goes into a collection that was made for it. Parameters that were
  /// there before change only by commit().
  void populate(ParameterCollection& collection, const std::string& key);
  /// No more may be added to the collection than the file has numbers under the key; until lift().
  void limit(const std::string& key);
  void lift() { added_.lift(); }
  void commit();
  /// The collection is what it was, but for what other threads have added.
  void undo();

 private:
  ParameterCollection collection_;
  std::shared_ptr<Records> records_;
  Additions added_;
  std::vector<std::function<void()>> late_;  // what commit() does
};

}  // namespace dynet::engine
