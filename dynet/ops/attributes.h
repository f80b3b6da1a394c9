// What the attributes of an operation are called and what they hold, read from its struct Attrs itself.
//
// C++20 counts the fields of an aggregate by what may initialise it, and names one by its address, which is a
// template argument.
#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "dynet/core/dim.h"
#include "dynet/graph/node.h"

namespace dynet::engine {

/// An object that is nowhere: only its fields are named.
template <class T>
struct Named {
  T value;
  static const Named example;
};

/// An address as a template argument: compilers take that of a field in a struct only.
template <class T>
struct FieldAddress {
  const T* field;
};

/// The name at the end of what a compiler calls the address.
template <FieldAddress address>
constexpr std::string_view field_name() {
  constexpr auto in_names = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::string_view name = __PRETTY_FUNCTION__;
  name = name.substr(0, name.rfind('}'));
  while (!name.empty() && !in_names(name.back())) name.remove_suffix(1);
  size_t first = name.size();
  while (first > 0 && in_names(name[first - 1])) --first;
  return name.substr(first);
}

/// The fields of an aggregate. `{}` may initialise any one of them, so that a count is known by as many of
/// these.
template <class T>
constexpr auto fields_of(const T& t) {
  static_assert(!requires { T{{}, {}, {}, {}, {}}; }, "a case for more fields is needed");
  if constexpr (std::is_empty_v<T>) {
    return std::tie();
  } else if constexpr (requires { T{{}, {}, {}, {}}; }) {
    const auto& [a, b, c, d] = t;
    return std::tie(a, b, c, d);
  } else if constexpr (requires { T{{}, {}, {}}; }) {
    const auto& [a, b, c] = t;
    return std::tie(a, b, c);
  } else if constexpr (requires { T{{}, {}}; }) {
    const auto& [a, b] = t;
    return std::tie(a, b);
  } else {
    const auto& [a] = t;
    return std::tie(a);
  }
}

/// Collects what tells something: no addresses and identities, and no fields that are there for their room.
class AttributeList {
 public:
  template <class T>
  void add_fields(const T& t) {
    const auto fields = fields_of(t);
    [&]<size_t... i>(std::index_sequence<i...>) {
      (add(field_name<address<T, i>()>(), std::get<i>(fields)), ...);
    }(std::make_index_sequence<std::tuple_size_v<decltype(fields)>>());
  }
  template <class T>
  void add(std::string_view name, const T& field) {
    if (name == "unused") return;
    if constexpr (std::is_same_v<T, Dim>)
      add_list(name, field.d, field.nd);
    else if constexpr (std::is_array_v<T>)
      add_list(name, field, std::extent_v<T>);
    else if constexpr (std::is_enum_v<T>)
      list.push_back({name, {static_cast<double>(field)}, true, false});
    else if constexpr (std::is_class_v<T>)
      add_fields(field);
    else if constexpr (!std::is_pointer_v<T> && !std::is_same_v<T, uint64_t>)
      list.push_back({name, {static_cast<double>(field)}, std::is_integral_v<T>, false});
  }
  template <class T>
  void add_list(std::string_view name, const T* numbers, size_t count) {
    list.push_back({name, {numbers, numbers + count}, std::is_integral_v<T>, true});
  }

  std::vector<Attribute> list;

 private:
  template <class T, size_t i>
  static constexpr auto address() {
    return FieldAddress{&std::get<i>(fields_of(Named<T>::example.value))};
  }
};

/// The attributes of a node of T with arguments of these shapes. A struct whose fields are not for people
/// says by tell(attrs, shapes, list) what to tell instead.
template <class T>
std::vector<Attribute> attributes_of(const typename T::Attrs& a, Dims x) {
  AttributeList all;
  if constexpr (requires { T::tell(a, x, all); })
    T::tell(a, x, all);
  else
    all.add_fields(a);
  return std::move(all.list);
}

}  // namespace dynet::engine
