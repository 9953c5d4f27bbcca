#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/law/law.h"
#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/exact/exact_column.h"

/// References placed by what they cost: one-dimensional searches on exact densities.
namespace cimstat::circuits {

/// A class and how often a network meets it; weights are relative.
struct WeightedClass {
  ColumnClass column_class;
  double weight = 1.0;
};

/// What makes a reference the best one between two codes.
enum class Criterion {
  equal_error,   ///< as many MAC values of the lower code lie above it as of the upper one below it
  likelihood,    ///< the densities of both codes are equal there, whatever their weights
  posterior,     ///< the weighted densities are equal there: fewest misreads
  squared_cost,  ///< least mean (code's value - MAC value)^2: the mean MAC value is half way there
};

/// What a ladder costs on average over weighted classes.
struct ReadingCost {
  double misread = 0.0;        ///< P(code is not the ideal one)
  double misread_bound = 0.0;  ///< of its absolute error
  double squared = 0.0;        ///< mean of (MAC value of the code - MAC value)^2
};

/// The currents of weighted classes, and how they fall between references. Where comparators have
/// noise of their own, references are placed by what one comparison sees, and costs are those of
/// the converter as a whole.
class ReferenceSearch {
 public:
  /// Refers to `design` from then on; its own ladder does not matter. Throws UsageError when no
  /// weight is positive, a weight is negative or not finite, or a class does not fit; ExactObstacle
  /// where the exact engine can't do the design.
  ReferenceSearch(const ColumnDesign& design, const std::vector<WeightedClass>& classes,
                  core::Threads threads = {1});

  /// `given` with its references moved to where they meet the criterion between the classes of
  /// neighbouring codes; where nothing meets it, to the middle of their means. By `posterior` and
  /// `squared_cost` the result never costs more than `given`. Codes without a class between two
  /// that have one get no room of their own, but where squared_cost finds some; those beyond the
  /// lowest and highest with a class keep their references. A ladder that follows the number of
  /// active rows is improved at each number by its own classes. Throws UsageError where fewer than
  /// two codes have a class.
  Ladder improved(const Ladder& given, Criterion criterion) const;

  /// With codes that stand for what the ladder says.
  ReadingCost cost(const Ladder& ladder) const;
  /// With values of the codes that the ladder can't say, ascending: the ideal code is the nearest.
  ReadingCost cost(const Ladder& ladder, std::span<const double> values) const;

  const std::vector<WeightedClass>& classes() const { return classes_; }
  const std::vector<SensedCurrent>& currents() const { return currents_; }  ///< [class]
  core::Threads threads() const { return threads_; }

 private:
  struct Group {  ///< some classes together
    double weight = 0.0;
    double mean = 0.0;
    std::vector<std::size_t> members;
  };
  struct Gap {  ///< a reference to place, and the neighbouring codes with classes
    std::size_t reference = 0;
    std::size_t lower = 0;
    std::size_t upper = 0;
  };
  double density(const Group& group, double x) const;  ///< weighted
  double below(const Group& group, double x) const;    ///< weighted
  std::vector<Group> groups_by_code(const Ladder& ladder,
                                    const std::vector<std::size_t>& members) const;
  double placed(const std::vector<Group>& groups, const Gap& gap, const Ladder& ladder,
                Criterion criterion, double given) const;
  /// Whether there was something to place.
  bool improve(std::span<double> references, const std::vector<std::size_t>& members,
               const Ladder& given, Criterion criterion) const;
  template <class Value>
  ReadingCost cost_of(const Ladder& ladder, Value&& value,
                      const std::function<std::uint32_t(std::uint32_t)>& ideal_code) const;

  const ColumnDesign& design_;
  core::Threads threads_;
  std::vector<WeightedClass> classes_;  ///< weights positive; they sum to 1
  std::vector<SensedCurrent> currents_;
};

}  // namespace cimstat::circuits
