// Model files: DyNet 2's bytes, every rule of keys and positions, and every kind of damage.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "dynet/io/file.h"
#include "dynet/io/number.h"
#include "dynet/io/pair.h"
#include "dynet/io/safetensors.h"
#include "dynet/io/text.h"
#include "tests/cpp/check.h"

using namespace dynet;
using namespace dynet::engine;
using test::check;
using test::check_throws;
namespace fs = std::filesystem;

namespace {

/// A folder of this run, with a name that is not ASCII.
const fs::path& folder() {
  static const fs::path path = [] {
    const auto p = fs::temp_directory_path() / ("dynet_io_λόγος_" + std::to_string(std::random_device{}()));
    fs::create_directories(p);
    return p;
  }();
  return path;
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

/// A text as DyNet 2 writes it: without our checksums, which its counts of characters include.
std::string plain(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (line[0] == '#') {
      const size_t count = line.find("} ") + 2, end = line.find(' ', count);
      line.replace(count, end - count, std::to_string(std::stoul(line.substr(count)) - 14));
    }
    if (const size_t sum = line.find("crc32:"); sum != std::string::npos) line.resize(sum);
    out += line + '\n';
  }
  return out;
}

std::string printed(real x) {
  char text[max_number_size + 8];
  return {text, write_number(x, text)};
}

void numbers_are_written_exactly() {
  std::mt19937 random(1);
  size_t wrong = 0;
  const auto compare = [&](real x) {
    char expected[64];
    std::snprintf(expected, sizeof expected, "%+.8e ", static_cast<double>(x));
    const std::string text = printed(x);
    wrong += text != expected || number_size(x) != text.size();
    float back = 0;
    if constexpr (sizeof(real) == sizeof(float)) {
      real y = 0;
      wrong += !read_number(text.data(), text.data() + text.size(), y);
      back = static_cast<float>(y);
      wrong += std::bit_cast<uint32_t>(back) != std::bit_cast<uint32_t>(static_cast<float>(x));
    }
  };
  for (int i = 0; i < 300000; ++i) {
    const auto x = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isfinite(x)) compare(x);
  }
  for (int e = -149; e < 128; ++e)
    for (uint32_t m = 0; m < 300; ++m) compare(std::ldexp(1 + static_cast<float>(m) / 256, e));
  for (int i = 0; i < 100000; ++i) compare(static_cast<real>(i) / 512);
  check(wrong == 0, std::to_string(wrong) + " numbers differ from printf's, or do not come back");
  check(printed(std::numeric_limits<real>::infinity()) == "+inf ", "infinity");
  check(printed(-std::numeric_limits<real>::quiet_NaN()) == "-nan ", "not a number");
}

void numbers_are_read() {
  const auto value = [](const std::string& text) {
    real x = 99;
    const char* end = text.data() + text.size();
    return read_number(text.data(), end, x) == end ? x : real(99);
  };
  check(value("1") == 1 && value(" -2.5") == real(-2.5) && value("+3e2") == 300 && value("\t.5") == real(0.5),
        "plain");
  check(value("1.00000000e-60") == (sizeof(real) == 4 ? real(0) : real(1e-60)), "too small is zero");
  check(std::isinf(value("-inf")) && std::isnan(value("+nan")), "not finite");
  for (const char* bad :
       {"", "x", "1x", "+-1", "--1", "1e", "+", "1e9999", "+1.0000000Ze+00 ", "+1.00000000e+0x "})
    check(value(bad) == 99, std::string("refused: ") + bad);
}

constexpr auto recorded =
    "#Parameter# /a {2,3} 194 FULL_GRAD\n"
    "+0.00000000e+00 +4.28571433e-01 +1.42857149e-01 +5.71428597e-01 +2.85714298e-01 +7.14285731e-01 \n"
    "+0.00000000e+00 +8.57142866e-01 +2.85714298e-01 +1.14285719e+00 +5.71428597e-01 +1.42857146e+00 \n"
    "#Parameter# /foo/_0 {2} 33 ZERO_GRAD\n"
    "-1.50000000e+00 +3.27680000e+04 \n"
    "#LookupParameter# /foo/_1 {2,3} 194 FULL_GRAD\n"
    "-1.50000000e+00 -5.00000000e-01 +5.00000000e-01 +1.50000000e+00 +2.50000000e+00 +3.50000000e+00 \n"
    "+0.00000000e+00 +0.00000000e+00 +1.00000000e+00 +3.00000000e+00 +0.00000000e+00 +0.00000000e+00 \n";

/// The collection of the recorded file.
struct Model {
  Model() {
    a = collection.add_parameters({2, 3}, "a");
    foo = collection.add_subcollection("foo");
    b = foo.add_parameters({2});
    table = foo.add_lookup_parameters(3, {2});
    // Numbers that eight decimals hold exactly.
    for (Storage* s : std::initializer_list<Storage*>{a.p.get(), b.p.get(), table.p.get()})
      for (real& x : s->numbers) x = static_cast<real>(++count) / 8;
  }
  std::vector<real> numbers() const {
    std::vector<real> all;
    const auto add = [&](const Storage& s) {
      all.insert(all.end(), s.numbers.begin(), s.numbers.end());
      all.insert(all.end(), s.gradient.numbers().begin(), s.gradient.numbers().end());
    };
    add(*a.p), add(*b.p), add(*table.p);
    return all;
  }
  static inline int count = 0;
  ParameterCollection collection, foo;
  Parameter a, b;
  LookupParameter table;
};

void round_trip() {
  const auto file = folder() / "model.txt", copy = folder() / "copy.txt";
  write(file, recorded);
  Model m;
  m.table.p->row_gradient(0)[0] = 5;
  TextFileLoader(file).populate(m.collection);
  check(m.table.p->all_values[5] == real(3.5) && m.a.p->gradient[3] == real(1.14285719),
        "values and gradients");
  check(!m.a.p->nonzero && m.table.p->touched.empty() && m.table.p->gradient[0] == 0,
        "gradients are not flagged");
  m.a.p->nonzero = m.table.p->nonzero = true;
  TextFileSaver(copy).save(m.collection);
  check(plain(read(copy)) == recorded, "the same bytes");
  m.b.p->decay(real(0.5));
  TextFileSaver(copy).save(m.b);
  check(plain(read(copy)) == "#Parameter# /foo/_0 {2} 33 ZERO_GRAD\n-7.50000000e-01 +1.63840000e+04 \n",
        "values are written with their decay");
  m.b.set_value({std::numeric_limits<real>::infinity(), 1});
  TextFileSaver(copy).save(m.b);
  check(plain(read(copy)) == "#Parameter# /foo/_0 {2} 22 ZERO_GRAD\n+inf +1.00000000e+00 \n",
        "the true count of bytes");
  TextFileLoader(copy).populate(m.b, "/foo/_0");
  check(std::isinf(m.b.p->values[0]), "infinity comes back");
}

void keys() {
  const auto file = folder() / "keys.txt";
  Model m;
  TextFileSaver saver(file);
  saver.save(m.collection, "/x");
  saver.save(m.foo, "/y/");
  saver.save(m.a, "plain");
  saver.save(m.table);
  const std::string text = read(file);
  for (const char* header :
       {"#Parameter# /x/a {2,3}", "#LookupParameter# /x/foo/_1 {2,3}", "#Parameter# /y/_0 {2}",
        "#Parameter# plain {2,3}", "#LookupParameter# /foo/_1 {2,3}"})
    check(text.find(header) != std::string::npos, header);
  for (const char* key : {"x", "/", "/x y", "/x#"}) {
    check_throws<std::invalid_argument>("Key should start with '/'", [&] { saver.save(m.foo, key); });
    if (*key == '/') check_throws<std::invalid_argument>("Key could not", [&] { saver.save(m.a, key); });
  }
  check(read(file) == text, "a refused key leaves the file as it was");

  Model other;
  const TextFileLoader loader(file);
  loader.populate(other.collection, "/x");
  check(other.numbers() == m.numbers(), "by key");
  loader.populate(other.foo, "/y");
  loader.populate(other.table, "/foo/_1");
  loader.populate(other.a, "plain");
  check_throws<std::runtime_error>("(0/0) did not match number to be populated (1/1)",
                                   [&] { loader.populate(other.foo, "/zz"); });
  check_throws<std::runtime_error>("Too many parameters in populated model at /x/foo/_0", [&] {
    ParameterCollection one;
    one.add_parameters({2, 3});
    loader.populate(one);
  });
  check_throws<std::invalid_argument>("requires non-empty key", [&] { loader.populate(other.a); });
  check_throws<std::runtime_error>("Could not find key /nope", [&] { loader.populate(other.a, "/nope"); });
  check_throws<std::runtime_error>("Could not find key plain",
                                   [&] { loader.populate(other.table, "plain"); });
  check_throws<std::runtime_error>("don't match ({2} != {2,3})", [&] { loader.populate(other.b, "plain"); });
  check_throws<std::runtime_error>("(/x/a looked up" + std::string(), [&] {
    try {
      loader.populate(other.foo, "/x");
    } catch (const std::runtime_error& e) {
      failed('(', std::string(e.what()).substr(std::string("Dimensions of parameter ").size()));
    }
  });
  const Parameter loaded = loader.load_param(other.collection, "plain");
  check(loaded.get_fullname() == "plain" && loaded.dim() == Dim{2, 3} && other.collection.size() == 4,
        "load_param");
  const LookupParameter table = loader.load_lookup_param(other.collection, "/x/foo/_1");
  check(table.rows() == 3 && table.dim() == Dim{2} &&
            as_vector(table.values()->at(2)) == as_vector(m.table.values()->at(2)),
        "load_lookup_param");
  check_throws<std::runtime_error>("Could not find key",
                                   [&] { loader.load_param(other.collection, "none"); });
  check_throws<std::invalid_argument>("load_param: it requires",
                                      [&] { loader.load_param(other.collection, ""); });
  check(other.collection.size() == 5, "nothing is added by a failure");
}

void other_writers() {
  const auto file = folder() / "old.txt";
  ParameterCollection m;
  Parameter p = m.add_parameters({3});
  write(file, "\n#Parameter# /_0 {3} 12\r\n1 2  3\r\n4 5 6\r\n\n");
  TextFileLoader(file).populate(m);
  check(p.p->values[2] == 3 && p.p->gradient[2] == 6, "without a word for the gradient there is one");
  write(file, "#Parameter# a name with {3} 2 words {3} 6 ZERO_GRAD\n7 8 9\n");
  TextFileLoader(file).populate(p, "a name with {3} 2 words");
  check(p.p->values[2] == 9 && p.p->gradient[2] == 0, "names may hold spaces");
}

/// Editors that strip it leave a model that is whole.
void the_last_newline_may_be_missing(const std::string& text, Model& m) {
  const auto file = folder() / "stripped.txt";
  Model stripped;
  write(file, text);
  TextFileLoader(file).populate(m.collection);
  write(file, text.substr(0, text.size() - 1));
  TextFileLoader(file).populate(stripped.collection);
  check(stripped.numbers() == m.numbers(), "all of it was read");
  TextFileSaver(file, true).save(m.a, "/more");
  check(read(file).starts_with(text + '#'), "what is added begins a line");
}

void damage() {
  const auto file = folder() / "damaged.txt";
  const std::string text = recorded;
  Model m;
  const auto before = m.numbers();
  size_t accepted = 0;
  const auto must_fail = [&](const std::string& damaged) {
    write(file, damaged);
    try {
      TextFileLoader(file).populate(m.collection);
      ++accepted;
    } catch (const std::runtime_error& e) {
      accepted += std::string(e.what()).find(file.string()) == std::string::npos;
    }
  };
  for (size_t size = 0; size + 1 < text.size(); ++size) must_fail(text.substr(0, size));
  for (size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = '?';
    // A key is not compared, nor are the count of bytes and the word for a gradient that is there.
    const size_t line = text.rfind('\n', at) == std::string::npos ? 0 : text.rfind('\n', at) + 1;
    const size_t name = text.find(' ', line), count = text.find('}', line);
    const bool header = text[line] == '#';
    if (header && ((at > name && at < text.find(' ', name + 1)) || at > count)) continue;
    must_fail(damaged);
  }
  check(accepted == 0, std::to_string(accepted) + " damaged files were accepted, or not named");
  check(m.numbers() == before, "nothing is half-loaded");

  // What we write has checksums: whatever is changed is refused.
  m.a.p->nonzero = true;
  TextFileSaver(folder() / "whole.txt").save(m.collection);
  const std::string whole = read(folder() / "whole.txt");
  for (size_t size = 0; size + 1 < whole.size(); ++size) must_fail(whole.substr(0, size));
  for (size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      must_fail(damaged);
    }
  check(accepted == 0, std::to_string(accepted) + " damaged files of our own were accepted, or not named");
  check(m.numbers() == before, "nothing is half-loaded");
  for (const std::string& each : {text, whole, plain(whole)}) the_last_newline_may_be_missing(each, m);

  std::string cut = text;
  cut.replace(cut.find("+1.14285719e+00"), 15, "+1.14x85719e+00");
  write(file, cut);
  check_throws<std::runtime_error>("damaged.txt, line 3, parameter /a",
                                   [&] { TextFileLoader(file).populate(m.collection); });
  for (const char* bad :
       {"#Parameter# /a {} 1 ZERO_GRAD\n\n", "#Parameter# /a {9,9,9,9,9,9,9,9} 1 ZERO_GRAD\n1\n",
        "#Parameter# /a {99999999,99999999} 1 ZERO_GRAD\n1\n", "#Parameter# /a {0} 1 ZERO_GRAD\n\n",
        "#Parameter# /a {1048575,4294967295,4294967295} 1 ZERO_GRAD\n1\n",
        "#Parameter# {2} 1 ZERO_GRAD\n1 2\n", "#Parameter# /a {2X3} 1 ZERO_GRAD\n1\n", "#Parameter#\n"}) {
    write(file, bad);
    check_throws<std::runtime_error>("Bad parameter specification in model",
                                     [&] { TextFileLoader(file).load_param(m.collection, "/a"); });
  }
}

void dims_ask_for_no_memory() {
  const auto file = folder() / "large.txt";
  ParameterCollection m;
  write(file, "#LookupParameter# /a {1000,1000000000} 1 ZERO_GRAD\n+1.00000000e+00 \n");
  check_throws<std::runtime_error>("has no room for 1000000000000 numbers",
                                   [&] { TextFileLoader(file).load_lookup_param(m, "/a"); });
  check(m.size() == 0, "nothing is added");
}

void partial_files_of_the_dead_are_removed() {
  const auto file = folder() / "of" / "model.txt";
  fs::create_directory(file.parent_path());
  write(file, "old");
  FileWriter alive(file, false);
  alive.write("new");
  alive.finish();
  check(read(alive.partial()) == "new" && partial_files(file).size() == 1, "it lies beside");
  fs::path dead = alive.partial();
  dead.replace_filename("model.txt.dynet-1-2-3.partial");
  write(dead, "half");
  Model m;
  TextFileSaver(file).save(m.b);
  check(!fs::exists(dead) && fs::exists(alive.partial()), "those of the living stay");
  alive.commit();
  check(read(file) == "new" && partial_files(file).empty(), "the last one wins whole");
  const auto link = file.parent_path() / "link";
  fs::create_symlink("not-there-yet", link);
  TextFileSaver(link).save(m.b);
  check(fs::is_symlink(link) && fs::exists(file.parent_path() / "not-there-yet"), "a link to what is made");
  const auto lengthy = file.parent_path() / std::string(255, 'n');
  TextFileSaver(lengthy).save(m.b);
  check(fs::exists(lengthy), "the longest name");
  const Checksum none;
  Checksum sum;
  for (const char* part : {"1", "234", "5678", "9"}) sum.add(part);
  check(sum.digits() == "cbf43926" && none.digits() == "00000000", "zlib's checksum");
}

void writers_beside_each_other() {
  const auto place = folder() / "beside";
  fs::create_directory(place);
  const auto file = place / "model.txt", none = place / "new.txt", loop = place / "loop";
  Model m;
  write(file, "old");
  FileWriter added(file, true), merged(file, Writing::merge), first(none, true);
  TextFileSaver(file, true).save(m.b);
  TextFileSaver(none, true).save(m.b);
  const std::string whole = read(file);
  check(!added.commit() && !merged.commit() && !first.commit(), "what they were made from is not there");
  check(read(file) == whole, "nothing has changed");
  fs::create_symlink("loop", loop);
  check_throws<std::runtime_error>("Too many levels of symbolic links", [&] { TextFileSaver{loop}; });
  check(fs::is_symlink(loop), "a loop stays");
  PairWriter pair(place / "pair");
  pair.data().write("numbers"), pair.meta().write("what they are");
  fs::create_directory(place / "pair.meta");
  check_throws<std::runtime_error>("Could not write model to", [&] { pair.commit(); });
  check(read(place / "pair.data") == "numbers", "the first file is replaced");
  const auto beside = partial_files(place / "pair.meta");
  check(beside.size() == 1 && read(beside[0]) == "what they are", "the second one lies beside");
  fs::remove_all(place);
}

void files_are_replaced_whole() {
  const auto file = folder() / "replaced.txt";
  write(file, "old");
  {
    FileWriter out(file, false), added(file, true);
    out.write("new"), added.write("more");
  }
  check(read(file) == "old", "without commit the file stays");
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  {
    FileWriter out(file, false);
    out.write(std::string(300000, 'x'));
    check(read(file) == "old", "nor does it change before commit");
    out.commit();
  }
  check(read(file) == std::string(300000, 'x'), "commit replaces it");
  check(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write), "the mode stays");
  {
    FileWriter added(file, true);
    added.write(std::string(300000, 'y'));
    check(fs::file_size(file) == 300000, "what is added is added to a copy");
  }
  check(read(file) == std::string(300000, 'x'), "without commit nothing is added");
  const auto link = folder() / "link.txt";
  fs::create_symlink(file, link);
  Model m;
  TextFileSaver(link).save(m.b);
  check(fs::is_symlink(link) && read(file).find("#Parameter# /foo/_0") == 0, "a link stays a link");
  TextFileSaver(link, true).save(m.b, "again");
  check(plain(read(file)).find("#Parameter# again {2} 33") == 70, "append");
  TextFileSaver("/dev/null").save(m.collection);
  check(fs::is_character_file("/dev/null"), "a device stays a device");
  check_throws<std::runtime_error>("Could not write model to", [] { TextFileSaver{folder()}; });
  check_throws<std::runtime_error>("there is no folder", [] { TextFileSaver{folder() / "no" / "file"}; });
  check_throws<std::runtime_error>("Could not read model from",
                                   [&] { TextFileLoader(folder() / "nothing").populate(m.collection); });
  check_throws<std::runtime_error>("Could not read model from",
                                   [&] { TextFileLoader(folder()).populate(m.collection); });
  for (const auto& entry : fs::directory_iterator(folder()))
    check(entry.path().string().find(".partial") == std::string::npos, "no temporary file is left");
}

void safetensors() {
  const auto file = folder() / "λ.safetensors";
  check(is_safetensors(file) && !is_safetensors(folder() / "safetensors"), "the name tells the format");
  Model m, other;
  SafetensorsSaver saver(file);
  saver.save(m.collection, "/x");
  saver.save(m.a, "alone");
  const SafetensorsLoader loader(file);
  loader.populate(other.collection, "/x");
  check(other.numbers() == m.numbers(), "the same numbers");
  // A matrix lies by rows, a table row by row.
  const std::string text = read(file);
  const size_t data = text.size() - (6 + 6 + 2 + 6) * sizeof(real);
  std::vector<real> numbers(20);
  std::memcpy(numbers.data(), text.data() + data, text.size() - data);
  check(numbers[1] == m.a.p->values[2] && numbers[3] == m.a.p->values[1], "by rows");
  check(numbers[2 + 6 + 1] == m.table.p->all_values[1], "row by row");
  check(loader.load_param(other.collection, "alone").dim() == Dim{2, 3}, "load_param");
  check(loader.load_lookup_param(other.collection, "/x/foo/_1").rows() == 3, "load_lookup_param");
  check_throws<std::runtime_error>("holds tensors under \"/x/\"", [&] {
    ParameterCollection part;
    part.add_parameters({2, 3}, "a");
    loader.populate(part, "/x");
  });
  const auto damaged = folder() / "damaged.safetensors";
  for (size_t size = 0; size < text.size(); ++size) {
    write(damaged, text.substr(0, size));
    check_throws<std::runtime_error>("damaged.safetensors",
                                     [&] { SafetensorsLoader(damaged).populate(m.a, "alone"); });
  }
  size_t changed = 0, refused = 0;
  for (size_t at = 0; at < text.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      write(damaged, flipped);
      try {
        SafetensorsLoader(damaged).populate(m.collection, "/x");
        changed += other.numbers() != m.numbers();
      } catch (const std::runtime_error& e) {
        ++refused;
        changed += other.numbers() != m.numbers();
      }
    }
  check(changed == 0, std::to_string(changed) + " flips changed something");
  // What is read, the header but for its padding and the key of the checksums, and the length.
  check(refused > 8 * (14 * sizeof(real) + data - 32), std::to_string(refused) + " flips were refused");
}

void cut_while_it_is_read() {
  write(folder() / "whole", "0123456789");
  const FileParts file(folder() / "whole");
  check(std::string_view(file.read(2, 3).get(), 3) == "234", "a part");
  fs::resize_file(folder() / "whole", 4);
  check_throws<std::runtime_error>("was cut while it was read", [&] { file.read(2, 3); });
}

void helpers() {
  const std::string file = (folder() / "helper.txt").string();
  Model m, other;
  save_dynet_model(file, &m.collection);
  load_dynet_model(file, &other.collection);
  check(other.a.p->values[1] == m.a.p->values[1] && read(file).find("#Parameter# /model/a ") == 0, "helpers");
}

}  // namespace

int main() {
  numbers_are_written_exactly();
  numbers_are_read();
  round_trip();
  keys();
  other_writers();
  damage();
  dims_ask_for_no_memory();
  files_are_replaced_whole();
  partial_files_of_the_dead_are_removed();
  writers_beside_each_other();
  safetensors();
  cut_while_it_is_read();
  helpers();
  fs::remove_all(folder());
  return test::finish();
}
