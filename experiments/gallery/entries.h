#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/config.h"

#include "devices/any_cell.h"

/// What the gallery shows: cells as a user writes them, and what is published of each.
namespace cimstat::experiments {

/// The entry's cell, read at a time after programming [s], and the laws of its levels as read, each
/// made once: some take tens of milliseconds.
class CellAt {
 public:
  explicit CellAt(std::function<devices::AnyCell(double time)> cell) : cell_(std::move(cell)) {}
  devices::AnyCell operator()(double time) const { return cell_(time); }
  const core::Law& read(std::uint32_t level, double time) const;

 private:
  std::function<devices::AnyCell(double time)> cell_;
  mutable std::map<std::pair<double, std::uint32_t>, core::Law> laws_;
};
/// A figure of a cell, SI.
using CellFigure = std::function<double(const CellAt&)>;

/// How a published number came to us.
enum class Evidence {
  read,           ///< in the publication or in public code
  computed,       ///< by hand from coefficients that were read there
  from_abstract,  ///< in the publication's abstract
  unverified      ///< from memory of the literature: check before citing
};

/// A number that others have printed, and the same figure of our model.
struct PublishedNumber {
  std::string what;
  std::string printed;  ///< "2.02 uS", "0.66 %", "4.18": as printed, with its unit
  core::Quantity quantity = core::Quantity::conductance;
  CellFigure here;
  std::string source;
  Evidence evidence = Evidence::read;
  /// Largest difference that still agrees; half a unit of the last printed digit where empty.
  std::string tolerance = {};
  std::string why = {};  ///< of a tolerance
};

struct GalleryEntry {
  std::string name;           ///< unique: small letters, digits and hyphens
  std::string cell;           ///< sections [cell] and, where needed, [conditions], TOML
  std::vector<double> times;  ///< at which it is read [s]; {0} for a model that knows no time
  std::vector<PublishedNumber> published;
  std::string title = {};  ///< empty where the preset's own meaning says it
  core::Quantity quantity = core::Quantity::conductance;  ///< of the cell's laws
};

/// All of them, models in the order of the section [cell]. A new model or preset is one more entry
/// in the file of its family.
const std::vector<GalleryEntry>& gallery_entries();

// The families, each in a file of its own.
std::vector<GalleryEntry> rram_gallery();
std::vector<GalleryEntry> pcm_gallery();
std::vector<GalleryEntry> transistor_gallery();
std::vector<GalleryEntry> sram_gallery();

/// 1 s, 1 h, 1 day, 30 days, 1 year [s].
std::vector<double> gallery_times();

/// "[cell]\nmodel = ...\npreset = ...\n" and further lines.
std::string preset_cell(std::string_view model, std::string_view preset,
                        std::string_view more = {});

// Figures of a level at a time, from its law as read.
CellFigure mean_of(std::uint32_t level, double time = 0.0);
CellFigure median_of(std::uint32_t level, double time = 0.0);
CellFigure sd_of(std::uint32_t level, double time = 0.0);
CellFigure relative_sd_of(std::uint32_t level, double time = 0.0);  ///< sd / mean
/// Half the logarithm of the ratio of the quantiles at +-1 sd: sigma of a lognormal.
CellFigure sigma_of(std::uint32_t level, double time = 0.0);

/// A figure that model `Model` knows itself: of(model).
template <class Model, class Function>
CellFigure figure_of(Function of, double time = 0.0) {
  return [of, time](const CellAt& cell_at) -> double {
    const devices::AnyCell cell = cell_at(time);
    return of(std::get<Model>(cell));
  };
}

}  // namespace cimstat::experiments
