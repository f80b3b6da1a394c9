// The handle of a lookup table: rows of equal shape, of which an update changes those that were used.
#pragma once

#include "dynet/params/parameter.h"

namespace dynet {

struct ParameterInit;

class LookupParameter : public engine::Handle<LookupParameterStorage> {
 public:
  using Handle::Handle;

  /// The shape of one row.
  Dim dim() const { return get_storage().row_dim(); }
  unsigned rows() const { return get_storage().rows(); }
  /// Adds n rows behind the others. Trainers have no memory of them yet. Tensors of rows that were asked for
  /// before are no longer valid, and a graph that has used the whole table as a matrix does not see the rows.
  void add_rows(unsigned n, const ParameterInit& init) const;

  void initialize(unsigned row, std::span<const real> numbers) const {
    get_storage().initialize(row, numbers);
  }
  void initialize(unsigned row, const std::vector<real>& numbers) const {
    initialize(row, std::span<const real>(numbers));
  }
  void set_value(std::span<const real> numbers) const {
    LookupParameterStorage& s = get_storage();
    if (numbers.size() != s.size())
      engine::invalid("set_value: ", numbers.size(), " numbers for ", s.name, " of ", rows(),
                      " rows of shape ", dim(), "; it has ", s.size());
    s.assign(numbers);
  }
  /// The numbers of a row. Who writes them asks again before each time.
  Tensor row_values(unsigned row) const {
    check_row(row);
    return {dim(), get_storage().change() + row * get_storage().row_size()};
  }
  Tensor row_gradients(unsigned row) const {
    check_row(row);
    return {dim(), get_storage().gradient.data() + row * get_storage().row_size()};
  }
  /// The rows, one tensor each. Who writes them asks again before each time.
  std::vector<Tensor>* values() const {
    get_storage().change();
    return rows_of(get_storage().numbers, get_storage().row_values);
  }
  std::vector<Tensor>* gradients() const {
    return rows_of(get_storage().gradient.numbers(), get_storage().row_gradients);
  }

 private:
  void check_row(unsigned row) const {
    if (row >= rows())
      engine::bad_index(get_fullname(), ": row ", row, " was asked for; it has ", rows(), " rows");
  }
  std::vector<Tensor>* rows_of(engine::Buffer& numbers, std::vector<Tensor>& tensors) const {
    for (size_t i = tensors.size(); i < rows(); ++i)
      tensors.push_back({dim(), numbers.data() + i * get_storage().row_size()});
    return &tensors;
  }
};

}  // namespace dynet
