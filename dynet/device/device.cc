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
Device* const Tensor::device = get_device_manager()->get(0);

Tensor::Tensor(const Dim& dim, real* numbers, const Device* device, DeviceMempool) : Tensor(dim, numbers) {
  check_device("Tensor", device);
}

}  // namespace dynet

namespace dynet::engine {

void check_device(std::string_view call, const Device* device) {
  if (device && (device->type != DeviceType::CPU || device->name != "CPU"))
    invalid(call, ": device \"", device->name, "\"; \"CPU\" is the only one");
}

}  // namespace dynet::engine
