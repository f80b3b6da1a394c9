// What a cell is called with: its expressions, and a text that tells the rest apart by type and value.
#pragma once

#include <string>
#include <vector>

#include "dynet/nn/cell.h"
#include "python/src/object.h"

namespace dynet::python {

/// The arguments of one call of a cell.
///
/// Equal keys mean arguments with which a function does the same: numbers, texts, arrays and containers are
/// written with their types and contents, so that what becomes of them later changes no key. All other
/// objects stand for themselves. Expressions are told apart by their shapes, and by whether they are batched
/// and fit each other.
class CellArguments {
 public:
  /// The name of the cell is for errors.
  CellArguments(const std::string& cell, const nb::args& args, const nb::kwargs& options);

  const std::string& key() const { return key_; }
  /// The batch sizes, which belong to the key of functions that ask for them.
  std::string batch_sizes() const;
  std::span<const Expression> expressions() const { return expressions_; }
  /// The object of an expression, as it was given.
  nb::object object(size_t expression) const { return objects_[expression]; }
  std::vector<Dim> shapes() const;
  /// What the key names by address, which must live as long as the key.
  std::vector<nb::object> take_named() { return std::move(named_); }

  /// Calls a function with these arguments, but for other expressions in the place of those given.
  static nb::object call(const nb::object& function, const nb::args& args, const nb::kwargs& options,
                         std::span<const Expression> instead);

 private:
  void add(nb::handle o, bool with_expressions);
  void add_expression(nb::handle o, const Expression& e);
  void add_items(nb::handle items, bool with_expressions);
  void add_dict(nb::handle dict, bool with_expressions);
  bool add_container(nb::handle o, bool with_expressions);
  void add_attributes(nb::handle o);
  [[noreturn]] void refuse_place() const;
  bool add_number(nb::handle o);
  bool add_array(nb::handle o);
  void add_bytes(const void* data, size_t size);
  void add_text(nb::handle text);
  void add_named(nb::handle o);
  template <class T>
  void put(const T& value) {
    key_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put_type(char tag, nb::handle o);

  const std::string& cell_;
  std::string key_;
  BatchPattern batches_;
  std::vector<Expression> expressions_;
  std::vector<nb::object> objects_, named_;
};

}  // namespace dynet::python
