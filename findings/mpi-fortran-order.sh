#!/usr/bin/env bash
# mpi4py 4.1.2 with MPICH 5.0.2: the calls that take arrays send their memory as it lies and know no axes. When
# one rank holds a matrix in Fortran order and another by rows, Bcast and Send deliver its numbers at other
# places, and Allreduce adds elements that do not belong together; the lower-case bcast, which pickles, does not.
# One would expect an error, since arrays that are strided otherwise are refused ("buffer is not contiguous"). It
# matters because toolkits differ in the order of their weights, and data-parallel training sends weights and
# gradients with just these calls.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==2.4.6 mpi4py==4.1.2 mpich==5.0.2
cat >"$work/orders.py" <<'PY'
import mpi4py
import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
matrix = np.array([[0, 1, 2], [3, 4, 5]], dtype=np.float32)


def check(what, seen, described):
    if world.rank == 1:
        print(f"{what}: {seen}", flush=True)
        if seen != described:
            print(f"This differs from the description, which has {described}", flush=True)
            world.Abort(1)


if world.rank == 1:
    print("mpi4py", mpi4py.__version__, "|", MPI.Get_library_version().splitlines()[0])
mine = np.asfortranarray(matrix) if world.rank == 0 else np.empty_like(matrix)
world.Bcast(mine)
check("Bcast of [[0, 1, 2], [3, 4, 5]] from Fortran order to rows", mine.tolist(), [[0, 3, 1], [4, 2, 5]])

if world.rank == 0:
    world.Send(np.asfortranarray(matrix), 1)
else:
    world.Recv(mine)
check("Send and Recv", mine.tolist(), [[0, 3, 1], [4, 2, 5]])

mine = np.asfortranarray(matrix) if world.rank == 0 else matrix.copy()
total = np.empty_like(matrix)
world.Allreduce(mine, total)
check("Allreduce of twice the matrix", total.tolist(), [[0, 4, 3], [7, 6, 10]])
check("the lower-case allreduce", world.allreduce(mine).tolist(), [[0, 2, 4], [6, 8, 10]])

refused = ""
if world.rank == 1:
    try:
        world.Send(np.zeros((2, 6), dtype=np.float32)[:, ::2], 0)
    except BufferError as error:
        refused = str(error)
check("Send of every second column", refused, "dlpack: buffer is not contiguous")
PY
"$work/venv/bin/mpiexec" -n 2 "$work/venv/bin/python" "$work/orders.py"
