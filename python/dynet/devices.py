"""The devices that programs can ask for: the CPU."""

from typing import NamedTuple

from dynet.arguments import told

HAVE_CUDA = False


class DeviceInfo(NamedTuple):
    """What is known of a device."""

    name: str
    id: int
    type: int


@told
def available_devices() -> list[str]:
    """The names of all devices."""
    return ["CPU"]


@told
def get_device_info(name: str) -> DeviceInfo:
    """What is known of a device; RuntimeError if there is none of this name."""
    if name != "CPU":
        raise RuntimeError(f"Invalid device name: {name}; 'CPU' is the only one")
    return DeviceInfo(name, 0, -1)
