// Distributions over structures, as the classes of dynet.structured hold them.
#include "dynet/nn/structured.h"

#include <nanobind/stl/string.h>

#include "python/src/casters.h"
#include "python/src/undo.h"

namespace dynet::python {
namespace {

using namespace nb::literals;
using Distribution = dynet::structured::Distribution;

/// How a kind of structure is made of its arguments.
struct Maker {
  const char* name;
  size_t least, most;
  Distribution (*make)(const Expressions& xs, unsigned option);
};

constexpr Maker makers[] = {
    {"LinearChain", 2, 4,
     [](const Expressions& x, unsigned) -> Distribution {
       if (x.size() == 2) return dynet::structured::LinearChain(x[0], x[1]);
       return dynet::structured::LinearChain(x[0], x[1], x[2], x[3]);
     }},
    {"Segments", 1, 2,
     [](const Expressions& x, unsigned) -> Distribution {
       if (x.size() == 1) return dynet::structured::Segments(x[0]);
       return dynet::structured::Segments(x[0], x[1]);
     }},
    {"Alignment", 1, 1,
     [](const Expressions& x, unsigned) -> Distribution { return dynet::structured::Alignment(x[0]); }},
    {"EditLattice", 3, 3,
     [](const Expressions& x, unsigned) -> Distribution {
       return dynet::structured::EditLattice(x[0], x[1], x[2]);
     }},
    {"BinaryTrees", 1, 1,
     [](const Expressions& x, unsigned) -> Distribution { return dynet::structured::BinaryTrees(x[0]); }},
    {"ProjectiveTrees", 1, 1,
     [](const Expressions& x, unsigned single_root) -> Distribution {
       return dynet::structured::ProjectiveTrees(x[0], single_root != 0);
     }},
    {"SpanningTrees", 1, 1,
     [](const Expressions& x, unsigned single_root) -> Distribution {
       return dynet::structured::SpanningTrees(x[0], single_root != 0);
     }},
    {"Assignment", 1, 1,
     [](const Expressions& x, unsigned) -> Distribution { return dynet::structured::Assignment(x[0]); }},
};

Distribution make_distribution(const std::string& kind, Expressions xs, Whole option) {
  for (const Maker& maker : makers)
    if (kind == maker.name) {
      if (xs.size() < maker.least || xs.size() > maker.most || (xs.size() == 3 && maker.most == 4))
        invalid(kind, ": ", xs.size(), " arguments");
      return maker.make(xs, option);
    }
  invalid("\"", kind, "\" is no kind of structure");
}

/// The targets stand one after another, with their lengths; no lengths: it is one, for all elements.
Distribution make_ctc(const Expression& log_probs, Indices targets, Indices lengths, Whole blank) {
  if (lengths.empty()) return dynet::structured::CTC(log_probs, targets, blank);
  std::vector<std::vector<unsigned>> each;
  size_t at = 0;
  for (const unsigned length : lengths) {
    const auto words = targets.subspan(at, length);
    each.emplace_back(words.begin(), words.end());
    at += length;
  }
  return dynet::structured::CTC::of_batch(log_probs, each, blank);
}

/// What make() gives of a distribution; the graph is as before if it fails.
template <class... Args>
auto method(Expression (Distribution::*ask)(Args...) const) {
  return
      [ask](const Distribution& d, std::conditional_t<std::is_same_v<Args, unsigned>, Whole, Args>... given) {
        return all_or_nothing([&] { return (d.*ask)(given...); });
      };
}

Expression decode(const Expression& log_probs, Whole beam, Whole k, Whole blank) {
  return all_or_nothing([&] { return dynet::structured::CTC::decode(log_probs, beam, k, blank); }, log_probs);
}

}  // namespace

void bind_structured(nb::module_& m) {
  nb::class_<Distribution>(m, "_Distribution", "All structures of a kind over some scores.")
      .def("log_partition", method(&Distribution::log_partition), "The log of the sum over all.")
      .def("score", method(&Distribution::score), "given"_a, "The score of a structure.")
      .def("nll", method(&Distribution::nll), "given"_a, "Minus the log of its probability.")
      .def("loss", method(&Distribution::loss), "zero_infinity"_a, "Minus the log of the sum.")
      .def("entropy", method(&Distribution::entropy), "The entropy.")
      .def("marginals", method(&Distribution::marginals), "argument"_a, "The marginals of an argument.")
      .def("k_best", method(&Distribution::k_best), "k"_a, "The best k.")
      .def("greedy", method(&Distribution::greedy), "What is found greedily.")
      .def("sample", method(&Distribution::sample), "One that is drawn.");
  m.def("_distribution", make_distribution, "kind"_a, "xs"_a, "option"_a,
        "All structures of a kind over some scores.");
  m.def("_ctc", make_ctc, "log_probs"_a, "targets"_a, "lengths"_a, "blank"_a,
        "All paths that give a target, or each its own.");
  m.def("_decode_labels", decode, "log_probs"_a, "beam"_a, "k"_a, "blank"_a,
        "The label sequences of the greatest probability.");
  m.def(
      "_edit_distance", [](Indices a, Indices b) { return dynet::structured::edit_distance(a, b); }, "a"_a,
      "b"_a, "How many edits make b of a.");
}

}  // namespace dynet::python
