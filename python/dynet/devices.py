"""The devices that programs can ask for: the CPU."""

from typing import NamedTuple

from dynet.arguments import told

HAVE_CUDA = False


class DeviceInfo(NamedTuple):
    """What is known of a device, as a named tuple: its name, its id, which is 0, and its type, which is -1
    for the CPU, as in DyNet 2.

    >>> dy.get_device_info("CPU")
    DeviceInfo(name='CPU', id=0, type=-1)
    """

    name: str
    id: int
    type: int


@told
def available_devices() -> list[str]:
    """The names of all devices that get_device_info and the argument `device` of inputs take. The CPU is the
    only one.

    >>> dy.available_devices()
    ['CPU']
    """
    return ["CPU"]


@told
def get_device_info(name: str) -> DeviceInfo:
    """What is known of a device: a DeviceInfo with name, id and type. RuntimeError if there is none of this
    name.

    >>> dy.get_device_info("CPU").name
    'CPU'
    """
    if name != "CPU":
        raise RuntimeError(f"Invalid device name: {name}; 'CPU' is the only one")
    return DeviceInfo(name, 0, -1)
