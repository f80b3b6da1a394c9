// What is added to collections on trial: it is taken out again when what it is for fails.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "dynet/core/dim.h"

namespace dynet::engine {

struct CollectionStorage;
struct Storage;

/// What one thread adds to collections. What others add meanwhile is not counted, and stays.
class Additions {
 public:
  Additions() = default;
  Additions(const Additions&) = delete;
  Additions& operator=(const Additions&) = delete;

  /// While it lives, what the calling thread adds counts, here and for those that were noted before.
  class Noted {
   public:
    explicit Noted(Additions& additions);
    ~Noted();
    Noted(const Noted&) = delete;
    Noted& operator=(const Noted&) = delete;

   private:
    Additions* const before_;
  };

  /// Whether it was added here.
  bool has(const Storage& parameter) const;
  /// Adding throws from so many numbers more on.
  void limit(size_t numbers) { room_ = numbers; }
  void lift() { room_ = SIZE_MAX; }
  /// Takes all of it out. Names that nobody has got since are free again.
  void undo();

  // Collections say what happens to them.
  static void take_room(const Dim& dim);
  static void add(const std::shared_ptr<CollectionStorage>& collection, const Storage& parameter);
  static void add(const std::shared_ptr<CollectionStorage>& subcollection);
  static void name(const std::shared_ptr<CollectionStorage>& collection, bool of_collection,
                   const std::string& name);

 private:
  struct Named {
    std::shared_ptr<CollectionStorage> collection;
    bool of_collection;
    std::string name;
    unsigned given;  // how often, with this
  };

  Additions* outer_ = nullptr;
  std::unordered_set<std::shared_ptr<const Storage>> parameters_;
  std::unordered_set<std::shared_ptr<CollectionStorage>> collections_, new_;  // the second stay whole
  std::vector<Named> names_;
  size_t room_ = SIZE_MAX;
};

}  // namespace dynet::engine
