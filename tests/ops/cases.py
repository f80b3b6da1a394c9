"""The table of operations: for each its inputs, an independent NumPy reference, and calls that must fail."""

from cases_attention import BUILDING_BLOCKS
from cases_elementwise import BINARY, GATES, ROUNDING, UNARY
from cases_linear import LINEAR
from cases_losses import LOSSES, NORMS, SOFTMAX
from cases_nodes import LEAVES, RANDOM, RECURRENT
from cases_parts import SELECTIONS, SHAPES
from cases_reductions import REDUCTIONS
from cases_structured import STRUCTURES

ELEMENTWISE = UNARY + ROUNDING + BINARY + GATES
CASES = (
    ELEMENTWISE
    + REDUCTIONS
    + LINEAR
    + SHAPES
    + SELECTIONS
    + SOFTMAX
    + LOSSES
    + NORMS
    + RANDOM
    + LEAVES
    + RECURRENT
    + BUILDING_BLOCKS
    + STRUCTURES
)

# Operations of C++ alone, with tests in tests/cpp, and what tests/python/test_cell.py tests.
ELSEWHERE = {"input_from_memory", "sparsemax_loss", "recorded_cell"}
