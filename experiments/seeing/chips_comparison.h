#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/file/json.h"

#include "experiments/accuracy_file.h"
#include "experiments/seeing/comparison_text.h"

namespace cimstat::experiments {

/// Frozen chips against the error table: the same network on the same images.
struct ChipsComparison {
  std::vector<std::string> frozen;  ///< what the chips' macro freezes; none: chips are fresh reads
  std::size_t images = 0;
  std::uint32_t chips = 0;
  Estimate of_table;  ///< on these images, over its reads
  Estimate of_chips;  ///< on these images, over chips
  /// chips - table. Over chips, on these images: t with the degrees of freedom of Welch and
  /// Satterthwaite, the table's share of the variance being that of its reads. Over images: paired
  /// by image, of these very chips; where nothing is frozen, of any.
  std::optional<Estimate> over_chips;  ///< nothing of one chip
  Estimate over_images;
  std::optional<Estimate> spread;  ///< over chips
  /// What the table says the spread is, fresh draws being all that differs: sqrt(sum s_i^2 / (reads
  /// of a chip)) / images. Of one read of the table an upper limit, from its mean.
  double table_spread = 0.0;
  bool is_limit = false;        ///< table_spread
  double spread_p_value = 1.0;  ///< that the chips' spread is no larger than that, chi-square
  bool means_differ = false;    ///< at half the level: over chips, or over images of one chip or
                                ///< where nothing is frozen
  bool differ(double level) const { return means_differ || spread_p_value <= 0.5 * level; }
};

/// Throws UsageError unless `chips` is of chips, `table` is not, and both are of the same images
/// through the same network.
ChipsComparison compare_chips(const AccuracyRecord& table, const AccuracyRecord& chips,
                              const ComparisonSettings& settings);
/// The same, where what is frozen is known.
ChipsComparison compare_chips(const AccuracyRecord& table, const AccuracyRecord& chips,
                              std::vector<std::string> frozen, const ComparisonSettings& settings);

std::string format_comparison(const ChipsComparison& comparison,
                              const ComparisonSettings& settings);
core::Json comparison_as_json(const ChipsComparison& comparison,
                              const ComparisonSettings& settings);

}  // namespace cimstat::experiments
