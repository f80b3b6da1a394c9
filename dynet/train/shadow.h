// What a trainer keeps for each parameter and table, as tensors that programs read, write and save.
#pragma once

#include <memory>
#include <vector>

#include "dynet/params/lookup.h"
#include "dynet/train/rules.h"

namespace dynet {

class Trainer;

/// One tensor of a trainer for a parameter; one that a program makes has zeros of its own.
struct ShadowParameters {
  ShadowParameters() = default;
  explicit ShadowParameters(const ParameterStorage& p) : ShadowParameters(p.dim, {}) {
    own = std::make_shared<engine::Buffer>(p.size());
    h.v = own->data();
  }
  ShadowParameters(const Dim& dim, real* numbers) : h(dim, numbers) {}

  Tensor h;
  std::shared_ptr<engine::Buffer> own = {};
};

/// The same of a table: all of it, and each row.
struct ShadowLookupParameters {
  ShadowLookupParameters() = default;
  explicit ShadowLookupParameters(const LookupParameterStorage& p) {
    own = std::make_shared<engine::Buffer>(p.size());
    *this = ShadowLookupParameters(p.dim, own->data(), own);
  }
  ShadowLookupParameters(const Dim& dim, real* numbers, std::shared_ptr<engine::Buffer> owner = {})
      : all_h(dim, numbers), own(std::move(owner)) {
    const unsigned axis = dim.nd - 1;
    Dim row = dim;
    row.d[--row.nd] = 0;
    for (unsigned i = 0; i < dim.d[axis]; ++i) h.emplace_back(row, numbers + i * row.size());
  }

  Tensor all_h;
  std::vector<Tensor> h;
  std::shared_ptr<engine::Buffer> own = {};
};

}  // namespace dynet

namespace dynet::engine {

/// Makes the shadows those of a trainer.
void show(Trainer& trainer, unsigned slot, std::vector<ShadowParameters>& shadows);
void show(Trainer& trainer, unsigned slot, std::vector<ShadowLookupParameters>& shadows);

/// One kind of a trainer's state, for parameters or for tables, in the order of the collection; empty before
/// the first update. Tensors of it are valid until parameters or rows are added.
template <class Shadow>
class Shadows {
 public:
  Shadows(Trainer* trainer, unsigned slot) : trainer_(trainer), slot_(slot) {}
  Shadows(const Shadows&) = delete;
  Shadows& operator=(const Shadows&) = delete;

  size_t size() const { return list().size(); }
  bool empty() const { return size() == 0; }
  Shadow& operator[](size_t i) const { return list()[i]; }
  Shadow& at(size_t i) const { return list().at(i); }
  auto begin() const { return list().begin(); }
  auto end() const { return list().end(); }
  operator std::vector<Shadow>&() const { return list(); }

 private:
  std::vector<Shadow>& list() const {
    show(*trainer_, slot_, list_);
    return list_;
  }

  Trainer* trainer_;
  unsigned slot_;
  mutable std::vector<Shadow> list_;
};

using ParameterShadows = Shadows<ShadowParameters>;
using LookupShadows = Shadows<ShadowLookupParameters>;

/// The state of a rule by DyNet 2's names: none.
template <class R>
struct Moments {
  explicit Moments(Trainer*) {}
};

/// The velocities.
struct Velocities {
  explicit Velocities(Trainer* trainer) : vp(trainer, 0), vlp(trainer, 0) {}
  ParameterShadows vp;
  LookupShadows vlp;
};
template <>
struct Moments<MomentumSGD> : Velocities {
  using Velocities::Velocities;
};
/// Sums of squared gradients.
template <>
struct Moments<Adagrad> : Velocities {
  using Velocities::Velocities;
};

/// Means of squared gradients and of squared steps.
template <>
struct Moments<Adadelta> {
  explicit Moments(Trainer* trainer) : hg(trainer, 0), hd(trainer, 1), hlg(trainer, 0), hld(trainer, 1) {}
  ParameterShadows hg, hd;
  LookupShadows hlg, hld;
};

/// Means of squared gradients.
template <>
struct Moments<RMSProp> {
  explicit Moments(Trainer* trainer) : hmsg(trainer, 0), hlmsg(trainer, 0) {}
  ParameterShadows hmsg;
  LookupShadows hlmsg;
};

/// The first and second moments.
template <>
struct Moments<Adam> {
  explicit Moments(Trainer* trainer) : m(trainer, 0), v(trainer, 1), lm(trainer, 0), lv(trainer, 1) {}
  ParameterShadows m, v;
  LookupShadows lm, lv;
};

template <>
struct Moments<AdamW> : Moments<Adam> {
  using Moments<Adam>::Moments;
};
template <>
struct Moments<RAdam> : Moments<Adam> {
  using Moments<Adam>::Moments;
};

/// The first moments.
template <>
struct Moments<Lion> {
  explicit Moments(Trainer* trainer) : m(trainer, 0), lm(trainer, 0) {}
  ParameterShadows m;
  LookupShadows lm;
};

/// And the largest second moments.
template <>
struct Moments<Amsgrad> : Moments<Adam> {
  explicit Moments(Trainer* trainer) : Moments<Adam>(trainer), vhat(trainer, 2), lvhat(trainer, 2) {}
  ParameterShadows vhat;
  LookupShadows lvhat;
};

/// The velocities.
template <>
struct Moments<EG> {
  explicit Moments(Trainer* trainer) : hp(trainer, 0), hlp(trainer, 0) {}
  ParameterShadows hp;
  LookupShadows hlp;
};

}  // namespace dynet::engine
