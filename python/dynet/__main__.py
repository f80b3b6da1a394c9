"""`python -m dynet`: about this DyNet, model files, and the machine's speed; --help lists what it does."""

from __future__ import annotations

import argparse
import pathlib
import sys


def cmake_dir() -> str:
    """The folder that CMake's find_package(dynet) needs as dynet_DIR."""
    return str(pathlib.Path(__file__).parent / "lib" / "cmake" / "dynet")


def pkg_config_dir() -> str:
    """The folder that pkg-config needs in PKG_CONFIG_PATH."""
    return str(pathlib.Path(__file__).parent / "lib" / "pkgconfig")


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    from dynet.command import bench, convert, diff, info, show

    made = argparse.ArgumentParser(
        prog="python -m dynet",
        description="About this DyNet, model files of several formats, and the speed of this machine.",
        epilog="`python -m dynet COMMAND --help` tells more of each. What cannot be read exits with 2.",
    )
    made.add_argument(
        "--cmake-dir",
        dest="answer",
        action="store_const",
        const=cmake_dir,
        help="print the folder that CMake's find_package(dynet) needs as dynet_DIR",
    )
    made.add_argument(
        "--pkg-config-dir",
        dest="answer",
        action="store_const",
        const=pkg_config_dir,
        help="print the folder that pkg-config needs in PKG_CONFIG_PATH",
    )
    commands = made.add_subparsers(title="commands", metavar="COMMAND")
    for module in (info, show, convert, diff, bench):
        module.add(commands)
    return made


def main(arguments: list[str]) -> int:
    known = parser()
    chosen = known.parse_args(arguments)
    if chosen.answer:
        print(chosen.answer())
        return 0
    if not hasattr(chosen, "run"):
        known.print_usage(sys.stderr)
        return 2
    try:
        return int(chosen.run(chosen))
    except BrokenPipeError:  # Whoever reads has seen enough, as `head` has.
        sys.stderr.close()
        return 0
    except (OSError, RuntimeError, ValueError, TypeError, ImportError, MemoryError) as error:
        print(f"python -m dynet {arguments[0]}: {_sentence(error)}", file=sys.stderr)
        return 2


def _sentence(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
