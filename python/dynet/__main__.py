"""`python -m dynet info`: says which DyNet this is, and what of the machine it uses."""

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


def main(arguments: list[str]) -> int:
    if arguments != ["info"]:
        print("usage: python -m dynet info", file=sys.stderr)
        return 2
    print(info())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
