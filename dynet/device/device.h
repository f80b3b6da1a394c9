// The devices that programs can name: the CPU.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dynet/core/error.h"

namespace dynet {

enum class DeviceType { CPU };

struct Device {
  int device_id = 0;
  DeviceType type = DeviceType::CPU;
  std::string name = "CPU";
};

class DeviceManager {
 public:
  DeviceManager();
  size_t num_devices() const { return 1; }
  const std::vector<Device*>& get_devices() const { return all_; }
  Device* get(size_t id) const;
  /// std::runtime_error if there is none of this name; the default device has no name.
  Device* get_global_device(std::string_view name) const;

 private:
  std::vector<Device*> all_;
};

DeviceManager* get_device_manager();

/// Where everything is.
extern Device* const default_device;

}  // namespace dynet
