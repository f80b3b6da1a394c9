#!/usr/bin/env bash
# networkx 3.6.1: maximum_spanning_arborescence (Chu-Liu/Edmonds) of a graph in which one arc is forbidden by the
# weight -inf, or -1e30: it returns a worse tree than the best, though the best does not use that arc, and the
# weights on it are NaN or 0 in place of those that were given. With -1e9, or without the arc, the tree is right.
# One would expect the best tree, since -inf is the logarithm of 0 and compares well, or an error. It matters
# because dependency parsers mask impossible heads with just these numbers before they decode.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile networkx==3.6.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import math
import sys

import networkx

print("networkx", networkx.__version__)
allowed = {("root", "a"): 1.0, ("root", "b"): 3.0, ("b", "a"): 4.0}


def best(forbidden):
    graph = networkx.DiGraph()
    for (head, word), weight in allowed.items():
        graph.add_edge(head, word, weight=weight)
    if forbidden is not None:
        graph.add_edge("a", "b", weight=forbidden)
    tree = networkx.maximum_spanning_arborescence(graph)
    return sorted(tree.edges), [tree.edges[arc]["weight"] for arc in sorted(tree.edges)]


right, worse = [("b", "a"), ("root", "b")], [("root", "a"), ("root", "b")]
for weight, described in ((None, right), (-1e9, right), (-1e30, worse), (-math.inf, worse)):
    arcs, weights = best(weight)
    total = sum(allowed[arc] for arc in arcs)
    print(
        f"arc a->b with weight {weight}: {arcs}, whose weights sum to {total}; weights on the tree: {weights}"
    )
    kept = weights == [allowed[arc] for arc in arcs]
    if arcs != described or kept != (described is right):
        sys.exit(f"This differs from the description, which has {described}")
PY
