"""docs/cpp-reference.md is what the headers say, and the tool reads headers as they are written."""

import cpp_doc

HEADER = """// What it is.
#pragma once

namespace dynet {

class Thing : public Base {
 public:
  static constexpr auto doc = R"(
      A thing; it's
      of a kind.

      >>> dy.Thing(3))";

  explicit Thing(int n = 3) : n_(n) {}
  /// Its size.
  virtual unsigned size() const = 0;
  void hide(std::vector<int> list = {}, Pair two = {1, {2}}) const { if (n_) { list.clear(); } }
  Thing(const Thing&) = delete;
  double rate = 0.5;

 private:
  int secret() const;
  int n_;
};

/// Adds "{".
inline int add(int a, int b) { return a + b; }

}  // namespace dynet

namespace dynet::engine {
int inside();
}  // namespace dynet::engine
"""


def test_up_to_date():
    assert cpp_doc.REFERENCE.read_text(encoding="utf-8") == cpp_doc.reference(), "run: make docs"


def test_what_is_read_of_a_header():
    thing, add = cpp_doc.entries_of(HEADER)
    assert (thing.doc, thing.text) == ("A thing; it's of a kind.", "class Thing : public Base")
    assert [(member.doc, member.text) for member in thing.members] == [
        ("", "Thing(int n = 3)"),
        ("Its size.", "unsigned size() const"),
        ("", "void hide(std::vector<int> list = {}, Pair two = {1, {2}}) const"),
        ("", "double rate = 0.5"),
    ]
    assert (add.doc, add.text) == ('Adds "{".', "int add(int a, int b)")
