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
  size_t num_devices() const { return 1; }
  const std::vector<Device*>& get_devices() const { return all_; }
  Device* get(size_t id) const {
    if (id > 0) bad_index("device ", id, " was asked for; the CPU, number 0, is the only one");
    return all_[0];
  }
  /// std::runtime_error if there is none of this name; the default device has no name.
  Device* get_global_device(std::string_view name) const {
    if (!name.empty() && name != "CPU") failed("Invalid device name: ", name, "; 'CPU' is the only one");
    return all_[0];
  }

 private:
  inline static Device cpu_;
  std::vector<Device*> all_{&cpu_};
};

inline DeviceManager* get_device_manager() {
  static DeviceManager manager;
  return &manager;
}

/// Where everything is.
inline Device* const default_device = get_device_manager()->get(0);

}  // namespace dynet
