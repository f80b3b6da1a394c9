// The softmax builders.
#include "python/src/docs/softmax.h"

#include <nanobind/stl/string.h>

#include <utility>

#include "dynet/nn/word_tree.h"
#include "python/src/docs/builder.h"
#include "python/src/docstring.h"
#include "python/src/lists.h"
#include "python/src/pictures.h"
#include "python/src/sharing.h"
#include "python/src/undo.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Path = std::filesystem::path;
using WordIds = nb::typed<nb::dict, nb::str, int>;

/// A Python list or tuple of strings.
std::vector<std::string> read_words(nb::handle list) {
  std::vector<std::string> words;
  for (nb::handle word : list) words.push_back(nb::str(word).c_str());
  return words;
}

nb::tuple tuple_of(const std::vector<std::string>& words) {
  nb::list list;
  for (const std::string& word : words) list.append(nb::str(word.c_str(), word.size()));
  return nb::tuple(list);
}

/// A size in a `spec`.
unsigned read_size(const nb::object& o) {
  unsigned size;
  if (!read_unsigned(o.ptr(), size))
    throw type_error(text("from_spec: a size is ", a_kind(o.ptr()), "; a whole number is needed").c_str());
  return size;
}

Dict frozen(const std::vector<std::string>& words) {
  Dict vocabulary;
  for (const std::string& word : words) vocabulary.convert(word);
  vocabulary.freeze();
  return vocabulary;
}

/// The words of a dict that maps them to 0, 1, 2 …, as a vocabulary that does not grow.
Dict vocabulary_of(const WordIds& ids) {
  const nb::list items = ids.items();  // reading an id may change the dict
  std::vector<std::string> words(items.size());
  std::vector<bool> seen(items.size());
  for (const nb::handle item : items) {
    const nb::object word = item[0], id = item[1];
    long long n;
    const bool fits = read_whole(id.ptr(), n) && n >= 0 && n < static_cast<long long>(words.size());
    if (!fits || seen[static_cast<size_t>(n)])
      invalid("dic: the word ", nb::str(word).c_str(), " has the id ", nb::str(id).c_str(), "; the ids of ",
              words.size(), " words must be the numbers from 0 to ", words.size() - 1);
    words[static_cast<size_t>(n)] = nb::str(word).c_str();
    seen[static_cast<size_t>(n)] = true;
  }
  return frozen(words);
}

/// What dy.save writes of a tree: its paths, and the vocabulary in order.
nb::tuple tuple_of(const WordPaths& paths) {
  nb::list list;
  for (const WordPath& path : paths)
    list.append(nb::make_tuple(tuple_of(path.classes), nb::str(path.word.c_str())));
  return nb::tuple(list);
}

WordPaths read_paths(nb::handle list) {
  WordPaths paths;
  for (nb::handle path : list) {
    const nb::object classes = path[0], word = path[1];
    paths.push_back({read_words(classes), nb::str(word).c_str()});
  }
  return paths;
}

/// What f gives, which asks the builder about x; its parameters get gradients by that, or do not.
template <class F>
Expression ask(SoftmaxBuilder& builder, const Expression& x, Flag update, F&& f) {
  return all_or_nothing(
      [&] {
        builder.new_graph(current_graph(), update);
        return f();
      },
      x);
}

void bind_base_softmax(nb::module_& m) {
  using B = SoftmaxBuilder;
  const auto x = "x"_a;
  const auto update = "update"_a = true;
  nb::class_<B> type(m, "SoftmaxBuilder", docs::softmax::type);
  no_constructor(type, "make a StandardSoftmaxBuilder or another one");
  show_in_notebooks(type);
  type.def(
          "neg_log_softmax",
          [](B& b, const Expression& x, Whole c, Flag update) {
            return ask(b, x, update, [&] { return b.neg_log_softmax(x, unsigned{c}); });
          },
          x, "c"_a, update, docs::softmax::neg_log_softmax)
      .def(
          "neg_log_softmax_batch",
          [](B& b, const Expression& x, Indices classes, Flag update) {
            return ask(b, x, update, [&] { return b.neg_log_softmax(x, classes); });
          },
          x, "c"_a, update, docs::softmax::neg_log_softmax_batch)
      .def(
          "sample", [](B& b, const Expression& x) { return all_or_nothing([&] { return b.sample(x); }, x); },
          x, docs::softmax::sample)
      .def(
          "full_log_distribution",
          [](B& b, const Expression& x, Flag update) {
            return ask(b, x, update, [&] { return b.full_log_distribution(x); });
          },
          x, update, docs::softmax::full_log_distribution)
      .def(
          "full_logits",
          [](B& b, const Expression& x, Flag update) {
            return ask(b, x, update, [&] { return b.full_logits(x); });
          },
          x, update, docs::softmax::full_logits)
      .def(
          "param_collection", [](B& b) { return b.get_parameter_collection(); },
          docs::softmax::param_collection)
      .def("__repr__",
           [](nb::handle self) {
             B& b = nb::cast<B&>(self);
             const std::string name = type_name(self.ptr());
             return compute_apart([&] {
               std::string all;
               for (const auto& p : b.get_parameter_collection().parameters_list())
                 if (all.size() < 80) all += text(all.empty() ? "" : ", ", sizes_text(p->dim));
               return text(name, " with ", b.get_parameter_collection().parameter_count(),
                           " numbers in parameters of shapes ", all);
             });
           })
      .def("whoami", &B::name, docs::softmax::whoami);
}

void bind_standard(nb::module_& m) {
  using B = StandardSoftmaxBuilder;
  nb::class_<B, SoftmaxBuilder>(m, "StandardSoftmaxBuilder", docstring(B::doc).c_str())
      .def(
          "__init__",
          [](B* self, Whole input_dim, Whole num_classes, ParameterCollection& pc, Flag bias) {
            build(self, input_dim, num_classes, pc, bias);
          },
          "input_dim"_a, "num_classes"_a, "pc"_a, "bias"_a = true, alone)
      .def_prop_ro(
          "spec", [](const B& b) { return nb::make_tuple(b.rep_dim(), b.num_classes(), b.has_bias()); },
          docs::builder::spec)
      .def_static(
          "from_spec",
          [](nb::handle spec, CollectionHandle model) {
            const auto items = items_of(spec, 3);
            return nb::typed<nb::object, B>(nb::type<B>()(items[0], items[1], model, items[2]));
          },
          "spec"_a, "model"_a, docs::builder::from_spec);
}

/// Expressions about the classes, or about the words of one.
template <class Type>
void bind_classes(Type& type) {
  using B = ClassFactoredSoftmaxBuilder;
  const auto x = "x"_a, classid = "classid"_a;
  const auto update = "update"_a = true;
  type.def(
          "class_log_distribution",
          [](B& b, const Expression& x, Flag update) {
            return ask(b, x, update, [&] { return b.class_log_distribution(x); });
          },
          x, update, docs::softmax::class_log_distribution)
      .def(
          "class_logits",
          [](B& b, const Expression& x, Flag update) {
            return ask(b, x, update, [&] { return b.class_logits(x); });
          },
          x, update, docs::softmax::class_logits)
      .def(
          "subclass_log_distribution",
          [](B& b, const Expression& x, Whole classid, Flag update) {
            return ask(b, x, update, [&] { return b.subclass_log_distribution(x, classid); });
          },
          x, classid, update, docs::softmax::subclass_log_distribution)
      .def(
          "subclass_logits",
          [](B& b, const Expression& x, Whole classid, Flag update) {
            return ask(b, x, update, [&] { return b.subclass_logits(x, classid); });
          },
          x, classid, update, docs::softmax::subclass_logits);
}

/// A builder of this class, or of one that a program has derived from it, made without its __init__.
template <class B, class... Args>
nb::object construct(nb::handle kind, Args&&... args) {
  const nb::handle base = nb::type<B>();
  if (!PyType_Check(kind.ptr()) || !PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(kind.ptr()),
                                                     reinterpret_cast<PyTypeObject*>(base.ptr())))
    throw type_error(text("a class that derives from ", nb::type_name(base).c_str(), " is needed"));
  nb::object made = nb::inst_alloc(kind);
  const Changing changing;
  build(nb::inst_ptr<B>(made), std::forward<Args>(args)...);
  nb::inst_mark_ready(made);
  return made;
}

nb::object make_class_factored(nb::handle kind, nb::handle spec, ParameterCollection& model) {
  const auto items = items_of(spec, 4);
  const unsigned input_dim = read_size(items[0]);
  WordPaths paths = read_paths(items[1]);
  Dict vocabulary = frozen(read_words(items[2]));
  const bool bias = read_truth(items[3].ptr());
  return construct<ClassFactoredSoftmaxBuilder>(kind, input_dim, std::move(paths), vocabulary, model, bias);
}

nb::object make_hierarchical(nb::handle kind, nb::handle spec, ParameterCollection& model) {
  const auto items = items_of(spec, 3);
  const unsigned input_dim = read_size(items[0]);
  WordPaths paths = read_paths(items[1]);
  Dict vocabulary = frozen(read_words(items[2]));
  return construct<HierarchicalSoftmaxBuilder>(kind, input_dim, std::move(paths), vocabulary, model);
}

void bind_class_factored(nb::module_& m) {
  using B = ClassFactoredSoftmaxBuilder;
  nb::class_<B, SoftmaxBuilder> type(m, "ClassFactoredSoftmaxBuilder", docstring(B::doc).c_str());
  type.def(
          "__init__",
          [](B* self, Whole input_dim, const Path& cluster_file, const WordIds& dic, ParameterCollection& pc,
             Flag bias) {
            Dict vocabulary = vocabulary_of(dic);
            const Changing changing;
            build(self, input_dim, cluster_file, vocabulary, pc, bias);
          },
          "input_dim"_a, "cluster_file"_a, "dic"_a, "pc"_a, "bias"_a = true)
      .def_prop_ro(
          "spec",
          [](const B& b) {
            return nb::make_tuple(b.rep_dim(), tuple_of(b.word_paths()), tuple_of(b.vocabulary()),
                                  b.has_bias());
          },
          docs::builder::spec);
  type.def_static(
      "from_spec",
      [](nb::handle spec, ParameterCollection& model) {
        return nb::typed<nb::object, B>(make_class_factored(nb::type<B>(), spec, model));
      },
      "spec"_a, "model"_a, docs::builder::from_spec);
  m.def("_make_class_factored", make_class_factored, "kind"_a, "spec"_a, "model"_a);
  bind_classes(type);
}

void bind_hierarchical(nb::module_& m) {
  using B = HierarchicalSoftmaxBuilder;
  nb::class_<B, SoftmaxBuilder> type(m, "HierarchicalSoftmaxBuilder", docstring(B::doc).c_str());
  type.def(
          "__init__",
          [](B* self, Whole input_dim, const Path& cluster_file, const WordIds& dic,
             ParameterCollection& pc) {
            Dict vocabulary = vocabulary_of(dic);
            const Changing changing;
            build(self, input_dim, cluster_file, vocabulary, pc);
          },
          "input_dim"_a, "cluster_file"_a, "dic"_a, "pc"_a)
      .def_prop_ro(
          "spec",
          [](const B& b) {
            return nb::make_tuple(b.rep_dim(), tuple_of(b.word_paths()), tuple_of(b.vocabulary()));
          },
          docs::builder::spec);
  type.def_static(
      "from_spec",
      [](nb::handle spec, ParameterCollection& model) {
        return nb::typed<nb::object, B>(make_hierarchical(nb::type<B>(), spec, model));
      },
      "spec"_a, "model"_a, docs::builder::from_spec);
  m.def("_make_hierarchical", make_hierarchical, "kind"_a, "spec"_a, "model"_a);
}

}  // namespace

void bind_softmax(nb::module_& m) {
  bind_base_softmax(m);
  bind_standard(m);
  bind_class_factored(m);
  bind_hierarchical(m);
}

}  // namespace dynet::python
