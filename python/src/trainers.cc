// The trainers, each bound from the declaration of its rule.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <sstream>

#include "dynet/io/file.h"
#include "dynet/train/trainer.h"
#include "python/src/casters.h"
#include "python/src/docs/trainer.h"
#include "python/src/docstring.h"
#include "python/src/evaluate.h"
#include "python/src/numbers.h"
#include "python/src/pictures.h"
#include "python/src/print.h"
#include "python/src/sharing.h"

namespace dynet::python {
namespace {

using namespace nb::literals;

template <size_t>
using Argument = Double;

/// The trainer of a rule: its arguments have the rule's names and Python's defaults.
template <class T, size_t... I>
auto bind_trainer(nb::module_& m, std::index_sequence<I...>) {
  using R = typename T::Rule;
  static const std::string name = std::string(R::name) + "Trainer";
  return nb::class_<T, Trainer>(m, name.c_str(), docstring(R::doc).c_str())
      .def(
          "__init__",
          [](T* self, const ParameterCollection& m, Argument<I>... args) {
            new (self) T(m, static_cast<double>(args)...);
          },
          "m"_a, (nb::arg(R::args[I].name) = R::args[I].python_value)...);
}

template <class T>
auto bind_trainer(nb::module_& m) {
  return bind_trainer<T>(m, std::make_index_sequence<std::size(T::Rule::args)>{});
}

std::optional<std::string> name_of(MovingAverage mode) {
  if (mode == MovingAverage::None) return std::nullopt;
  return mode == MovingAverage::Cumulative ? "Cumulative" : "Exponential";
}

void bind_averages(nb::class_<Trainer>& type) {
  type.def(
          "exponential_moving_average",
          [](Trainer& t, Double beta, Whole freq) { t.exponential_moving_average(beta, freq); }, "beta"_a,
          "freq"_a = 1, alone, docs::trainer::exponential_moving_average)
      .def(
          "cumulative_moving_average", [](Trainer& t, Whole freq) { t.cumulative_moving_average(freq); },
          "freq"_a = 1, alone, docs::trainer::cumulative_moving_average)
      .def(
          "moving_average", [](const Trainer& t) { return name_of(t.moving_average()); },
          docs::trainer::moving_average)
      .def(
          "swap_params_to_moving_average",
          [](Trainer& t, Flag save_weights, Flag bias_correction) {
            t.swap_params_to_moving_average(save_weights, bias_correction);
          },
          "save_weights"_a = true, "bias_correction"_a = false, alone,
          docs::trainer::swap_params_to_moving_average)
      .def("swap_params_to_weights", &Trainer::swap_params_to_weights, alone,
           docs::trainer::swap_params_to_weights);
}

void bind_files(nb::class_<Trainer>& type) {
  using Path = std::filesystem::path;
  type.def(
          "save",
          [](Trainer& t, const Path& fname) {
            std::ostringstream text;
            {
              const Working working;
              t.save(text);
            }
            const Unlocked unlocked;
            FileWriter file(fname, false);
            file.write(text.view());
            file.commit();
          },
          "fname"_a, docs::trainer::save)
      .def(
          "populate",
          [](Trainer& t, const Path& fname, const MaybeDouble& learning_rate) {
            const auto read = [&] {
              const Unlocked unlocked;
              return std::string(FileContent(fname).text());
            };
            std::istringstream text(read());
            const Working working;
            learning_rate.value ? t.populate(text, *learning_rate.value) : t.populate(text);
          },
          "fname"_a, "learning_rate"_a = nb::none(), docs::trainer::populate);
}

void update(Trainer& trainer) {
  check_not_recording();
  const Working working;
  trainer.update();
}

/// Parameters themselves, or their positions in the list of all.
template <class P, class List>
std::vector<P> chosen(nb::handle from, const List& all, const char* what) {
  std::vector<P> list;
  const bool is_list = for_each(from.ptr(), [&](PyObject* item) {
    P parameter;
    unsigned position;
    if (nb::try_cast(nb::handle(item), parameter)) {
      list.push_back(parameter);
      return;
    }
    if (is_truth(item)) refuse_truths();
    if (expression_in(item) || !read_unsigned(item, position))
      throw type_error(text("update_subset: an element of ", what, " is ", a_kind(item),
                            "; a parameter or its position is needed"));
    if (position >= all.size())
      bad_index("update_subset: position ", position, " of ", what, "; the collection has ", all.size());
    list.push_back(P(all[position]));
  });
  if (!is_list)
    throw type_error(text("update_subset: ", what, " is ", a_kind(from.ptr()), "; a list is needed"));
  return list;
}

void update_subset(Trainer& trainer, const nb::iterable& updated_params,
                   const nb::iterable& updated_lookups) {
  check_not_recording();
  const ParameterCollection model = trainer.model;
  const auto parameters = chosen<Parameter>(updated_params, model.parameters_list(), "updated_params");
  const auto lookups =
      chosen<LookupParameter>(updated_lookups, model.lookup_parameters_list(), "updated_lookups");
  const Working working;
  trainer.update_subset(parameters, lookups);
}

/// Whether some parameter of the collection is learned by the trainer, or there are none yet.
bool learns(const Trainer& trainer, const ParameterCollection& model) {
  const auto share = [](const auto& learned, const auto& asked) {
    return std::ranges::any_of(asked,
                               [&](const auto& each) { return std::ranges::count(learned, each) > 0; });
  };
  const auto &parameters = model.parameters_list(), &all = trainer.model.parameters_list();
  const auto &tables = model.lookup_parameters_list(), &all_tables = trainer.model.lookup_parameters_list();
  return (parameters.empty() && tables.empty()) || share(all, parameters) || share(all_tables, tables);
}

std::string repr_of(const Trainer& t) {
  std::string arguments;
  for (const auto& [name, number] : t.arguments())
    arguments += text(arguments.empty() ? "" : ", ", name, '=', number);
  return text(t.whoami(), '(', arguments, "), updates: ", t.updates);
}

void set_rate(Trainer& t, const char* call, double rate) {
  check_learning_rate(call, rate);
  const Changing changing;
  t.learning_rate = rate;
}

void bind_settings(nb::class_<Trainer>& type) {
  type.def(
          "set_sparse_updates", [](Trainer& t, Flag b) { t.set_sparse_updates(b); }, "su"_a, alone,
          docs::trainer::set_sparse_updates)
      .def(
          "set_clip_threshold", [](Trainer& t, Double thr) { t.set_clip_threshold(thr); }, "thr"_a, alone,
          docs::trainer::set_clip_threshold)
      .def("get_clip_threshold", &Trainer::get_clip_threshold, docs::trainer::get_clip_threshold)
      .def_prop_rw(
          "learning_rate", [](const Trainer& t) { return t.learning_rate; },
          [](Trainer& t, nb::handle value) {  // a property says nothing of its arguments by itself
            double rate;
            if (!read_double(value.ptr(), rate))
              throw type_error(
                  text("learning_rate: ", a_kind(value.ptr()), " was given; a number is needed"));
            set_rate(t, "learning_rate", rate);
          },
          nb::for_setter("arg"_a.none()),
          nb::for_setter(nb::sig("def learning_rate(self, arg: float, /) -> None")),
          docs::trainer::learning_rate)
      .def(
          "set_learning_rate", [](Trainer& t, Double v) { set_rate(t, "set_learning_rate", v); }, "value"_a,
          docs::trainer::set_learning_rate);
}

nb::class_<Trainer> bind_base_trainer(nb::module_& m) {
  nb::class_<Trainer> type(m, "Trainer", docs::trainer::type);
  no_constructor(type, "make a SimpleSGDTrainer, an AdamTrainer or another one");
  show_in_notebooks(type);
  type.def("update", update, docs::trainer::update)
      .def("_learns", learns, "model"_a)
      .def("_updates", [](const Trainer& t) { return t.updates; })
      .def("update_subset", update_subset, "updated_params"_a, "updated_lookups"_a,
           docs::trainer::update_subset)
      .def(
          "update_epoch",
          [](Trainer&, Number) {
            print("stderr", "Trainer.update_epoch has no effect; set the trainer's learning_rate instead.\n");
          },
          "r"_a = 1.0, docs::trainer::update_epoch)
      .def(
          "restart",
          [](Trainer& t, const MaybeDouble& rate) { rate.value ? t.restart(*rate.value) : t.restart(); },
          "learning_rate"_a = nb::none(), alone, docs::trainer::restart)
      .def(
          "status",
          [](Trainer& t) {
            const std::string text = [&] {
              const Changing changing;
              return t.status();
            }();
            print("stderr", text);
          },
          docs::trainer::status)
      .def("whoami", &Trainer::whoami, docs::trainer::whoami)
      .def("__repr__", repr_of);
  return type;
}

}  // namespace

void bind_trainers(nb::module_& m) {
  nb::class_<Trainer> type = bind_base_trainer(m);
  bind_settings(type);
  bind_averages(type);
  bind_files(type);
  bind_trainer<SimpleSGDTrainer>(m);
  bind_trainer<CyclicalSGDTrainer>(m);
  bind_trainer<MomentumSGDTrainer>(m);
  bind_trainer<AdagradTrainer>(m);
  bind_trainer<AdadeltaTrainer>(m);
  bind_trainer<RMSPropTrainer>(m);
  bind_trainer<AdamTrainer>(m);
  bind_trainer<AmsgradTrainer>(m);
  bind_trainer<AdamWTrainer>(m);
  bind_trainer<RAdamTrainer>(m);
  bind_trainer<LionTrainer>(m);
  bind_trainer<EGTrainer>(m)
      .def(
          "enableCyclicalLR",
          [](EGTrainer& t, Double low, Double high, Double step, Double gamma) {
            t.enableCyclicalLR(low, high, step, gamma);
          },
          "learning_rate_min"_a = 0.01, "learning_rate_max"_a = 0.1, "step_size"_a = 2000.0, "gamma"_a = 1.0,
          alone, docs::trainer::enable_cycle)
      .def("disableCyclicalLR", &EGTrainer::disableCyclicalLR, alone, docs::trainer::disable_cycle);
}

}  // namespace dynet::python
