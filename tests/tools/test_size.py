"""The size meter finds every function and its length."""

import pathlib
import textwrap

import pytest
import size

CPP = r"""
// A file with everything that could mislead: { } in comments,
namespace a::b {
namespace {
#define OPEN {
enum class Color : char { red, green };
constexpr int table[] = {1, 2};
const char* text = "}{"; char quote = '"', brace = '{'; int million = 1'000'000;
const char* raw = R"(}}{)";
}  // namespace

struct Row : Base<int> {
 public:
  Row(int x) : a{x}, b(x) {
    for (int i = 0; i < 3; ++i) {
    }
  }
  ~Row() = default;
  int size() const noexcept { return a; }
  bool operator()(int x) const {
    return x;
  }
  int a = 0, b{2};
};

template <class T = int>
auto twice(const T& x) -> decltype(x + x) {
  auto inner = [](auto y) {
    return y;
  };
  return inner(x) + x;
}

template <class T>
  requires Number<T>
void constrained(T x) requires Small<T> {
}

const auto named = [](int x) {
  return x;
};
}  // namespace a::b

extern "C" {
int main(int count, char** words) { return 0; }
}
"""


def test_cpp_functions():
    found = {function.name: function.lines for function in size.cpp_functions(CPP)}
    assert found == {
        "Row": 4,
        "size": 1,
        "operator()": 3,
        "twice": 7,
        "constrained": 4,
        "lambda": 3,
        "main": 1,
    }


def test_cpp_function_begins_at_its_first_line():
    (function,) = size.cpp_functions("\n\nint f(\n    int x) {\n  return x;\n}\n")
    assert function == size.Function("f", 3, 4)


@pytest.mark.parametrize("text", ["int f() {", "}"])
def test_braces_must_balance(text):
    with pytest.raises(ValueError, match="a brace"):
        size.cpp_functions(text)


def test_python_functions():
    text = textwrap.dedent("""
        class A:
            def f(self):
                def g():
                    pass
                return g
        async def h(): pass
    """)
    found = {function.name: function.lines for function in size.python_functions(text)}
    assert found == {"f": 4, "g": 2, "h": 1}


def complaints(name, text):
    return list(size.too_long(pathlib.PurePosixPath(name), text))


def test_limits():
    body = "  f();\n" * size.FUNCTION_LIMIT
    assert complaints("a.cc", "void g() {\n" + body + "}\n")[0].startswith("a.cc:1: g: 62 lines")
    assert complaints("a.py", "x = 1\n" * 501) == ["a.py: 501 lines: the limit is 500; split it"]
    assert complaints("a.py", "x = 1\n" * 500) == []
    assert "cannot be measured" in complaints("a.py", "def f(\n")[0]


def test_report_of_a_checkout(checkout, capsys):
    checkout({"dynet/core/dim.h": "int x;\n" * 3, "python/src/module.cc": "int y;\n", "a.py": "z = 1\n"})
    assert size.report(checkout.root, "HEAD") == []
    printed = capsys.readouterr().out.splitlines()
    assert [line.split() for line in printed[1:]] == [
        ["(root)", "1", "1", "+0"],
        ["core", "1", "3", "+0"],
        ["python/src", "1", "1", "+0"],
        ["all", "3", "5", "+0"],
    ]
