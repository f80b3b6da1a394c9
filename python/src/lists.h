// Lists and tuples of expressions and parameters, as Python gets them.
#pragma once

#include <span>

#include "dynet/params/collection.h"
#include "python/src/casters.h"

namespace dynet::python {

/// A collection on its way to a constructor in Python.
using CollectionHandle = nb::typed<nb::handle, ParameterCollection>;
using ExpressionList = nb::typed<nb::list, Expression>;
using ExpressionTuple = nb::typed<nb::tuple, Expression, nb::ellipsis>;
using ParameterLayers = nb::typed<nb::list, nb::typed<nb::list, Parameter>>;

inline ExpressionTuple tuple_of(const std::vector<Expression>& expressions) {
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(expressions.size()));
  if (!tuple) nb::raise_python_error();
  const auto owner = nb::steal<ExpressionTuple>(tuple);
  for (size_t i = 0; i < expressions.size(); ++i)
    NB_TUPLE_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), new_expression(expressions[i]));
  return owner;
}

inline ExpressionList list_of(const std::vector<Expression>& expressions) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(expressions.size()));
  if (!list) nb::raise_python_error();
  const auto owner = nb::steal<ExpressionList>(list);
  for (size_t i = 0; i < expressions.size(); ++i)
    NB_LIST_SET_ITEM(list, static_cast<Py_ssize_t>(i), new_expression(expressions[i]));
  return owner;
}

/// Dropout rates of inputs, of outputs and of memory cells for repr(); empty where nothing is dropped.
inline std::string rates_text(std::span<const real> rates) {
  constexpr const char* kinds[] = {"inputs ", "outputs ", "memory cells "};
  std::string all;
  for (size_t i = 0; i < rates.size(); ++i)
    if (rates[i] > 0) all += text(all.empty() ? " with dropout of " : ", ", kinds[i], rates[i]);
  return all;
}

/// The parameters of each layer.
inline ParameterLayers list_of(const std::vector<std::vector<Parameter>>& layers) {
  nb::list lists;
  for (const auto& layer : layers) {
    nb::list list;
    for (const Parameter& p : layer) list.append(p);
    lists.append(list);
  }
  return ParameterLayers(lists);
}

}  // namespace dynet::python
