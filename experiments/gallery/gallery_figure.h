#pragma once

#include <string>

#include "experiments/gallery/gallery.h"
#include "experiments/report/numbers.h"

/// The pictures of the gallery's page.
namespace cimstat::experiments {

/// In which numbers of a cell read best: a value of SI divided by `factor`.
struct GalleryUnit {
  double factor = 1.0;
  std::string name;  ///< ASCII: "uS"
};
GalleryUnit gallery_unit(const GalleryCell& cell);

/// Distributions of all levels, and their quantiles over time where there are several times. HTML.
std::string gallery_figure(const GalleryCell& cell, const GalleryUnit& unit);
/// All levels and times in full precision.
report::Csv gallery_numbers(const GalleryCell& cell);

}  // namespace cimstat::experiments
