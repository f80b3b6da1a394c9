"""What a process chooses before it starts: dynet_config, command-line options and environment variables."""

import atexit
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import dynet_config
from dynet import _dynet
from dynet.arguments import told


def _integer(name: str, given: Any) -> int:
    try:
        return int(given)
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: {given!r} was given; a whole number is needed") from None
    except TypeError:
        raise TypeError(f"{name}: {given!r} was given; a whole number is needed") from None


def _whole(option: str, text: Any) -> int:
    number = _integer(option, text)
    if number < 0:
        raise ValueError(f"{option}: {number} was given; a number from 0 on is needed")
    return number


def _decay(name: str, given: Any) -> float:
    try:
        decay = float(given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {given!r} was given; a number is needed") from None
    if not 0 <= decay < 1:
        raise ValueError(f"{name}: {decay} was given; a number from 0 to below 1 is needed")
    return decay


def _cpu_only(names: str) -> None:
    """Checks a list of devices: the CPU is the only one."""
    devices = names.split(",")
    if any("GPU" in name for name in devices):
        raise RuntimeError(f"--dynet-devices: {names}: DyNet was built without GPUs; CPU is the only device")
    if devices != ["CPU"]:
        raise ValueError(f"--dynet-devices: {names!r} was given; 'CPU' is needed")


def _calls_of_ours() -> int:
    """How many calls lie between a warning and the program that it is for."""
    count, frame = 1, sys._getframe(1)
    while frame.f_back and os.path.dirname(frame.f_code.co_filename) == os.path.dirname(__file__):
        count, frame = count + 1, frame.f_back
    return count


class DynetParams:
    """The choices of a process: seed, batching, weight decay, threads and profiling. They count from init()
    on. Memory and GPUs are accepted, as programs of DyNet 2 name them, and have no effect. The command line
    and dynet_config say the same before the import.

    >>> params = dy.DynetParams()
    >>> params.set_random_seed(7); params.init()
    """

    def __init__(self) -> None:
        self._seed = 0
        self._weight_decay = 0.0
        self._threads = 0
        self._profiling = 0
        self._policy: str | None = None

    def __repr__(self) -> str:
        return (
            f"DynetParams: seed {self._seed}, weight decay {self._weight_decay}, threads {self._threads}, "
            f"profiling {self._profiling}, batching policy {self._policy}"
        )

    def from_config(self, conf: Mapping[str, Any]) -> None:
        """Takes the choices of a dictionary as dynet_config.set() makes it; what it does not name stays, and
        so do seed and batching where it names 0. TypeError for what is no dictionary.

        >>> params = dy.DynetParams()
        >>> params.from_config({"seed": 7}); params
        DynetParams: seed 7, weight decay 0.0, threads 0, profiling 0, batching policy None
        """
        if not isinstance(conf, Mapping):
            raise TypeError(f"from_config: conf is {_dynet._a_kind(conf)}; a dictionary of options is needed")
        if conf.get("seed"):
            self.set_random_seed(conf["seed"])
        if conf.get("autobatch"):
            self.set_autobatch(conf["autobatch"])
        if "weight_decay" in conf:
            self.set_weight_decay(conf["weight_decay"])
        if "profiling" in conf:
            self.set_profiling(conf["profiling"])
        self.set_shared_parameters(bool(conf.get("shared_params")))
        self.set_requested_gpus(conf.get("requested_gpus", 0))
        self.set_gpu_mask(conf.get("gpu_mask") or ())

    def from_args(self, shared_parameters: bool | None = None) -> None:
        """Takes the --dynet options of the command line, as --dynet-seed 7; they stay in sys.argv, except
        --dynet-viz. ValueError for an option without its value, or with a wrong one.
        """
        arguments = getattr(sys, "argv", [])
        arguments[:] = [each for each in arguments if each not in ("--dynet-viz", "--dynet_viz")]
        self.set_shared_parameters(bool(shared_parameters))
        for option, value in _options(arguments[1:]):
            _TAKE[option](self, value)

    def init(self) -> None:
        """Makes the choices count from now on, for the whole process: a seed of 0 and threads of 0 leave what
        there is.
        """
        if self._seed:
            _dynet.reset_random_seed(self._seed)
        _dynet._set_default_weight_decay(self._weight_decay)
        if self._threads:
            _dynet.set_num_threads(self._threads)
        if self._policy:
            _dynet.set_batching_policy(self._policy)
        _profiler.start(self._profiling)

    def set_mem(self, mem: object) -> None:
        """Has no effect: memory grows as it is needed, and is used again by the next graph. Any argument is
        welcome.
        """

    @told
    def set_random_seed(self, random_seed: int) -> None:
        """Chooses the seed of all random numbers, a whole number; 0, as at first, leaves the one that was
        drawn when DyNet was imported.
        """
        self._seed = _integer("set_random_seed", random_seed)

    @told
    def set_autobatch(self, autobatch: int) -> None:
        """Chooses how nodes are grouped into batches: 0 not at all, 2 by depth, other numbers by the agenda,
        which is the default; see set_batching_policy.
        """
        self._policy = {0: "single", 2: "depth"}.get(_integer("set_autobatch", autobatch), "agenda")

    @told
    def set_profiling(self, profiling: int) -> None:
        """Prints at the end of the process how long each operation took (1), and also in which batches it ran
        (2); 0 prints nothing.
        """
        self._profiling = _integer("set_profiling", profiling)

    @told
    def set_weight_decay(self, weight_decay: float) -> None:
        """Chooses the weight decay of collections made from now on, a number from 0 to below 1; see
        ParameterCollection.set_weight_decay. ValueError for another one.
        """
        self._weight_decay = _decay("set_weight_decay", weight_decay)

    @told
    def set_threads(self, threads: int) -> None:
        """Chooses how many threads may compute, as dy.set_num_threads does; 0, as at first, leaves what there
        is.
        """
        self._threads = _whole("set_threads", threads)

    def set_shared_parameters(self, shared_parameters: bool) -> None:
        """Warns with a RuntimeWarning where True is given: unlike those of C++, processes that Python forks
        share no parameters but those made within dy.mp.shared_parameters().
        """
        if shared_parameters:
            warnings.warn(
                "set_shared_parameters: each process that Python forks trains a model of its own; "
                "dy.mp shares parameters between processes, and dy.distributed trains in several",
                RuntimeWarning,
                stacklevel=_calls_of_ours(),
            )

    @told
    def set_requested_gpus(self, requested_gpus: int) -> None:
        """Accepts 0, as there are no GPUs here; RuntimeError for another number, which a program would wait
        for in vain.
        """
        if requested_gpus:
            raise RuntimeError(f"{requested_gpus} GPUs were asked for; DyNet was built without them")

    @told
    def set_gpu_mask(self, gpu_mask: Iterable[int]) -> None:
        """Accepts a list of zeros, one for each GPU that is not wanted, or an empty one. RuntimeError where
        one is wanted, ValueError for other numbers.
        """
        if not isinstance(gpu_mask, Iterable):
            raise TypeError(f"GPU mask {gpu_mask!r} was given; a list of 0 and 1 is needed")
        mask = list(gpu_mask)
        if any(bit not in (0, 1) for bit in mask):
            raise ValueError(f"GPU mask {mask} was given; a list of 0 and 1 is needed")
        self.set_requested_gpus(sum(mask))

    def set_cpu_mode(self) -> None:
        """Has no effect: the CPU is the only device, so that every program runs in the mode that this asks
        for.
        """


class _Profiler:
    """Prints the times of all operations when the process ends."""

    def __init__(self) -> None:
        self._level = 0
        self._registered = False

    def start(self, level: int) -> None:
        self._level = level
        _dynet._set_profiling(level > 0)
        if level and not self._registered:
            atexit.register(self._print)
            self._registered = True

    def _print(self) -> None:
        if self._level:
            print(_dynet._profile(self._level > 1), end="")


_profiler = _Profiler()


def _no_gpu(params: DynetParams, value: str) -> None:
    raise RuntimeError("--dynet-gpu: DyNet was built without GPUs")


# What each option does with its value, by the option's beginning.
_TAKE: dict[str, Callable[[DynetParams, str], None]] = {
    "mem": lambda params, value: params.set_mem(value),
    "seed": lambda params, value: params.set_random_seed(_whole("--dynet-seed", value)),
    "autobatch": lambda params, value: params.set_autobatch(_whole("--dynet-autobatch", value)),
    "profiling": lambda params, value: params.set_profiling(_whole("--dynet-profiling", value)),
    "weight-decay": lambda params, value: params.set_weight_decay(_decay("--dynet-weight-decay", value)),
    "threads": lambda params, value: params.set_threads(_whole("--dynet-threads", value)),
    "devices": lambda params, value: _cpu_only(value),
    "shared-parameters": lambda params, value: params.set_shared_parameters(True),
    "gpu": _no_gpu,
}
_WITHOUT_VALUE = ("gpu", "shared-parameters")


def _options(arguments: list[str]) -> Iterator[tuple[str, str]]:
    """The DyNet options among arguments, with their values; unknown ones are left to the program."""
    for position, argument in enumerate(arguments):
        name, has_value, value = argument.partition("=")
        name = name.replace("_", "-")
        option = next((known for known in _TAKE if name.startswith(f"--dynet-{known}")), None)
        if option is None:
            continue
        if not has_value and option not in _WITHOUT_VALUE:
            following = arguments[position + 1 : position + 2]
            if not following or following[0].startswith("--"):
                raise ValueError(f"{argument} expects an argument")
            value = following[0]
        yield option, value


@told
def init(shared_parameters: bool | None = None) -> None:
    """Starts again with the options of the command line, as --dynet-seed 7, which DyNet has read when it was
    imported: seed, batching, weight decay, threads and profiling are what they say from now on. A program
    need not call it. shared_parameters=True warns, as DynetParams.set_shared_parameters.

    >>> dy.init()
    """
    params = DynetParams()
    params.from_args(shared_parameters)
    params.init()


@told
def init_from_params(params: DynetParams) -> None:
    """Starts again with these choices, as params.init() does: seed, batching, weight decay, threads and
    profiling. TypeError for anything but DynetParams.

    >>> params = dy.DynetParams()
    >>> params.set_random_seed(7)
    >>> dy.init_from_params(params)
    """
    if not isinstance(params, DynetParams):
        raise TypeError(f"init_from_params: {params!r} was given; DynetParams are needed")
    params.init()


def init_at_import() -> None:
    """Starts with the options of the command line and dynet_config's choices, which come before them."""
    params = DynetParams()
    params.set_threads(_whole("DYNET_NUM_THREADS", os.environ.get("DYNET_NUM_THREADS", "0")))
    params.from_args()
    conf = dynet_config.get()
    if conf is not None:
        params.from_config(conf)
    params.init()
