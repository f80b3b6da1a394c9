"""The headers are read as they are written, and every public name of C++ is on a page of the reference."""

import code_blocks
import cpp_names
import pytest

pytestmark = pytest.mark.skipif(not cpp_names.is_there(), reason=cpp_names.MISSING)
HEADER = """// What it is,
// in two lines.
//
// More of it.
#pragma once

namespace dynet::engine {
/// What things have in common.
struct Base {
  int shared = 1;
};
int inside();
}  // namespace dynet::engine

namespace dynet {

/// A thing
/// of a kind.
class Thing : public engine::Base {
 public:
  explicit Thing(int n = 3) : n_(n) {}
  /// Its size.
  virtual unsigned size() const = 0;
  const Pair& hide(std::vector<int> list = {}, Pair two = {1, {2}}) const { return two; }
  void at(unsigned n = 0);
  Thing(const Thing&) = delete;
  ~Thing();
  double rate = 0.5;

 private:
  int secret() const;
  int n_;
};

struct Told {
  static constexpr auto name = "told";
  static constexpr auto doc = R"(
      Two words.

      >>> print(1)
      1)";
};

/// Adds "{".
inline int add(int a, int b) { return a + b; }
enum class Mode { first, second };

}  // namespace dynet
"""


def test_what_is_read_of_a_header(tmp_path):
    (tmp_path / "dynet").mkdir()
    (tmp_path / "dynet" / "thing.h").write_text(HEADER)
    add, base, mode, thing, told = cpp_names.names(tmp_path)
    assert (thing.text, thing.declaration) == ("A thing of a kind.", "class Thing : public engine::Base")
    assert [(member.text, member.declaration) for member in thing.members] == [
        ("", "double rate = 0.5"),
        ("", "Thing(int n = 3)"),
        ("Its size.", "unsigned size() const"),
        ("", "const Pair& hide(std::vector<int> list = {}, Pair two = {1, {2}}) const"),
        ("", "void at(unsigned n = 0)"),
    ]
    assert (add.text, add.declaration, add.file) == ('Adds "{".', "int add(int a, int b)", "dynet/thing.h")
    assert (base.name, [member.declaration for member in base.members]) == (
        "engine::Base",
        ["int shared = 1"],
    )
    assert (told.text, [member.name for member in told.members]) == ("Two words.", ["name"])
    assert (mode.declaration, mode.text) == ("enum class Mode", "`first`, `second`")


def test_what_a_header_says_of_itself():
    assert cpp_names.sentence("dynet/dynet.h") == "Everything a C++ program needs of DyNet."


def test_every_name_is_on_a_page():
    pages = (cpp_names.ROOT / "docs" / "reference" / "cpp").glob("*.md")
    fences = [fence for page in pages for fence in code_blocks.fences(page.read_text(encoding="utf-8"))]
    named = {
        word for fence in fences if fence.kind.startswith("{dynet-cpp} ") for word in fence.kind.split()[1:]
    }
    assert {each.name for each in cpp_names.names() if not {each.file, each.name} & named} == set()
