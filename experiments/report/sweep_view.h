#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "experiments/report/numbers.h"
#include "experiments/report/svg_plot.h"
#include "experiments/seeing/sweep_points.h"

/// What of a sweep stands on its page: all of it, or as much as a page can hold.
namespace cimstat::experiments::report {

/// An axis as pictures show it.
struct AxisView {
  std::size_t axis = 0;       ///< of the record
  std::size_t dimension = 0;  ///< along which its values lie
  bool is_sampled = false;
  bool has_words = false;
  bool is_logarithmic = false;  ///< its numbers are spaced so
  std::vector<double> numbers;  ///< [value], in `unit`; for words which of them it is
  double least = 0.0;           ///< of the numbers
  double most = 0.0;
  std::vector<std::string> texts;  ///< [value]; of a sampled axis its different words
  std::string name;
  std::string title;  ///< "median [kohm]"
  ReadableUnit unit;

  bool varies() const;
  /// Place of a number between 0 and `cells` - 1, evenly along its kind of scale.
  double place(double number, double cells) const;
  /// With a bit of room beyond both ends, and about so many ticks at the most.
  Axis plot_axis(double cells, int wanted) const;
};

/// A quantity as pictures show it.
struct ScalarView {
  std::size_t scalar = 0;  ///< of the record
  std::string name;
  std::string title;  ///< "margin [uA]"
  ReadableUnit unit;
  bool is_logarithmic = false;
  bool has_special = false;  ///< points of which a limit or nothing is known
  double low = 0.0;          ///< ends of the axis, in `unit`, over all points
  double high = 1.0;
  double least = 0.0;  ///< of the colours
  double most = 1.0;

  Axis axis() const;
  /// Shade of a heat map; in `unit`.
  int shade(double value) const;
};

struct SweepView {
  SweepRecord record;                 ///< what stands on the page
  std::vector<std::string> left_out;  ///< what does not, a sentence each
  std::vector<AxisView> axes;
  std::vector<ScalarView> scalars;
  std::vector<std::vector<std::size_t>> picked;  ///< [dimension]: which of its values stand here

  double value(std::size_t scalar, std::uint64_t point) const;  ///< in the view's unit
  double lower(std::size_t scalar, std::uint64_t point) const;  ///< the value where there is none
  double upper(std::size_t scalar, std::uint64_t point) const;
  std::optional<std::size_t> sample_dimension() const;
};

/// At most so many numbers stand on a page: about three megabytes.
inline constexpr std::size_t most_page_numbers = 400'000;

SweepView view_of(const SweepRecord& record, std::size_t most_numbers = most_page_numbers);

/// "mean misread probability (misread_mean)".
std::string quantity_text(const SweepScalar& scalar);

/// "3.2 × 10⁻⁵ (2.9 × 10⁻⁵ to 3.5 × 10⁻⁵)", "1.2 uA (1.1 to 1.3)", "none seen (below 4 × 10⁻⁶)".
std::string estimate_text(const SweepView& view, std::size_t scalar, std::uint64_t point);

/// A line for each point, in their order: coordinates, then value, lower and upper end of each
/// quantity.
Csv numbers_of(const SweepView& view);
/// What the script needs to read them: dimensions, axes and quantities, as JSON.
std::string layout_of(const SweepView& view);

/// Numbers that are spaced evenly in their logarithms rather than by themselves; in any order.
bool is_log_spaced(std::vector<double> numbers);

/// Ticks at 0, 1 ... with the texts, thinned to so many.
std::vector<Tick> text_ticks(const std::vector<std::string>& texts, std::size_t wanted);
/// How many of them stand side by side in so many pixels.
std::size_t texts_in(double width, const std::vector<std::string>& texts);

/// `count` of 0 .. size - 1, ascending: a subset that has nothing to do with their order.
std::vector<std::size_t> scattered_picks(std::size_t size, std::size_t count);

}  // namespace cimstat::experiments::report
