"""Reads pickles from files of others: nothing that they name is run, but for the makers listed here.

What a pickle asks for is never larger than the pickle itself: no number in it is the size of something.
"""

import collections
import pickle
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

from dynet import plain_classes
from dynet.plain import NumpyName, attribute, bad, check_array, encode_latin, is_array, refuse, typed, union

# Nodes of a tuple that is hashed, which Python does by recursion and for each place where a part stands.
_KEY_NODES = 1000


class Unpickler:
    """Objects of a text with pickles one after another.

    `find` gives what a module and a name stand for, and whether the pickle may call it. In a rehearsal
    nothing of that is called.
    """

    def __init__(
        self, text: bytes, find: Callable[[str, str], tuple[Any, bool]], rehearsal: bool = False
    ) -> None:
        self.text, self.at, self._find, self._rehearsal = text, 0, find, rehearsal
        self._room = len(text) + 100  # of what is copied: each element once, from where it stands in the text
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._trusted: dict[int, Any] = {}  # what may be called, and what that gave
        self._made: dict[int, Any] = {}  # objects of plain classes
        self.names: list[tuple[int, int]] = []  # where lines with a module and a name begin and end

    def load(self) -> Any:
        """The next object."""
        self._stack, self._marks, self._memo = [], [], {}
        self._trusted, self._made = {}, {}
        text, stack, memo, operations = self.text, self._stack, self._memo, _OPERATIONS
        while True:
            at = self.at
            code = text[at] if at < len(text) else self._take(1)[0]
            self.at = at + 1
            # What a dictionary of words has by the thousand goes without a call.
            if code == 0x58:  # "X": a text
                end = at + 5 + int.from_bytes(text[at + 1 : at + 5], "little")
                if end > len(text):
                    bad("it ends within a text")
                stack.append(str(text[at + 5 : end], "utf-8", "surrogatepass"))
                self.at = end
            elif code == 0x71:  # "q": remembers it
                memo[self._take(1)[0]] = stack[-1]
            elif code == 0x72:  # "r"
                memo[self._number(4)] = stack[-1]
            elif code == 0x4D:  # "M": a number
                stack.append(self._number(2))
            elif code == 0x4A:  # "J"
                stack.append(int.from_bytes(self._take(4), "little", signed=True))
            elif code == 0x2E:  # ".": the end
                return self._pop()
            elif operation := operations.get(code):
                operation(self)
            else:
                bad(f"byte {at} is {code:#x}, which is no operation of plain data")

    # -- the text and the stack

    def _take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.text):
            bad(f"it ends too early: {count} bytes are asked for, {len(self.text) - self.at} are left")
        part = self.text[self.at : end]
        self.at = end
        return part

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _sized(self, size: int) -> bytes:
        return self._take(self._number(size))

    def _line(self) -> bytes:
        end = self.text.find(b"\n", self.at)
        if end < 0:
            bad("a line does not end")
        return self._take(end + 1 - self.at)[:-1]

    def _word(self) -> str:
        """A number or a name."""
        line = self._line()
        if len(line) > 4300:
            bad("a number or a name is too long")
        return line.decode()

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            bad("an operation has no object to work on")
        return self._stack.pop()

    def _top(self) -> Any:
        top = self._pop()
        self._stack.append(top)
        return top

    def _pop_mark(self) -> list[Any]:
        if not self._marks:
            bad("a mark is missing")
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    # -- what may be made

    def _copied(self, values: Any) -> Any:
        """Checks that all that is copied is not more than the text could list."""
        self._room -= len(values)
        if self._room < 0:
            refuse("it makes more than it holds")
        return values

    def _hashable(self, keys: Iterable[Any]) -> None:
        made = self._made
        for key in keys:
            if not isinstance(key, tuple | frozenset) and id(key) not in made:
                continue
            left, nodes = [key], 0
            while left:
                nodes += 1
                if nodes > _KEY_NODES:
                    refuse("it has a key of too many parts")
                part = left.pop()
                if isinstance(part, tuple):
                    left.extend(tuple.__getitem__(part, slice(_KEY_NODES)))
                elif isinstance(part, frozenset):
                    left.extend(part)
                elif id(part) in made:
                    left.extend(plain_classes.parts(part))

    def _sequence(self, args: tuple[Any, ...]) -> Any:
        (values,) = args or ((),)
        if type(values) not in (list, tuple, set, frozenset, bytes):
            refuse("it makes a set or list of something else")
        return self._copied(values)

    def _make_set(self, kind: type, args: tuple[Any, ...]) -> Any:
        values = self._sequence(args)
        self._hashable(values)
        return kind(values)

    def _make_bytearray(self, args: tuple[Any, ...]) -> bytearray:
        if len(args) == 2 and type(args[0]) is str and args[1] == "latin-1":
            args = (self._copied(args[0]).encode("latin-1"),)
        if args and type(args[0]) is not bytes:
            refuse("it makes a bytearray of something else than bytes")
        return bytearray(self._copied(args[0]) if args else b"")

    def _make_bytes(self, args: tuple[Any, ...]) -> bytes:
        return b"" if not args else refuse("it makes bytes of something else")

    def _make_encoded(self, args: tuple[Any, ...]) -> bytes:
        if len(args) != 2 or type(args[0]) is not str or args[1] not in ("latin1", "latin-1"):
            refuse("it encodes something else than a text in latin-1")
        encoded: bytes = self._copied(args[0]).encode("latin-1")
        return encoded

    def _make_numbers(self, kind: Any, args: tuple[Any, ...]) -> Any:
        if not all(type(a) in (int, float) or (a is None and kind is slice) for a in args):
            refuse(f"it makes a {kind.__name__} of something else than numbers")
        return kind(*args)

    def _make_dict(self, kind: Any, args: tuple[Any, ...]) -> Any:
        if kind is collections.defaultdict:
            factory = args[0] if args else None
            if len(args) > 1 or not (factory is None or isinstance(factory, type)):
                refuse("it makes a defaultdict whose default is made by something else than a type")
            return kind(*args)
        (given,) = args or ({},)
        if type(given) is dict:
            return kind(self._copied(given))
        pairs = self._sequence((given,))
        if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
            refuse("it makes a dictionary of something else than pairs")
        self._hashable(pair[0] for pair in pairs)
        return kind(pairs)

    def _make_deque(self, args: tuple[Any, ...]) -> Any:
        if len(args) > 2 or not (len(args) < 2 or args[1] is None or type(args[1]) is int):
            refuse("it makes a deque of something else than a list")
        return collections.deque(self._sequence(args[:1]), *args[1:])

    def _make_array(self, name: str, args: tuple[Any, ...]) -> Any:
        numpy = sys.modules["numpy"]
        if name == "dtype":
            if not args or type(args[0]) is not str or len(args[0]) > 12 or args[0][:1] in "Vv":
                refuse("it holds a type of numbers that is not plain")
            return numpy.dtype(args[0])
        if name == "scalar":
            kind, content = args
            if not is_array(kind, "dtype") or kind.hasobject or len(content) != kind.itemsize:
                refuse("it holds a number that has no plain type")
            return numpy.frombuffer(content, kind)[0]
        if name == "_frombuffer":
            content, kind, shape, order = args
            check_array((1, shape, kind, False, bytes(self._copied(content))))
            return numpy.frombuffer(content, kind).reshape(shape, order=order).copy(order)
        if args[:2] != (numpy.ndarray, (0,)):
            refuse("it makes an array of another kind")
        return numpy.ndarray((0,), "i1")

    def _call(self, function: Any, args: Any) -> Any:
        if type(args) is not tuple:
            bad("something is called without arguments")
        if id(function) in self._trusted:
            return self._trust(_Stand() if self._rehearsal else function(*args))
        if isinstance(function, NumpyName):
            return self._make_array(function.name, args)
        try:
            maker = _MAKERS.get(function)
        except TypeError:
            maker = None
        if maker is not None:
            return maker(self, args)
        for text in args:
            if type(text) is str:
                self._copied(text)
        if plain_classes.is_enum(function):
            return plain_classes.member(function, args)
        return self._made_plain(function, args)

    def _made_plain(self, kind: Any, args: tuple[Any, ...]) -> Any:
        """What a plain class is called for, as an object to be filled where it has attributes."""
        try:
            value, is_open = plain_classes.made(kind, args)
        except TypeError:  # It cannot be looked up, or is not called so.
            refuse(f"it makes an object of {getattr(kind, '__name__', type(kind).__name__)}")
        if is_open:
            self._made[id(value)] = value
        return value

    def _make_attribute(self, args: tuple[Any, ...]) -> Any:
        """What stands for a class within another one, and for the member of an enum."""
        scope, name = args if len(args) == 2 else (None, None)
        if type(name) is not str or not isinstance(scope, type | _Scope):
            refuse("it names builtins.getattr, and asks something else than a class for a class")
        if plain_classes.is_enum(scope) and name in scope.__members__:
            return scope.__members__[name]
        if isinstance(scope, type):
            scope = _Scope(scope.__module__, scope.__qualname__)
        return self._found(scope.module, f"{scope.name}.{name}")

    def _trust(self, value: Any) -> Any:
        self._trusted[id(value)] = value
        return value

    # -- operations that are more than a line

    def _found(self, module: str, name: str) -> Any:
        """What a name stands for; where a class within it is asked for, it need not be allowed itself."""
        try:
            found, trusted = self._find(module, name)
        except pickle.UnpicklingError:
            if not self._stack or self._stack[-1] is not attribute:
                raise
            return _Scope(module, name)
        return self._trust(found) if trusted else found

    def _named(self) -> None:
        begin = self.at
        module, name = self._word(), self._word()
        self.names.append((begin, self.at))
        self._push(self._found(module, name))

    def _stack_named(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            bad("a name is no text")
        self._push(self._found(module, name))

    def _reduce(self) -> None:
        args, function = self._pop(), self._pop()
        self._push(self._call(function, args))

    def _new(self, keywords: bool = False) -> None:
        named = self._pop() if keywords else {}
        args, kind = self._pop(), self._pop()
        if type(args) is not tuple:
            bad("an object is made without arguments")
        if id(kind) not in self._trusted or not isinstance(kind, type):
            self._push(self._made_plain(kind, args))
        else:
            self._push(self._trust(_Stand() if self._rehearsal else kind.__new__(kind, *args, **named)))

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if isinstance(target, _Stand):
            return
        if is_array(target, "dtype"):
            kind = self._stack[-1] = typed(target, state)
            self._memo.update({k: kind for k, v in self._memo.items() if v is target and kind is not target})
        elif is_array(target, "ndarray") and id(target) not in self._trusted:
            check_array(state)
            self._copied(state[4])
            target.__setstate__(state)
        elif id(target) in self._made:
            for each in state if type(state) is tuple else (state,):
                self._copied(each or ())
            plain_classes.fill(target, state)
        elif id(target) not in self._trusted:
            refuse(f"it changes an object of {type(target).__name__}")
        elif hasattr(target, "__setstate__"):
            target.__setstate__(state)
        else:
            # As pickle does, without __setattr__, which may refuse attributes or change them once more.
            attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
            if attributes:
                target.__dict__.update(attributes)
            for name, value in (slots or {}).items():
                setattr(target, name, value)

    def _append(self, values: list[Any]) -> None:
        target = self._top()
        if isinstance(target, list | collections.deque) or id(target) in self._trusted:
            target.extend(values)
        else:
            bad("something is added to what is no list")

    def _add(self, values: list[Any]) -> None:
        target = self._top()
        if not isinstance(target, set):
            bad("something is added to what is no set")
        self._hashable(values)
        target.update(values)

    def _set(self, values: list[Any]) -> None:
        target = self._top()
        if len(values) % 2 or not (isinstance(target, dict) or id(target) in self._trusted):
            bad("a key or its dictionary is missing")
        self._hashable(values[::2])
        for i in range(0, len(values), 2):
            target[values[i]] = values[i + 1]

    def _dict(self) -> None:
        values = self._pop_mark()
        self._push({})
        self._set(values)

    def _frozen(self) -> None:
        values = self._pop_mark()
        self._hashable(values)
        self._push(frozenset(values))

    def _tuple(self, size: int) -> None:
        self._push(tuple([self._pop() for _ in range(size)][::-1]))

    def _drop(self) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._pop()

    def _text_int(self) -> None:
        line = self._word()
        self._push({"00": False, "01": True}[line] if line in ("00", "01") else int(line.rstrip("L")))

    def _text_string(self) -> None:
        line = self._line()
        if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
            bad("a text has no quotes")
        self._push(line[1:-1].decode("unicode_escape").encode("latin-1").decode("ascii"))

    def _get(self, place: int) -> None:
        if place not in self._memo:
            bad(f"object {place} is referred to before it is there")
        self._push(self._memo[place])

    def _put(self, place: int) -> None:
        self._memo[place] = self._top()


class _Scope:
    """The name of a class that another one lies in."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Stand:
    """What would be made, in a rehearsal."""

    def extend(self, values: list[Any]) -> None: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...


# What is called by pickles of plain data.
_MAKERS: dict[Any, Callable[[Unpickler, tuple[Any, ...]], Any]] = {
    attribute: Unpickler._make_attribute,
    union: lambda _, args: plain_classes.union(args),
    encode_latin: Unpickler._make_encoded,
    bytearray: Unpickler._make_bytearray,
    bytes: Unpickler._make_bytes,
    collections.deque: Unpickler._make_deque,
    **{k: lambda self, args, k=k: self._make_set(k, args) for k in (set, frozenset)},  # type: ignore[misc]
    **{k: lambda self, args, k=k: self._make_numbers(k, args) for k in (complex, range, slice)},  # type: ignore[misc]
    **{
        k: lambda self, args, k=k: self._make_dict(k, args)  # type: ignore[misc]
        for k in (collections.Counter, collections.OrderedDict, collections.defaultdict)
    },
}


def _signed(text: bytes) -> int:
    return int.from_bytes(text, "little", signed=True)


def _real(text: bytes) -> float:
    (x,) = struct.unpack(">d", text)
    return float(x)


_U = Unpickler
_OPERATIONS: dict[int, Callable[[Unpickler], Any]] = {
    code[0]: operation
    for code, operation in {
        b"\x80": lambda u: u._take(1),
        b"\x95": lambda u: u._take(8),
        b"(": lambda u: u._marks.append(len(u._stack)),
        b"0": _U._drop,
        b"1": _U._pop_mark,
        b"2": lambda u: u._push(u._top()),
        b"N": lambda u: u._push(None),
        b"\x88": lambda u: u._push(True),
        b"\x89": lambda u: u._push(False),
        b"I": _U._text_int,
        b"L": _U._text_int,
        b"F": lambda u: u._push(float(u._word())),
        b"K": lambda u: u._push(u._take(1)[0]),
        b"\x8a": lambda u: u._push(_signed(u._sized(1))),
        b"\x8b": lambda u: u._push(_signed(u._sized(4))),
        b"G": lambda u: u._push(_real(u._take(8))),
        b"S": _U._text_string,
        b"T": lambda u: u._push(u._sized(4).decode("ascii")),
        b"U": lambda u: u._push(u._sized(1).decode("ascii")),
        b"V": lambda u: u._push(u._line().decode("raw-unicode-escape")),
        b"\x8c": lambda u: u._push(str(u._sized(1), "utf-8", "surrogatepass")),
        b"\x8d": lambda u: u._push(str(u._sized(8), "utf-8", "surrogatepass")),
        b"B": lambda u: u._push(u._sized(4)),
        b"C": lambda u: u._push(u._sized(1)),
        b"\x8e": lambda u: u._push(u._sized(8)),
        b"\x96": lambda u: u._push(bytearray(u._sized(8))),
        b"]": lambda u: u._push([]),
        b"l": lambda u: u._push(u._pop_mark()),
        b"a": lambda u: u._append([u._pop()]),
        b"e": lambda u: u._append(u._pop_mark()),
        b")": lambda u: u._push(()),
        b"t": lambda u: u._push(tuple(u._pop_mark())),
        b"\x85": lambda u: u._tuple(1),
        b"\x86": lambda u: u._tuple(2),
        b"\x87": lambda u: u._tuple(3),
        b"}": lambda u: u._push({}),
        b"d": _U._dict,
        b"s": lambda u: u._set([u._pop(), u._pop()][::-1]),
        b"u": lambda u: u._set(u._pop_mark()),
        b"\x8f": lambda u: u._push(set()),
        b"\x90": lambda u: u._add(u._pop_mark()),
        b"\x91": _U._frozen,
        b"c": _U._named,
        b"\x93": _U._stack_named,
        b"R": _U._reduce,
        b"\x81": _U._new,
        b"\x92": lambda u: u._new(True),
        b"b": _U._build,
        b"g": lambda u: u._get(int(u._word())),
        b"h": lambda u: u._get(u._number(1)),
        b"j": lambda u: u._get(u._number(4)),
        b"p": lambda u: u._put(int(u._word())),
        b"\x94": lambda u: u._put(len(u._memo)),
    }.items()
}
