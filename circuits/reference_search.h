#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/law/law.h"
#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/exact_column.h"

/// References placed by what they cost: one-dimensional searches on exact densities.
namespace cimstat::circuits {

/// A class and how often a network meets it; weights are relative.
struct WeightedClass {
  ColumnClass column_class;
  double weight = 1.0;
};

/// What makes a reference the best one between two codes.
enum class Criterion {
  equal_error,   ///< as many of the lower MAC value lie above it as of the upper one below it
  likelihood,    ///< the densities of both MAC values are equal there, whatever their weights
  posterior,     ///< the weighted densities are equal there: fewest misreads
  squared_cost,  ///< least mean (code - MAC value)^2: the mean MAC value there is half way
};

/// What a ladder costs on average over weighted classes.
struct ReadingCost {
  double misread = 0.0;  ///< P(code is not the ideal one)
  double squared = 0.0;  ///< mean of (MAC value of the code - MAC value)^2
};

/// The currents of weighted classes, and how they fall between references.
class ReferenceSearch {
 public:
  /// Throws UsageError when no weight is positive, a weight is negative or not finite, or a class
  /// does not fit; ExactObstacle where the exact engine can't do the design.
  ReferenceSearch(const ColumnDesign& design, std::vector<WeightedClass> classes,
                  core::Threads threads = {1});

  /// References between the codes 0 .. codes - 1, which stand for the MAC values of the same
  /// numbers, strictly ascending [A]. Between two MAC values where nothing meets the criterion, the
  /// middle of their means. By `posterior` and `squared_cost` the whole never costs more than these
  /// middles. MAC values that no class has get no room of their own.
  std::vector<double> best(std::uint32_t codes, Criterion criterion) const;

  /// Of `references`, code c standing for code_origin + code_step c.
  ReadingCost cost(const Ladder& ladder) const;

 private:
  struct Level {  ///< all classes of one MAC value
    double weight = 0.0;
    double mean = 0.0;
    std::vector<std::size_t> members;
  };
  double density(const Level& level, double x) const;  ///< weighted
  double below(const Level& level, double x) const;    ///< weighted
  double excess(Criterion criterion, std::size_t lower, std::size_t upper, double x) const;
  double cost_at(Criterion criterion, std::size_t lower, std::size_t upper, double x) const;
  double between(Criterion criterion, std::size_t lower, std::size_t upper) const;

  const ColumnDesign& design_;
  std::vector<WeightedClass> classes_;  ///< weights sum to 1
  std::vector<SensedCurrent> currents_;
  std::vector<Level> levels_;  ///< [MAC value]
};

/// The quantiser of least mean square error for a density on [low, high] (Lloyd 1982, Max 1960).
struct LloydMax {
  std::vector<double> thresholds;  ///< codes - 1, ascending
  std::vector<double> values;      ///< what each code stands for: the mean of its cell
  double mean_square_error = 0.0;
};

/// From evenly spaced cells by turns of both conditions, until no threshold moves by more than
/// 1e-12 of the range; integrals by Gauss and Kronrod in each cell.
LloydMax lloyd_max(const std::function<double(double)>& density, double low, double high,
                   std::uint32_t codes);

}  // namespace cimstat::circuits
