// Saving and loading trainers as text:
//
//   #Trainer# P L                        parameters and lookup tables of the collection, and a space
//   rate clipping threshold updates beta None|Cumulative|Exponential swapped saved frequency count
//   [MA:FALSE], or [MA:TRUE] and the averages: #MA# P L, then P and L lines of numbers
//   #Weights# P L and lines of numbers   only where averages have taken the place of weights that were saved
//   #AdamTrainer# P L                    or another class; the rule's state: for each slot P lines, then for
//                                        each L lines
//   hyper-parameters other than the rate, and the position in the cycle of rules that have one
//
//   #Random# seed streams graphs         where the random numbers are that go on with the training
//   #SparseUpdates# 0 or 1               whether only those rows of tables change that were used
//   #Checksum# 89abcdef                  of all before this line
//
// A line of numbers is #Parameter# or #LookupParameter#, their count, and the numbers. DyNet 2 neither sees
// the space, which says that there must be a checksum, nor reads the last lines; its own files have none.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iomanip>
#include <istream>
#include <iterator>
#include <limits>
#include <locale>
#include <optional>
#include <ostream>
#include <sstream>
#include <string_view>
#include <utility>

#include "dynet/core/checksum.h"
#include "dynet/core/lines.h"
#include "dynet/params/init.h"
#include "dynet/train/memory.h"

namespace dynet {

using namespace engine;
namespace {

constexpr int exact = std::numeric_limits<double>::max_digits10 - 1;  // of numbers that are doubles here
constexpr std::string_view modes[] = {"None", "Cumulative", "Exponential"};
constexpr std::string_view parameter_tag = "#Parameter#", lookup_tag = "#LookupParameter#";

constexpr std::string_view random_tag = "#Random#", sparse_tag = "#SparseUpdates#",
                           checksum_tag = "#Checksum# ";

void write_line(std::ostream& out, std::string_view tag, const Buffer& numbers) {
  out << tag << ' ' << numbers.size() << std::setprecision(std::numeric_limits<real>::max_digits10 - 1);
  for (real x : OnHost(numbers.data(), numbers.size())) out << ' ' << x;
  out << '\n' << std::setprecision(exact);
}

void write_all(std::ostream& out, const std::vector<Buffer>& parameters, const std::vector<Buffer>& lookups) {
  for (const Buffer& b : parameters) write_line(out, parameter_tag, b);
  for (const Buffer& b : lookups) write_line(out, lookup_tag, b);
}

/// Takes words off a text; what is not as it must be ends in std::runtime_error.
class Tokens {
 public:
  explicit Tokens(std::string text) : text_(std::move(text)) {}

  std::string_view next() {
    const size_t begin = text_.find_first_not_of(" \t\r\n", at_);
    if (begin == std::string::npos) bad("the text ends too early");
    const size_t end = std::min(text_.find_first_of(" \t\r\n", begin), text_.size());
    at_ = end;
    return std::string_view(text_).substr(begin, end - begin);
  }
  void expect(std::string_view word) {
    if (const std::string_view found = next(); found != word)
      bad("\"", found.substr(0, 100), "\" stands where \"", word, "\" is needed");
  }
  template <class Number>
  Number number() {
    const std::string_view word = next();
    const size_t sign = word[0] == '+';
    Number x;
    const auto [end, error] = std::from_chars(word.data() + sign, word.data() + word.size(), x);
    if (error != std::errc() || end != word.data() + word.size())
      bad("\"", word.substr(0, 100), "\" stands where a number is needed");
    return x;
  }
  bool flag() { return number<int>() != 0; }
  bool at_end() const { return text_.find_first_not_of(" \t\r\n", at_) == std::string::npos; }

  template <class... T>
  [[noreturn]] static void bad(const T&... what) {
    failed("Could not load the trainer: ", what...);
  }

 private:
  std::string text_;
  size_t at_ = 0;
};

/// A text whose checksum is right, or that was written without one.
std::string checked(std::string text) {
  const size_t first = text.find('\n');
  const bool promised = first != std::string::npos && text[first - (first > 0)] == ' ';
  const size_t sum = text.find('\n' + std::string(checksum_tag)) + 1;  // 0 where there is none
  if (promised != (sum > 0)) Tokens::bad("the text is damaged: its first line or its last one is");
  if (sum > 0 && text.substr(sum + checksum_tag.size(), 8) != checksum_of(text.substr(0, sum)))
    Tokens::bad("the text is damaged: its checksum is wrong");
  if (sum > 0) text.resize(sum);
  return text;
}

Buffer read_line(Tokens& tokens, std::string_view tag, size_t size) {
  tokens.expect(tag);
  if (const auto count = tokens.number<size_t>(); count != size)
    Tokens::bad(count, " numbers for a parameter that has ", size);
  Buffer numbers(size);
  for (real& x : OnHost(numbers.data(), size)) x = tokens.number<real>();
  return numbers;
}

/// The sizes of a header, which may be less than those of a collection that has grown, but not more.
struct Counts {
  size_t parameters, lookups;

  Counts(Tokens& tokens, const ParameterCollection& model) {
    parameters = tokens.number<size_t>();
    lookups = tokens.number<size_t>();
    const size_t most = model.parameters_list().size(), most_lookups = model.lookup_parameters_list().size();
    if (parameters > most || lookups > most_lookups)
      Tokens::bad("it is for ", parameters, " parameters and ", lookups, " lookup parameters; the model has ",
                  most, " and ", most_lookups);
  }
};

void read_all(Tokens& tokens, const Counts& counts, const ParameterCollection& model,
              std::vector<Buffer>& parameters, std::vector<Buffer>& lookups) {
  for (size_t i = 0; i < counts.parameters; ++i)
    parameters.push_back(read_line(tokens, parameter_tag, model.parameters_list()[i]->size()));
  for (size_t i = 0; i < counts.lookups; ++i)
    lookups.push_back(read_line(tokens, lookup_tag, model.lookup_parameters_list()[i]->size()));
}

}  // namespace

/// What save writes and populate reads, apart from the trainer until all of it is understood.
class TrainerText {
 public:
  static void write(std::ostream& out, const Trainer& t) {
    const Averages& a = t.averages_;
    out << "#Trainer# " << t.model.parameters_list().size() << ' ' << t.model.lookup_parameters_list().size()
        << " \n"
        << t.learning_rate << ' ' << t.clipping_enabled << ' ' << t.clip_threshold << ' ' << t.updates << ' '
        << a.beta << ' ' << modes[static_cast<size_t>(a.mode)] << ' ' << a.swapped << ' ' << a.has_saved
        << ' ' << a.frequency << ' ' << a.count << '\n';
    if (a.mode == MovingAverage::None) {
      out << "[MA:FALSE]\n";
    } else {
      out << "[MA:TRUE]\n#MA# " << a.parameters.size() << ' ' << a.lookups.size() << '\n';
      write_all(out, a.parameters, a.lookups);
      if (a.has_saved) {
        out << "#Weights# " << a.saved_parameters.size() << ' ' << a.saved_lookups.size() << '\n';
        write_all(out, a.saved_parameters, a.saved_lookups);
      }
    }
    write_rule(out, t);
    const RandomPosition random = random_position();
    out << random_tag << std::noshowpos << ' ' << random.seed << ' ' << random.streams << ' ' << random.graphs
        << std::showpos << '\n'
        << sparse_tag << ' ' << t.sparse_updates_enabled << '\n';
  }

  TrainerText(const Trainer& t, const std::string& text) : tokens_(checked(text)), fields_(t) {
    tokens_.expect("#Trainer#");
    Counts(tokens_, t.model);
    read_settings();
    const bool averages = fields_.averages.mode != MovingAverage::None;
    tokens_.expect(averages ? "[MA:TRUE]" : "[MA:FALSE]");
    if (averages) read_averages(t.model);
    read_rule(t);
    read_additions();
    try {
      fields_.check(t, "Could not load the trainer");
    } catch (const std::invalid_argument& error) {
      failed(error.what());
    }
  }

  void move_to(Trainer& t) && {
    t.follow_model();
    std::move(fields_).move_to(t);
    t.parameter_states_ = std::move(parameter_states_);
    t.lookup_states_ = std::move(lookup_states_);
    if (random_) set_random_position(*random_);
  }

 private:
  static void write_rule(std::ostream& out, const Trainer& t) {
    const bool has_state = t.rule_.slots > 0;
    out << '#' << t.name_ << "# " << (has_state ? t.parameter_states_.size() : 0) << ' '
        << (has_state ? t.lookup_states_.size() : 0) << '\n';
    for (unsigned slot = 0; slot < t.rule_.slots; ++slot)
      for (const auto& state : t.parameter_states_) write_line(out, parameter_tag, state.slot[slot]);
    for (unsigned slot = 0; slot < t.rule_.slots; ++slot)
      for (const auto& state : t.lookup_states_) write_line(out, lookup_tag, state.slot[slot]);
    const char* space = "";
    const auto put = [&](double x) { out << std::exchange(space, " ") << x; };
    for (size_t i = t.rule_.first_hyper; i < t.rule_.arg_count; ++i) put(t.args_[i]);
    if (const CyclicalRate& c = t.cyclical_; TrainerMemory::has_cycle(t.rule_))
      for (double x : {c.min, c.max, c.step_size, c.gamma, c.updates, double(c.enabled)}) put(x);
    out << '\n';
  }

  void read_settings() {
    fields_.learning_rate = tokens_.number<double>();
    fields_.clipping_enabled = tokens_.flag();
    fields_.clip_threshold = tokens_.number<double>();
    fields_.updates = read_updates();
    Averages& averages = fields_.averages;
    averages.beta = tokens_.number<double>();
    const std::string_view mode = tokens_.next();
    const auto found = std::find(std::begin(modes), std::end(modes), mode);
    if (found == std::end(modes)) Tokens::bad("\"", mode.substr(0, 100), "\" is no moving average");
    averages.mode = static_cast<MovingAverage>(found - std::begin(modes));
    averages.swapped = tokens_.flag();
    averages.has_saved = tokens_.flag();
    averages.frequency = tokens_.number<size_t>();
    averages.count = tokens_.number<size_t>();
  }

  /// DyNet 2 writes them with a fraction.
  size_t read_updates() {
    const auto updates = tokens_.number<double>();
    if (!(updates >= 0 && updates < 0x1p53))
      Tokens::bad(updates, " stands where a number of updates is needed");
    return static_cast<size_t>(updates);
  }

  void read_averages(const ParameterCollection& model) {
    Averages& to = fields_.averages;
    tokens_.expect("#MA#");
    read_all(tokens_, Counts(tokens_, model), model, to.parameters, to.lookups);
    if (!to.has_saved) return;
    tokens_.expect("#Weights#");
    read_all(tokens_, Counts(tokens_, model), model, to.saved_parameters, to.saved_lookups);
  }

  void read_rule(const Trainer& t) {
    tokens_.expect('#' + t.name_ + '#');
    const Counts counts(tokens_, t.model);
    const auto read = [&](std::string_view tag, size_t count, const auto& list, auto& states) {
      states.resize(count);
      for (unsigned slot = 0; slot < t.rule_.slots; ++slot)
        for (size_t i = 0; i < count; ++i) states[i].slot[slot] = read_line(tokens_, tag, list[i]->size());
    };
    read(parameter_tag, counts.parameters, t.model.parameters_list(), parameter_states_);
    read(lookup_tag, counts.lookups, t.model.lookup_parameters_list(), lookup_states_);
    for (size_t i = t.rule_.first_hyper; i < t.rule_.arg_count; ++i)
      fields_.args[i] = tokens_.number<double>();
    if (!TrainerMemory::has_cycle(t.rule_)) return;
    CyclicalRate& c = fields_.cyclical;
    for (double* x : {&c.min, &c.max, &c.step_size, &c.gamma, &c.updates}) *x = tokens_.number<double>();
    c.enabled = tokens_.number<double>() != 0;
  }

  /// What files of DyNet 2, and older ones of ours, say nothing of.
  void read_additions() {
    while (!tokens_.at_end()) {
      const std::string_view tag = tokens_.next();
      if (tag == random_tag) {
        RandomPosition& random = random_.emplace();
        for (uint32_t* x : {&random.seed, &random.streams, &random.graphs}) *x = tokens_.number<uint32_t>();
      } else if (tag == sparse_tag) {
        fields_.sparse_updates_enabled = tokens_.flag();
      } else {
        return;
      }
    }
  }

  Tokens tokens_;
  std::optional<RandomPosition> random_;
  TrainerMemory::Fields fields_;
  std::vector<Trainer::State> parameter_states_, lookup_states_;
};

void Trainer::save(std::ostream& out) {
  follow_model();
  if (updates > 0) allocate();  // rows that were added since have a state, too
  // Who goes on and who loads the values that are seen go on from the same numbers.
  for (const auto& p : model.parameters_list()) p->fold_decay();
  for (const auto& l : model.lookup_parameters_list()) l->fold_decay();
  std::ostringstream content;
  content.imbue(std::locale::classic());
  content << std::scientific << std::showpos << std::setprecision(exact);
  TrainerText::write(content, *this);
  const std::string sum = checksum_of(content.view());
  content << checksum_tag << sum << '\n';
  if (!(out << content.view())) failed("Could not save the trainer: the stream took no more");
}

void Trainer::populate(std::istream& in) {
  std::string content(std::istreambuf_iterator<char>(in), {});
  content.resize(drop_carriage_returns(content.data(), content.size()));
  TrainerText(*this, content).move_to(*this);
}

void Trainer::populate(std::istream& in, double new_learning_rate) {
  check_learning_rate("populate", new_learning_rate);
  populate(in);
  learning_rate = new_learning_rate;
}

}  // namespace dynet
