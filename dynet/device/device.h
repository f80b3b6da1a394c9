// The devices that programs can name: the CPU.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dynet/core/error.h"
#include "dynet/core/tensor.h"

namespace dynet {

enum class DeviceType { CPU, GPU };  // there are devices of the first kind only

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

/// Nothing: memory is not set aside in pools.
inline void show_pool_mem_info() {}

}  // namespace dynet

namespace dynet::engine {

/// std::invalid_argument, which begins with the call, for another device than the CPU; null is the default.
void check_device(std::string_view call, const Device* device);

/// A pointer to a device, and not a number that may be one.
template <class T>
concept DevicePointer =
    std::same_as<T, Device*> || std::same_as<T, const Device*> || std::same_as<T, std::nullptr_t>;

}  // namespace dynet::engine
