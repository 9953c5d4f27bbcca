#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/parallel.h"

#include "devices/any_cell.h"

#include "experiments/gallery/entries.h"

/// Every cell model beside what is published of it: levels as read at several times, computed from
/// their laws without sampling.
namespace cimstat::experiments {

/// Normal scores whose quantiles the gallery shows; the first and last are those of 0.1 % and 99.9
/// %.
inline constexpr std::array<double, 13> gallery_scores = {
    -3.090232306167813, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5,
    3.090232306167813};
/// Index of the median, and of +-1, +-2 sd and the ends in it.
inline constexpr std::array<std::size_t, 7> gallery_lines = {0, 2, 4, 6, 8, 10, 12};

/// A level as read at one time.
struct GalleryReading {
  double time = 0.0;  ///< [s]
  double mean = 0.0;  ///< SI, of the entry's quantity
  double sd = 0.0;
  std::array<double, gallery_scores.size()> quantiles{};
};

struct GalleryLevel {
  std::uint32_t level = 0;
  double target = 0.0;
  std::vector<GalleryReading> readings;  ///< at the entry's times
};

/// A published number beside ours. SI.
struct GalleryComparison {
  PublishedNumber number;
  double published = 0.0;
  double here = 0.0;
  double tolerance = 0.0;
  bool agrees() const;
  /// The three with the unit and one digit more than was printed; differences with their sign.
  std::string here_text() const;
  std::string difference_text() const;
};

struct GalleryCell {
  GalleryEntry entry;
  std::string model;   ///< variant of [cell]
  std::string preset;  ///< empty where the model has none
  std::string title;
  std::vector<devices::CellLine> notes;  ///< source and validity, as the model states them
  std::vector<GalleryLevel> levels;
  std::vector<GalleryComparison> comparisons;
};

/// The entries of that name or of that model; all where `name` is empty. Throws UsageError with the
/// nearest name where there is none.
std::vector<GalleryEntry> chosen_entries(std::string_view name);

/// The entry's cell at a time [s]. Throws UsageError.
devices::AnyCell gallery_cell_at(const GalleryEntry& entry, double time);

GalleryCell make_gallery_cell(const GalleryEntry& entry);
std::vector<GalleryCell> make_gallery(const std::vector<GalleryEntry>& entries,
                                      core::Threads threads, const core::Progress& progress = {});

/// "1 s", "1 h", "30 days", "1 year"; "at first" for 0.
std::string time_text(double seconds);
/// "0.1 %", "84.1 %" of a normal score.
std::string share_below_text(double score);

/// A line for each cell; all levels and published numbers of a few.
std::string gallery_as_text(const std::vector<GalleryCell>& cells);
std::string gallery_as_json(const std::vector<GalleryCell>& cells);
/// One HTML page, nothing fetched.
std::string render_gallery(const std::vector<GalleryCell>& cells);

}  // namespace cimstat::experiments
