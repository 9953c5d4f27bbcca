#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/law/law.h"
#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/exact/sum_series.h"
#include "circuits/exact/tilted_sums.h"

/// The distribution of the code without sampling, by inversion of characteristic functions.
namespace cimstat::circuits {

enum class Shortcut {
  allow,   ///< closed form where every part is normal
  forbid,  ///< always invert
};

struct ExactOptions {
  double tolerance = 1e-13;  ///< aimed-at absolute error of an entry; 1e-15 .. 1e-6
  Shortcut shortcut = Shortcut::allow;
};

struct ExactProbabilities {
  std::vector<double> probability;  ///< [class][code]
  std::vector<double> error_bound;  ///< [class]: bound on the absolute error of each entry
  /// [class][code]: that of the single entry, which for rare codes can be far smaller: rare codes
  /// keep their digits where circuits/exact/tilted_sums.h says so.
  std::vector<double> entry_error;
};

/// A design, or some of its classes, that the exact engine can't do.
class ExactObstacle : public core::UsageError {
 public:
  ExactObstacle(std::string why, std::string_view remedy);
  const std::string& why() const { return why_; }

 private:
  std::string why_;
};

/// Why the exact engine can't do this design's codes, or nothing where it can. Codes are those of
/// many converters, as circuits/converters/ensemble.h has them.
std::optional<std::string> exact_obstacle(const ColumnDesign& design);
/// The same for its sensed currents, which have no noise of the comparators.
std::optional<std::string> current_obstacle(const ColumnDesign& design);

/// P(code | class) for each class. Throws ExactObstacle where it can't.
ExactProbabilities exact_probabilities(const ColumnDesign& design,
                                       std::span<const ColumnClass> classes,
                                       const ExactOptions& options, core::Threads threads,
                                       const core::Progress& progress = {});

/// The distribution of the sensed current (bit-line sum + offset + noise) of one class, before what
/// comparators add.
class SensedCurrent {
 public:
  SensedCurrent(const ColumnDesign& design, ColumnClass column_class,
                const ExactOptions& options = {});
  double mean() const { return mean_; }
  double sd() const { return sd_; }
  /// P(I <= x) or P(I > x), absolute error at most error_bound(), small ones with less. x in A.
  double tail_probability(core::Tail side, double x) const;
  double density(double x) const;  ///< [1/A]
  /// The current with the given tail probability, for probabilities well above error_bound() [A].
  double quantile(core::Tail side, double probability) const;
  double error_bound() const { return error_bound_; }
  /// tail_probability() with a bound on its own error.
  BoundedTail bounded_tail(core::Tail side, double x) const;

 private:
  friend std::vector<SensedCurrent> sensed_currents(const ColumnDesign&,
                                                    std::span<const ColumnClass>,
                                                    const ExactOptions&, core::Threads);
  SensedCurrent() = default;
  void take(const core::Normal& normal);
  void take(SumSeries series, const ColumnDesign& design, ColumnClass column_class);

  double mean_ = 0.0;
  double sd_ = 0.0;
  double error_bound_ = 0.0;
  std::optional<core::Normal> normal_;
  SumSeries series_;
  std::optional<TiltedTail> lower_;  ///< for tails smaller than the series has digits for
  std::optional<TiltedTail> upper_;
};

/// Those of many classes, in their order. The same as one at a time, but the classes share the
/// transforms of their parts, which is most of the work.
std::vector<SensedCurrent> sensed_currents(const ColumnDesign& design,
                                           std::span<const ColumnClass> classes,
                                           const ExactOptions& options, core::Threads threads);

}  // namespace cimstat::circuits
