// The one device, for programs that name it.
#include "dynet/device/device.h"

namespace dynet {

using namespace engine;

DeviceManager::DeviceManager() {
  static Device cpu;
  all_ = {&cpu};
}

Device* DeviceManager::get(size_t id) const {
  if (id > 0) bad_index("device ", id, " was asked for; the CPU, number 0, is the only one");
  return all_[0];
}

Device* DeviceManager::get_global_device(std::string_view name) const {
  if (!name.empty() && name != "CPU") failed("Invalid device name: ", name, "; 'CPU' is the only one");
  return all_[0];
}

DeviceManager* get_device_manager() {
  static DeviceManager manager;
  return &manager;
}

Device* const default_device = get_device_manager()->get(0);

}  // namespace dynet
