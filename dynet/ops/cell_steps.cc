// What a recorded cell computes, step by step, for those who look at it.
#include <algorithm>
#include <map>

#include "dynet/ops/cell.h"

namespace dynet::engine {

CellTrace::Source CellTrace::source_of(const Location& l) const {
  if (l.room == Room::argument) return {false, l.argument, l.offset};
  const auto holds = [&](const Step& step) {
    return step.y.room == l.room && step.y.offset <= l.offset &&
           l.offset < step.y.offset + step.dim.batch_size();
  };
  const auto step = std::ranges::find_if(steps_, holds);
  if (step == steps_.end()) failed("a cell reads what no step of it computes");
  return {true, static_cast<uint32_t>(step - steps_.begin()), l.offset - step->y.offset};
}

std::vector<CellTrace::StepView> CellTrace::steps() const {
  std::vector<StepView> all;
  for (const Step& step : steps_) {
    StepView& view = all.emplace_back(StepView{step.op, step.attrs.data(), step.x_dims, step.dim, {}});
    for (const Use& use : step.uses)
      view.sources.push_back(use.matrix != none ? Source{false, use.matrix, 0} : source_of(use.x));
  }
  return all;
}

std::vector<CellTrace::Piece> CellTrace::pieces() const {
  std::map<size_t, Piece> by_place;
  for (const Step& step : steps_)
    if (step.y.room == Room::result) by_place[step.y.offset] = {source_of(step.y), step.dim.batch_size()};
  for (const Copy& copy : output_copies_) by_place[copy.to.offset] = {source_of(copy.from), copy.size};
  std::vector<Piece> all;
  for (const auto& [place, piece] : by_place) all.push_back(piece);
  return all;
}

}  // namespace dynet::engine
