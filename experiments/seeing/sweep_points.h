#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/sweep_file.h"

/// Finding one's way in the result of a sweep: where its points lie, and what is known at each.
namespace cimstat::experiments {

/// Throws std::invalid_argument where the record's lengths contradict each other.
void require_consistent(const SweepRecord& record);

/// Number of points: the product of the dimensions.
std::uint64_t points_of(const SweepRecord& record);

/// Index along each dimension.
std::vector<std::size_t> indices_of(const SweepRecord& record, std::uint64_t point);
/// ... and back.
std::uint64_t point_at(const SweepRecord& record, const std::vector<std::size_t>& indices);

/// The dimension along which the values of an axis lie: its own, or "sample".
std::size_t dimension_of(const SweepRecord& record, const SweepAxis& axis);
/// Whether a dimension holds the samples of sampled axes.
bool is_sample_dimension(const SweepRecord& record, std::size_t dimension);

enum class Letters {
  ascii,  ///< "6 kohm", "2 uA": what configurations are written in
  any,    ///< "6 kΩ", "2 µA"
};

/// A unit in which values read well: 1e3 and "kohm" for values of some thousand ohm.
struct ReadableUnit {
  double size = 1.0;  ///< in the unit that values are stored in
  std::string name;   ///< empty for plain numbers
};
ReadableUnit readable_unit(const std::string& unit, const std::vector<double>& values,
                           Letters letters = Letters::ascii);

/// "0.1", "6 kohm", "slow": in as few digits, from four on, as tell it from its neighbours.
std::string value_text(const SweepAxis& axis, std::size_t index, Letters letters = Letters::ascii);
/// "corner = slow, sigma = 0.1"; "the only point" where there is no axis.
std::string point_text(const SweepRecord& record, std::uint64_t point,
                       Letters letters = Letters::ascii);

/// What a value at a point rests on.
enum class Knowledge {
  nothing,      ///< not a number
  value,        ///< nothing is said about its error
  interval,     ///< lower and upper end the confidence interval
  bound,        ///< lower and upper are bounds of the computation
  none_seen,    ///< sampled without one: only `upper` is known
  below_bound,  ///< the computation can't tell it from zero: only `upper` is known
};
Knowledge knowledge_of(const SweepRecord& record, const SweepScalar& scalar, std::uint64_t point);

/// Whether it only counts: whole numbers without an interval or unit, such as which class is worst.
bool is_count(const SweepScalar& scalar);
/// Whether it is the probability of something bad, which may be never seen.
bool is_rate(const SweepScalar& scalar);
/// Whether lower values are better, or worse; nothing where that is not known.
std::optional<bool> lower_is_better(const SweepScalar& scalar);

/// The points of the least and greatest value, and how many others might be as low or as high:
/// their intervals reach that of the extreme.
struct Extremes {
  std::uint64_t known = 0;  ///< points whose value is a number
  std::uint64_t least = 0;
  std::uint64_t greatest = 0;
  std::uint64_t as_low = 0;  ///< others
  std::uint64_t as_high = 0;
};
/// Where only upper limits are known for all that is lowest, the least is the one of the lowest
/// limit. Nothing where no value is a number.
std::optional<Extremes> extremes_of(const SweepRecord& record, const SweepScalar& scalar);
/// The same among some points.
std::optional<Extremes> extremes_of(const SweepRecord& record, const SweepScalar& scalar,
                                    const std::vector<std::uint64_t>& points);

}  // namespace cimstat::experiments
