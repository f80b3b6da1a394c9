"""`python -m dynet info`: which DyNet this is, what of the machine it uses; --cmake-dir: where its C++ is."""

import pathlib
import sys

import dynet


def info() -> str:
    """What a report of a fault should contain."""
    lines = {
        "dynet": dynet.__version__,
        "python": sys.version.split()[0],
        "numbers": dynet.__precision__,
        "instruction sets": ", ".join(dynet.instruction_sets()),
        "threads": dynet.get_num_threads(),
        "operations": len(dynet.ops()),
    }
    return "\n".join(f"{name:<17}{value}" for name, value in lines.items())


def cmake_dir() -> str:
    """The folder that CMake's find_package(dynet) needs as dynet_DIR."""
    return str(pathlib.Path(__file__).parent / "lib" / "cmake" / "dynet")


def pkg_config_dir() -> str:
    """The folder that pkg-config needs in PKG_CONFIG_PATH."""
    return str(pathlib.Path(__file__).parent / "lib" / "pkgconfig")


ANSWERS = {"info": info, "--cmake-dir": cmake_dir, "--pkg-config-dir": pkg_config_dir}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in ANSWERS:
        print(f"usage: python -m dynet {' | '.join(ANSWERS)}", file=sys.stderr)
        return 2
    print(ANSWERS[arguments[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
