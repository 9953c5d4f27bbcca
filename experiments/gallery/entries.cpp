#include "experiments/gallery/entries.h"

#include <cmath>

#include <fmt/format.h>

#include "core/law/shape.h"

namespace cimstat::experiments {

namespace {

double quantile_at(const core::Law& law, double score) {
  const core::Tail side = score > 0.0 ? core::Tail::upper : core::Tail::lower;
  return law.quantile(side, core::normal_tail(side, score));
}

/// of(law) of a level as read.
template <class Function>
CellFigure law_figure(std::uint32_t level, double time, Function of) {
  return [=](const CellAt& cell_at) { return of(cell_at.read(level, time)); };
}

}  // namespace

const core::Law& CellAt::read(std::uint32_t level, double time) const {
  auto known = laws_.find({time, level});
  if (known == laws_.end()) {
    known = laws_.emplace(std::pair(time, level), devices::read(cell_(time), level)).first;
  }
  return known->second;
}

std::vector<double> gallery_times() {
  constexpr double hour = 3600.0;
  constexpr double day = 24.0 * hour;
  return {1.0, hour, day, 30.0 * day, 365.0 * day};
}

std::string preset_cell(std::string_view model, std::string_view preset, std::string_view more) {
  return fmt::format("[cell]\nmodel = \"{}\"\npreset = \"{}\"\n{}", model, preset, more);
}

CellFigure mean_of(std::uint32_t level, double time) {
  return law_figure(level, time, [](const core::Law& law) { return law.mean(); });
}

CellFigure median_of(std::uint32_t level, double time) {
  return law_figure(level, time, [](const core::Law& law) { return quantile_at(law, 0.0); });
}

CellFigure sd_of(std::uint32_t level, double time) {
  return law_figure(level, time, [](const core::Law& law) { return law.sd(); });
}

CellFigure relative_sd_of(std::uint32_t level, double time) {
  return law_figure(level, time, [](const core::Law& law) { return law.sd() / law.mean(); });
}

CellFigure sigma_of(std::uint32_t level, double time) {
  return law_figure(level, time, [](const core::Law& law) {
    return 0.5 * std::log(quantile_at(law, 1.0) / quantile_at(law, -1.0));
  });
}

const std::vector<GalleryEntry>& gallery_entries() {
  static const std::vector<GalleryEntry> entries = [] {
    std::vector<GalleryEntry> all;
    for (const auto family : {rram_gallery, pcm_gallery, transistor_gallery, sram_gallery}) {
      for (GalleryEntry& entry : family()) all.push_back(std::move(entry));
    }
    return all;
  }();
  return entries;
}

}  // namespace cimstat::experiments
