"""The include-direction check sees includes that point the wrong way."""

import pytest
import rooms

FILES = {f"dynet/{room}/a.h": "" for room in rooms.ROOMS} | {"dynet/train/rules.h": "", "dynet/dynet.h": ""}


@pytest.mark.parametrize(
    ("source", "included", "right"),
    [
        ("dynet/graph/b.h", "dynet/core/a.h", True),
        ("dynet/graph/b.h", "dynet/graph/a.h", True),
        ("dynet/graph/b.cc", "dynet/run/a.h", False),
        ("dynet/core/b.h", "dynet/device/a.h", False),
        ("dynet/nn/b.h", "dynet/run/a.h", False),
        ("dynet/cpu/b.cc", "dynet/ops/a.h", True),
        ("dynet/cpu/b.cc", "dynet/train/rules.h", True),
        ("dynet/cpu/b.cc", "dynet/train/a.h", False),
        ("dynet/cpu/b.cc", "dynet/graph/a.h", False),
        ("dynet/run/b.cc", "dynet/cpu/a.h", False),
        ("python/src/b.cc", "dynet/run/a.h", True),
        ("python/src/b.cc", "dynet/dynet.h", True),
        ("python/src/b.cc", "dynet/cpu/a.h", False),
        ("tests/cpp/b_test.cc", "dynet/cpu/a.h", True),
        ("dynet/dynet.h", "dynet/nn/a.h", True),
        ("dynet/dynet.h", "dynet/cpu/a.h", False),
        ("dynet/ops/b.h", "dynet/dynet.h", False),
    ],
)
def test_direction(checkout, source, included, right):
    checkout(FILES | {source: f'  #  include "{included}"\n#include <vector>\n'})
    complaints = rooms.check(checkout.root)
    assert len(complaints) == (0 if right else 1)
    assert all(complaint.startswith(f"{source}: ") and included in complaint for complaint in complaints)


@pytest.mark.parametrize(("source", "right"), [("examples/a.cc", True), ("dynet/ops/b.h", False)])
def test_programs_may_use_the_old_header_names(checkout, source, right):
    checkout(
        FILES
        | {"cmake/headers.cmake": "set(DYNET2_HEADERS dict\n expr)", source: '#include "dynet/expr.h"\n'}
    )
    assert len(rooms.check(checkout.root)) == (0 if right else 1)


def test_nothing_includes_the_bindings(checkout):
    checkout({"python/src/a.h": "", "dynet/ops/b.h": '#include "python/src/a.h"\n'})
    assert len(rooms.check(checkout.root)) == 1


def test_paths_start_at_the_root(checkout):
    checkout({"dynet/core/a.h": "", "dynet/core/b.h": '#include "a.h"\n'})
    assert rooms.check(checkout.root) == [
        "dynet/core/b.h: includes a.h, which is no file: write the path from the root, dynet/core/dim.h"
    ]


def test_a_new_room_must_be_listed(checkout):
    checkout({"dynet/attic/a.h": ""})
    assert rooms.check(checkout.root) == ["dynet/attic/a.h: attic is no room yet: list it in tools/rooms.py"]


def test_ignored_files_are_left_out(checkout):
    checkout({".gitignore": "build/\n", "build/x/a.h": '#include "none.h"\n'})
    assert rooms.check(checkout.root) == []
