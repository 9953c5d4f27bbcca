#include "circuits/converters/reference_levels.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace cimstat::circuits {

ReferenceLevels::ReferenceLevels(ConverterKind kind, std::vector<double> positions,
                                 double element_sd, double offset_sd, double noise_sd)
    : kind_(kind),
      positions_(std::move(positions)),
      element_sd_(element_sd),
      offset_sd_(offset_sd),
      noise_sd_(noise_sd) {}

std::size_t ReferenceLevels::elements() const {
  if (element_sd_ == 0.0) return 0;
  return positions_.size() + (is_ramp() ? 0 : 1);
}

std::size_t ReferenceLevels::frozen_draws() const {
  const std::size_t comparators = is_ramp() ? 1 : positions_.size();
  return elements() + (offset_sd_ > 0.0 ? comparators : 0);
}

void ReferenceLevels::freeze(NormalDraws draws, std::vector<double>& values) const {
  const std::size_t count = positions_.size();
  values = positions_;
  double gathered = 0.0;  // what the elements so far have too much
  for (std::size_t j = 0; j < elements(); ++j) {
    gathered += element_sd_ * draws[j];
    if (j < count) values[j] += gathered;
  }
  if (element_sd_ > 0.0 && !is_ramp()) {
    const auto ends = static_cast<double>(count + 1);
    const double share = ends / (ends + gathered);
    for (std::size_t j = 0; j < count; ++j) {
      const auto tap = static_cast<double>(j + 1);
      values[j] = positions_[j] + ((tap + (values[j] - positions_[j])) * share - tap);
    }
  }
  if (offset_sd_ == 0.0) return;
  const NormalDraws offsets = draws.from(elements());
  for (std::size_t j = 0; j < count; ++j) values[j] += offset_sd_ * offsets[is_ramp() ? 0 : j];
}

std::uint32_t ReferenceLevels::code(std::span<const double> values, double position,
                                    NormalDraws noise) const {
  std::uint32_t above = 0;
  for (std::size_t j = 0; j < values.size(); ++j) {
    const double seen = noise_sd_ > 0.0 ? position + noise_sd_ * noise[j] : position;
    if (seen >= values[j]) {
      ++above;
    } else if (kind_ != ConverterKind::flash) {
      break;
    }
  }
  return above;
}

std::vector<CodePiece> ReferenceLevels::pieces(std::span<const double> values) const {
  std::vector<double> levels(values.begin(), values.end());
  if (kind_ == ConverterKind::flash) {
    std::sort(levels.begin(), levels.end());
  } else {
    for (std::size_t j = 1; j < levels.size(); ++j) levels[j] = std::max(levels[j], levels[j - 1]);
  }
  std::vector<CodePiece> pieces{{-std::numeric_limits<double>::infinity(), 0}};
  for (std::size_t j = 0; j < levels.size(); ++j) {
    const auto code = static_cast<std::uint32_t>(j + 1);
    if (j + 1 == levels.size() || levels[j] < levels[j + 1]) pieces.push_back({levels[j], code});
  }
  return pieces;
}

}  // namespace cimstat::circuits
