// A tree of named collections that own what is learned.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dynet/device/device.h"
#include "dynet/params/init.h"
#include "dynet/params/lookup.h"
#include "dynet/params/parameter.h"

namespace dynet::engine {

/// What the handles of one collection share. Parameters are listed in it and in all its ancestors.
struct CollectionStorage {
  std::string name = "/";  // ends with a slash
  std::shared_ptr<CollectionStorage> parent;
  real weight_decay = 0;  // of each update by a trainer of this collection
  std::vector<std::shared_ptr<ParameterStorage>> parameters;
  std::vector<std::shared_ptr<LookupParameterStorage>> lookups;
  std::unordered_map<std::string, unsigned> parameter_names, collection_names;  // how often each was given
  std::unordered_set<std::string> names_of_files;  // of the root: what parameters were called by files

  std::unordered_map<std::string, unsigned>& names(bool of_collections) {
    return of_collections ? collection_names : parameter_names;
  }
};

/// The collection that a collection lies in, and that lies in no other.
std::shared_ptr<CollectionStorage> root_of(std::shared_ptr<CollectionStorage> collection);

/// Gives a parameter of a collection the name that a file has for it; where another one of all that belong
/// together has that, a number follows.
void give_name(Storage& parameter, const std::string& name);

/// Σ g² over the gradient; of a lookup table over the rows that were used.
double squared_gradient(const ParameterStorage& p);
double squared_gradient(LookupParameterStorage& l);

/// Weight decay of collections made from now on without one of their own.
real default_weight_decay();
void set_default_weight_decay(real lambda);

/// The parameters and lookup tables there are whose memory is shared with processes forked later.
std::vector<std::shared_ptr<Storage>> shared_storages();

}  // namespace dynet::engine

namespace dynet {

class ParameterCollection {
 public:
  using Parameters = std::vector<std::shared_ptr<ParameterStorage>>;
  using Lookups = std::vector<std::shared_ptr<LookupParameterStorage>>;

  /// A root, named "/".
  ParameterCollection();
  /// Another handle of a collection.
  explicit ParameterCollection(std::shared_ptr<engine::CollectionStorage> storage)
      : storage_(std::move(storage)) {}

  // Who names a device may name the CPU, which is the only one.
  Parameter add_parameters(const Dim& dim, const ParameterInit& init, const std::string& name = "",
                           const Device* device = nullptr);
  /// Uniform in ±scale, or Glorot's initialisation when scale is 0.
  Parameter add_parameters(const Dim& dim, real scale = 0, const std::string& name = "",
                           const Device* device = nullptr);
  Parameter add_parameters(const Dim& dim, const std::string& name, const Device* device = nullptr) {
    return add_parameters(dim, 0, name, device);
  }
  Parameter add_parameters(const Dim& dim, engine::DevicePointer auto device) {
    return add_parameters(dim, 0, "", device);
  }
  Parameter add_parameters(const Dim& dim, real scale, engine::DevicePointer auto device) {
    return add_parameters(dim, scale, "", device);
  }
  Parameter add_parameters(const Dim& dim, const ParameterInit& init, engine::DevicePointer auto device) {
    return add_parameters(dim, init, "", device);
  }

  /// A table of n rows of shape dim.
  LookupParameter add_lookup_parameters(unsigned n, const Dim& dim, const ParameterInit& init,
                                        const std::string& name = "", const Device* device = nullptr);
  LookupParameter add_lookup_parameters(unsigned n, const Dim& dim, real scale = 0,
                                        const std::string& name = "", const Device* device = nullptr);
  LookupParameter add_lookup_parameters(unsigned n, const Dim& dim, const std::string& name,
                                        const Device* device = nullptr) {
    return add_lookup_parameters(n, dim, 0, name, device);
  }
  LookupParameter add_lookup_parameters(unsigned n, const Dim& dim, engine::DevicePointer auto device) {
    return add_lookup_parameters(n, dim, 0, "", device);
  }
  LookupParameter add_lookup_parameters(unsigned n, const Dim& dim, real scale,
                                        engine::DevicePointer auto device) {
    return add_lookup_parameters(n, dim, scale, "", device);
  }
  LookupParameter add_lookup_parameters(unsigned n, const Dim& dim, const ParameterInit& init,
                                        engine::DevicePointer auto device) {
    return add_lookup_parameters(n, dim, init, "", device);
  }

  /// Weight decay is that of this collection unless lambda is given.
  ParameterCollection add_subcollection(const std::string& name = "", real lambda = -1);

  /// In order of creation, with those of sub-collections.
  const Parameters& parameters_list() const { return storage_->parameters; }
  const Lookups& lookup_parameters_list() const { return storage_->lookups; }
  /// By full name.
  std::shared_ptr<ParameterStorage> get_parameter_storage(const std::string& name) const;
  std::shared_ptr<LookupParameterStorage> get_lookup_parameter_storage(const std::string& name) const;
  const Parameters& get_parameter_storages() const { return parameters_list(); }
  const Lookups& get_lookup_parameter_storages() const { return lookup_parameters_list(); }

  /// Numbers in all parameters and lookup tables; in those that trainers change.
  size_t parameter_count() const;
  size_t updated_parameter_count() const;
  /// Parameters and lookup tables.
  size_t size() const { return parameters_list().size() + lookup_parameters_list().size(); }
  const std::string& get_fullname() const { return storage_->name; }

  /// √Σ g² over the gradients of what trainers change; of a lookup table over the rows that were used.
  double gradient_l2_norm() const;
  void reset_gradient();
  /// Scales all numbers that trainers change so that √Σ w² over them is at most radius; returns what it was.
  double project_weights(real radius = 1);
  void set_updated_param(Parameter p, bool updated) { p.set_updated(updated); }
  void set_updated_param(LookupParameter p, bool updated) { p.set_updated(updated); }
  bool is_updated_param(const Parameter& p) const { return p.is_updated(); }
  bool is_updated_param(const LookupParameter& p) const { return p.is_updated(); }
  // The same by DyNet 2's names.
  void set_updated_param(const Parameter* p, bool updated) { set_updated_param(*p, updated); }
  void set_updated_lookup_param(const LookupParameter* p, bool updated) { set_updated_param(*p, updated); }
  bool is_updated_param(const Parameter* p) const { return p->is_updated(); }
  bool is_updated_lookup_param(const LookupParameter* p) const { return p->is_updated(); }

  void set_weight_decay_lambda(real lambda);
  real get_weight_decay_lambda() const { return storage_->weight_decay; }
  /// The weight decay as an object of its own. What is read has it in it: the factor that is left is 1.
  struct WeightDecay;
  WeightDecay get_weight_decay() const;

  engine::CollectionStorage& get_storage() const { return *storage_; }
  const std::shared_ptr<engine::CollectionStorage>& share() const { return storage_; }
  /// True for two handles of one collection.
  bool operator==(const ParameterCollection&) const = default;

 private:
  std::shared_ptr<engine::CollectionStorage> storage_;
};

struct ParameterCollection::WeightDecay {
  void set_lambda(real lambda) { of.set_weight_decay_lambda(lambda); }
  real get_lambda() const { return of.get_weight_decay_lambda(); }
  real current_weight_decay() const { return 1; }

  ParameterCollection of;
};
inline ParameterCollection::WeightDecay ParameterCollection::get_weight_decay() const { return {*this}; }

using Model = ParameterCollection;

}  // namespace dynet
