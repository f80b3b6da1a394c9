"""Pictures of the current graph in Graphviz's language: every operation, as it is, without an option."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dynet import _dynet
from dynet._dynet import Expression, LookupParameters
from dynet.arguments import told

LookupNames = Mapping["LookupParameters | str", "Sequence[str] | Mapping[int, str]"]

_LEAVES = ("input", "input_from_memory", "constant", "parameter", "lookup")
_MOST_INDICES = 8  # longer lists are cut


class _Node(NamedTuple):
    op: str
    args: tuple[int, ...]
    sizes: tuple[int, ...]
    batch: int
    indices: tuple[int, ...]
    name: str | None  # of a parameter or lookup table

    def shape(self) -> str:
        sizes = ",".join(map(str, self.sizes))
        return f"{{{sizes}}}" + (f"x{self.batch}" if self.batch > 1 else "")


class _Picture:
    """What the nodes of a graph are called."""

    def __init__(
        self,
        nodes: list[_Node],
        compact: bool,
        show_dims: bool,
        expression_names: Mapping[int, str],
        lookup_names: Mapping[str, Sequence[str] | Mapping[int, str]],
    ) -> None:
        self.nodes = nodes
        self.compact = compact
        self.show_dims = show_dims
        self.expression_names = expression_names
        self.lookup_names = lookup_names

    def row(self, node: _Node, index: int) -> str:
        """A row of a table, by the name that the caller has for it."""
        names = self.lookup_names.get(node.name or "", {})
        try:
            return names[index]
        except (KeyError, IndexError):
            return str(index)

    def is_inside(self, number: int) -> bool:
        """Whether the node is written into those that use it."""
        return self.compact and self.nodes[number].op in _LEAVES

    def text(self, number: int) -> str:
        """What the node computes."""
        node = self.nodes[number]
        known = self.expression_names.get(number)
        if node.op == "lookup":
            rows = [self.row(node, index) for index in node.indices[:_MOST_INDICES]]
        else:
            rows = [str(index) for index in node.indices[:_MOST_INDICES]]
        if len(node.indices) > _MOST_INDICES:
            rows.append("...")
        inside = [self.text(arg) for arg in node.args if self.is_inside(arg)]
        details = ", ".join([*([node.name] if node.name else []), *inside, *rows])
        what = node.op + (f"({details})" if details else "")
        return f"{known} = {what}" if known else what

    def lines(self) -> Iterator[str]:
        yield "digraph G {"
        yield "  rankdir=BT;"
        yield "  nodesep=.05;"
        for number, node in enumerate(self.nodes):
            if self.is_inside(number):
                continue
            label = self.text(number) + (f"\\n{node.shape()}" if self.show_dims else "")
            shape = "box" if node.op in _LEAVES else "ellipse"
            yield f'  N{number} [label="{_escaped(label)}", shape={shape}];'
            for arg in node.args:
                if not self.is_inside(arg):
                    yield f"  N{arg} -> N{number};"
        yield "}"


def _escaped(label: str) -> str:
    return label.replace('"', '\\"')


@told
def print_graphviz(
    compact: bool = False,
    show_dims: bool = True,
    expression_names: Mapping[Expression, str] | None = None,
    lookup_names: LookupNames | None = None,
    collapse_birnns: bool = False,
) -> None:
    """Prints the current graph in Graphviz's language to stdout.

    compact: inputs and parameters are written into the nodes that use them.
    show_dims: each node shows its shape.
    expression_names: what the caller calls some expressions.
    lookup_names: for lookup tables (or their full names) the names of their rows.
    collapse_birnns: has no effect, as a graph knows operations and no builders.

    >>> y = dy.tanh(dy.scalarInput(1))
    >>> dy.print_graphviz()
    digraph ...
    """
    for argument, names in (("expression_names", expression_names), ("lookup_names", lookup_names)):
        if names is not None and not isinstance(names, Mapping):
            raise TypeError(f"print_graphviz: {argument} is {_dynet._a_kind(names)}; a dictionary is needed")
    for key in expression_names or ():
        if not isinstance(key, Expression):
            raise TypeError(f"print_graphviz: a key of expression_names is {key!r}; an Expression is needed")
    expressions = {_dynet._node_index(e): name for e, name in (expression_names or {}).items()}
    tables = {
        table if isinstance(table, str) else table.name(): names
        for table, names in (lookup_names or {}).items()
    }
    nodes = [_Node(*node) for node in _dynet.cg()._nodes()]
    print("\n".join(_Picture(nodes, compact, show_dims, expressions, tables).lines()))
