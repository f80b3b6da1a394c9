// What is learned: the storage of parameters and lookup tables, and the handle that shares a parameter.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dynet/core/mutex.h"
#include "dynet/core/tensor.h"
#include "dynet/device/on_host.h"
#include "dynet/params/buffer.h"

namespace dynet::engine {

struct CollectionStorage;

/// What parameters and lookup tables have in common. Graphs that use it share its ownership.
struct Storage : std::enable_shared_from_this<Storage> {
  uint64_t uid = next_uid();  // unlike its address, never used again; another one for another shape
  std::string name;           // from the root on: "/lstm/_0"
  std::weak_ptr<CollectionStorage> owner;  // the root of the collections that list it
  Dim dim;                                 // a lookup table's rows are its last axis
  Buffer numbers;                          // the values: those of a row of a table lie together
  Gradient gradient;
  real decay_factor = 1;  // lazy weight decay: what graphs, programs and files see is the values times this
  uint64_t version = 1;   // changes with the values
  bool updated = true;    // trainers change it; if not, it gets no gradient either
  bool nonzero = false;   // the gradient was added to since it was cleared
  bool is_lookup = false;

  // A graph keeps the packed form it first saw: others are written where somebody still holds the old ones.
  std::shared_ptr<PackedMatrix> packed, spare;
  uint64_t packed_version = 0;
  Mutex packing;  // graphs of several threads may need the same parameter packed

  static uint64_t next_uid() {
    static std::atomic<uint64_t> last{0};
    return ++last;
  }

  explicit Storage(const Dim& d) : dim(d), numbers(d.size()), gradient(d.size()) {}
  virtual ~Storage() = default;

  /// Sets all of the gradient to zero.
  void drop_gradient() {
    gradient.clear();
    gradient_cleared();
  }
  /// Says that the gradient's numbers are zero.
  virtual void gradient_cleared() = 0;
  /// The gradient is another buffer, of zeros.
  virtual void gradient_moved() = 0;
  /// Somebody else wrote the gradient's numbers.
  virtual void gradient_written() = 0;

  /// Whether a gradient has reached it since it was cleared: from a graph, or written by the program.
  bool is_used() const {
    return nonzero || (!gradient.is_clear() && any_nonzero(gradient.numbers().data(), size()));
  }
  size_t size() const { return numbers.size(); }
  void changed() { ++version; }
  bool is_packed(const void* engine) const {
    return packed && packed_version == version && packed->engine == engine;
  }
  /// Panels that no graph reads, to be written anew.
  PackedMatrix& free_panels() {
    if (packed && packed.use_count() > 1) std::swap(packed, spare);
    if (!packed || packed.use_count() > 1) packed = std::make_shared<PackedMatrix>();
    return *packed;
  }
  /// Writes the numbers that graphs see, the stored ones after lazy weight decay, to others of the engine.
  void read(real* to) const { read(to, 0, numbers.size()); }
  void read(real* to, size_t first, size_t size) const {
    Engine& engine = chosen_engine();
    engine.copy(size, numbers.data() + first, to);
    if (decay_factor != 1) engine.scale(size, decay_factor, to);
  }
  /// The same to the host's.
  void show(real* to, size_t first, size_t size) const {
    chosen_engine().copy(size, numbers.data() + first, to);
    if (decay_factor != 1)
      for (size_t i = 0; i < size; ++i) to[i] = decay_factor * to[i];
  }
  /// One more step of weight decay; a factor that has become small is multiplied into the values.
  void decay(real lambda) {
    decay_factor -= decay_factor * lambda;
    if (decay_factor < real(0.25)) fold_decay();
    changed();
  }
  /// The stored numbers become those that are seen, to the bit.
  void fold_decay() {
    const real factor = std::exchange(decay_factor, real(1));
    if (factor != 1) chosen_engine().scale(size(), factor, numbers.data());
  }
  /// The values, to be changed by who has read them, or all to be written anew.
  real* change() {
    fold_decay();
    changed();
    return numbers.data();
  }
  real* overwrite() {
    decay_factor = 1;
    changed();
    return numbers.data();
  }
  /// Writes numbers over the values from `first` on.
  void assign(std::span<const real> from, size_t first = 0) {
    chosen_engine().copy(from.size(), from.data(), (from.size() == size() ? overwrite() : change()) + first);
  }
  void scale(real factor) { chosen_engine().scale(size(), factor, change()); }
  void scale_gradient(real factor) { chosen_engine().scale(size(), factor, gradient.data()); }
  /// Forces every value into [left, right].
  void clip(real left, real right) {
    for (real& x : OnHost(change(), size())) x = std::min(std::max(x, left), right);
  }
};

/// The values or the gradient as the tensor that DyNet 2's programs know there. Who takes the tensor or its
/// numbers may write them, and asks again before each time.
class StoredTensor {
 public:
  /// Their address, as a tensor has it.
  class Numbers {
   public:
    operator real*() const { return of_gradient_ ? storage_.gradient.data() : storage_.change(); }

   private:
    friend class StoredTensor;
    Numbers(Storage& storage, bool of_gradient) : storage_(storage), of_gradient_(of_gradient) {}
    Storage& storage_;
    bool of_gradient_;
  };

  StoredTensor(Storage& storage, bool of_gradient) : d(storage.dim), v(storage, of_gradient) {}
  operator Tensor() const { return {d, v}; }

  real* data() const { return numbers().data(); }
  // Of an engine that leaves its numbers to the host.
  real* begin() const { return numbers().begin(); }
  real* end() const { return numbers().end(); }
  real& operator[](size_t i) const { return numbers()[i]; }
  size_t size() const { return v.storage_.size(); }

  const Dim& d;
  const Numbers v;

 private:
  Buffer& numbers() const { return v.of_gradient_ ? v.storage_.gradient.numbers() : v.storage_.numbers; }
};

inline std::ostream& operator<<(std::ostream& out, const StoredTensor& t) { return out << Tensor(t); }

/// The same of the rows of a table.
class StoredRows {
 public:
  StoredRows(Storage& storage, bool of_gradient) : all_(storage, of_gradient) {}
  Tensor operator[](size_t row) const {
    Dim one = all_.d;
    one.d[--one.nd] = 0;
    return {one, all_.v + row * one.size()};
  }
  size_t size() const { return all_.d.d[all_.d.nd - 1]; }
  operator std::vector<Tensor>() const {
    std::vector<Tensor> rows;
    for (size_t row = 0; row < size(); ++row) rows.push_back((*this)[row]);
    return rows;
  }

 private:
  StoredTensor all_;
};

}  // namespace dynet::engine

namespace dynet {

struct ParameterStorage : engine::Storage {
  using engine::Storage::Storage;
  engine::StoredTensor values{*this, false}, g{*this, true};
  Tensor value_tensor{dim, values.data()}, gradient_tensor{dim, gradient.data()};

  bool is_updated() const { return updated; }
  bool has_grad() const { return is_used(); }
  void clear() { clear_gradient(); }
  void clear_gradient() { drop_gradient(); }
  void gradient_moved() override {
    gradient_tensor = {dim, gradient.data()};
    gradient_cleared();
  }
  void gradient_written() override { nonzero = engine::any_nonzero(gradient.data(), size()); }
  void gradient_cleared() final { nonzero = false; }
  void set_gradient(std::span<const real> numbers) {
    engine::chosen_engine().copy(size(), numbers.data(), gradient.overwrite());
    nonzero = true;
  }
};

struct LookupParameterStorage : engine::Storage {
  /// The last size of `d` is the number of rows.
  explicit LookupParameterStorage(const Dim& d) : engine::Storage(d), is_touched(d[d.nd - 1]) {
    is_lookup = true;
    touched.reserve(rows());
  }
  unsigned rows() const { return dim.d[dim.nd - 1]; }
  Dim row_dim() const {
    Dim d = dim;
    d.d[--d.nd] = 0;
    return d;
  }
  size_t row_size() const { return size() / rows(); }

  engine::StoredTensor all_values{*this, false}, all_grads{*this, true};
  engine::StoredRows values{*this, false}, grads{*this, true};
  bool is_updated() const { return updated; }
  bool has_grad() const { return is_used(); }
  void clear() { clear_gradient(); }

  std::vector<Tensor> row_values, row_gradients;  // made when first asked for

  std::vector<uint32_t> touched;    // rows whose gradient was added to, in order of first use
  std::vector<uint8_t> is_touched;  // per row
  bool all_touched = false;         // used as a whole matrix
  std::vector<uint32_t> uses;       // per row, while the gradients of many uses are delivered; otherwise zero

  void count_use(unsigned row) {
    if (uses.empty()) uses.resize(rows());
    ++uses[row];
  }
  void forget_uses(unsigned row) {
    if (!uses.empty()) uses[row] = 0;
  }

  void initialize(unsigned row, std::span<const real> numbers) {
    if (row >= rows()) engine::bad_index(name, ": row ", row, " was asked for; it has ", rows(), " rows");
    if (numbers.size() != row_size())
      engine::invalid("initialize: ", numbers.size(), " numbers for a row of ", name, " of shape ", row_dim(),
                      "; it has ", row_size());
    assign(numbers, row * row_size());
  }
  void initialize(unsigned row, const std::vector<real>& numbers) {
    initialize(row, std::span<const real>(numbers));
  }
  real* row_gradient(unsigned row) {
    if (!is_touched[row]) is_touched[row] = 1, touched.push_back(row);
    nonzero = true;
    return gradient.data() + row * row_size();
  }
  void clear_gradient() {
    const size_t n = row_size();
    if (all_touched) {
      gradient.clear();
    } else {
      engine::Engine& engine = engine::chosen_engine();
      for (uint32_t row : touched) engine.fill(n, 0, gradient.data() + row * n);
    }
    gradient_cleared();
  }
  void gradient_moved() override {
    row_gradients.clear();
    gradient_cleared();
  }
  void gradient_written() override {
    for (unsigned row = 0; row < rows(); ++row)
      if (engine::any_nonzero(gradient.data() + row * row_size(), row_size())) row_gradient(row);
  }
  void gradient_cleared() final {
    for (uint32_t row : touched) is_touched[row] = 0;
    touched.clear();
    all_touched = nonzero = false;
  }
  /// Rows of nothing but zeros count as not used.
  void set_gradient(std::span<const real> numbers) {
    gradient_cleared();
    engine::chosen_engine().copy(size(), numbers.data(), gradient.overwrite());
    gradient_written();
  }
  /// Room for more rows behind the others; the caller writes their values. Addresses change.
  void add_rows(unsigned more);
};

}  // namespace dynet

namespace dynet::engine {

/// Whether numbers of one shape can go into a parameter of another. Rows of one number are {} or {1}, so that
/// a table of them is {V} or {1,V}.
inline bool fits(const Dim& given, const Dim& wanted, bool is_table) {
  return given == wanted || (is_table && given.nd <= 2 && wanted.nd <= 2 && given.size() == wanted.size() &&
                             given[given.nd - 1] == wanted[wanted.nd - 1]);
}

/// What the handles of parameters and of lookup tables can do alike; copies share the storage.
template <class S>
class Handle {
 public:
  Handle() = default;
  explicit Handle(std::shared_ptr<S> storage) : p(std::move(storage)) {}

  explicit operator bool() const { return p != nullptr; }
  bool operator==(const Handle&) const = default;
  S& get_storage() const {
    if (!p) invalid("the parameter is empty: it was not made by add_parameters or add_lookup_parameters");
    return *p;
  }
  const std::string& get_fullname() const { return get_storage().name; }
  /// The factor that lazy weight decay multiplies the stored values with.
  real current_weight_decay() const { return get_storage().decay_factor; }
  /// A frozen parameter rests: it gets no gradient, and trainers neither count, change nor decay it. Freezing
  /// and thawing drop the gradient that there is.
  void set_updated(bool updated) {
    S& s = get_storage();
    if (std::exchange(s.updated, updated) != updated) s.clear_gradient();
  }
  bool is_updated() const { return get_storage().updated; }
  void scale(real factor) { get_storage().scale(factor); }
  void scale_gradient(real factor) { get_storage().scale_gradient(factor); }
  void clip_inplace(real left, real right) { get_storage().clip(left, right); }
  /// Sets values and gradient to zero.
  void zero() {
    S& s = get_storage();
    chosen_engine().fill(s.size(), 0, s.overwrite());
    s.drop_gradient();
  }

  std::shared_ptr<S> p;
};

}  // namespace dynet::engine

namespace dynet {

/// A tensor that is learned.
class Parameter : public engine::Handle<ParameterStorage> {
 public:
  using Handle::Handle;

  const Dim& dim() const { return get_storage().dim; }
  /// The numbers. Who writes them asks again before each time.
  Tensor* values() const {
    get_storage().change();
    return &get_storage().value_tensor;
  }
  /// Who reads or writes them asks again after each sum over processes.
  Tensor* gradients() const {
    get_storage().gradient.numbers();
    return &get_storage().gradient_tensor;
  }
  void set_value(std::span<const real> numbers) {
    ParameterStorage& s = get_storage();
    if (numbers.size() != s.size())
      engine::invalid("set_value: ", numbers.size(), " numbers for ", s.name, " of shape ", s.dim,
                      "; it has ", s.size());
    s.assign(numbers);
  }
  void set_value(const std::vector<real>& numbers) { set_value(std::span<const real>(numbers)); }
};

}  // namespace dynet
