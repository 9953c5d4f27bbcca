#include "circuits/exact/exact_column.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"

#include "circuits/bit_line/exact_line.h"
#include "circuits/converters/converter_column.h"
#include "circuits/converters/ensemble.h"
#include "circuits/exact/column_sum.h"
#include "circuits/exact/inversion.h"

namespace cimstat::circuits {
namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding
/// Below this many noise_sd the bend of the noise is too strong for the transforms.
constexpr double lowest_knee = 25.0;

/// The normal law (or point) of the sensed current, where it is exactly that.
std::optional<core::Normal> as_normal(const ColumnDesign& design, ColumnClass column_class) {
  const SumNoise noise = noise_of(design.sense);
  if (noise.logistic_scale > 0.0) return std::nullopt;
  double mean = 0.0;
  double variance = 0.0;
  for (const ColumnPart& part : parts_of(design, column_class)) {
    const auto normal = part.law.as_normal();
    if (!normal || (normal->sd > 0.0 && noise.bend > 0.0)) return std::nullopt;
    mean += part.count * normal->mean;
    variance += part.count * normal->sd * normal->sd;
  }
  variance += noise.gaussian_variance + std::max(0.0, 2.0 * noise.bend * mean);
  return core::Normal{mean, std::sqrt(variance)};
}

double normal_error(const core::Normal& normal, double reach) {
  if (normal.sd == 0.0) return 0.0;
  return unit * (16.0 + 4.0 * (reach + std::abs(normal.mean)) / normal.sd);
}

/// P(code) where the sensed current is normal: differences on the nearer tail, so that rare codes
/// keep their digits.
void fill_normal_row(const core::Normal& normal, std::span<const double> references, double* row) {
  const auto tail = [&](core::Tail side, double t) {
    if (normal.sd == 0.0) {
      // A current equal to a reference counts as above it.
      const double rounding = 32.0 * unit * (std::abs(normal.mean) + std::abs(t));
      return (side == core::Tail::lower) == (normal.mean < t - rounding) ? 1.0 : 0.0;
    }
    const double z = (t - normal.mean) / (normal.sd * std::numbers::sqrt2);
    return 0.5 * std::erfc(side == core::Tail::lower ? -z : z);
  };
  const std::size_t codes = references.size() + 1;
  for (std::size_t code = 0; code < codes; ++code) {
    if (code == 0) {
      row[code] = tail(core::Tail::lower, references.front());
    } else if (code + 1 == codes) {
      row[code] = tail(core::Tail::upper, references.back());
    } else if (references[code - 1] >= normal.mean) {
      row[code] =
          tail(core::Tail::upper, references[code - 1]) - tail(core::Tail::upper, references[code]);
    } else if (references[code] <= normal.mean) {
      row[code] =
          tail(core::Tail::lower, references[code]) - tail(core::Tail::lower, references[code - 1]);
    } else {
      row[code] = 1.0 - tail(core::Tail::lower, references[code - 1]) -
                  tail(core::Tail::upper, references[code]);
    }
  }
}

double reach_of(std::span<const double> references) {
  return std::max(std::abs(references.front()), std::abs(references.back()));
}

void check(const ExactOptions& options) {
  if (!(options.tolerance >= 1e-15 && options.tolerance <= 1e-6)) {
    throw core::UsageError(core::error_line("table.tolerance",
                                            fmt::format("{:g} is out of range", options.tolerance),
                                            "1e-15 to 1e-6"));
  }
}

constexpr std::string_view more_noise = "give the sense amplifier more noise";

/// What keeps the exact engine from a design, and what to change besides the method.
struct Obstacle {
  std::string why;
  std::string_view remedy;
};

std::optional<Obstacle> noise_obstacle(const SenseAmplifier& sense) {
  if (sense.noise_sd == 0.0 || sense.noise_knee == std::numeric_limits<double>::infinity()) {
    return std::nullopt;
  }
  if (sense.noise_shape == NoiseShape::logistic) {
    return Obstacle{"logistic noise with a finite noise_knee has no closed transform",
                    "use Gaussian noise"};
  }
  if (!(sense.noise_knee >= lowest_knee * sense.noise_sd)) {
    return Obstacle{
        fmt::format("noise_knee {:g} is below {:g} noise_sd, where the noise may vanish",
                    sense.noise_knee, lowest_knee),
        "raise noise_knee"};
  }
  return std::nullopt;
}

void require_sound_noise(const SenseAmplifier& sense) {
  if (const auto obstacle = noise_obstacle(sense)) {
    throw ExactObstacle(obstacle->why, obstacle->remedy);
  }
}

Inversion inversion_of(const ColumnDesign& design, std::span<const ColumnClass> classes,
                       double tolerance) {
  std::vector<std::vector<std::uint32_t>> counts;
  for (const ColumnClass column_class : classes) {
    core::stop_if_requested();
    counts.push_back(counts_of(design, column_class));
  }
  Inversion inversion(laws_of(design), noise_of(design.sense), counts, tolerance);
  if (inversion.obstacle()) {
    throw ExactObstacle(*inversion.obstacle(), more_noise);
  }
  inversion.prepare();
  return inversion;
}

}  // namespace

ExactObstacle::ExactObstacle(std::string why, std::string_view remedy)
    : core::UsageError(
          core::error_line("column", "the exact engine can't do this design", why,
                           fmt::format("{}, or use method = \"monte_carlo\"", remedy))),
      why_(std::move(why)) {}

namespace {

/// More cells of a kind only make a sum smoother and its tails lighter: these classes are the
/// worst.
std::vector<ColumnClass> worst_classes(const ColumnDesign& design) {
  const std::uint32_t n = design.rows;
  if (design.row_states.empty()) return {{0, 0}, {0, 1}, {1, 1}, {0, n}, {n, n}};
  std::vector<ColumnClass> classes(1);
  for (std::size_t state = 0; state < design.row_states.states.size(); ++state) {
    for (const std::uint32_t rows : {1U, n}) {
      ColumnClass& one = classes.emplace_back();
      one.active_rows = rows;
      one.states[state] = static_cast<std::uint16_t>(rows);
    }
  }
  return classes;
}

}  // namespace

std::optional<std::string> current_obstacle(const ColumnDesign& design) {
  if (!is_ideal(design.bit_line)) {
    return fmt::format("its bit line ({}) delivers more than a sum", name_of(design.bit_line));
  }
  if (auto obstacle = noise_obstacle(design.sense)) return obstacle->why;
  const std::vector<ColumnClass> classes = worst_classes(design);
  if (design.common_factor_sd > 0.0) return factor_obstacle(design, classes);
  std::vector<std::vector<std::uint32_t>> counts;
  for (const ColumnClass column_class : classes) {
    if (!as_normal(design, column_class)) counts.push_back(counts_of(design, column_class));
  }
  if (counts.empty()) return std::nullopt;
  const Inversion inversion(laws_of(design), noise_of(design.sense), counts,
                            ExactOptions{}.tolerance);
  return inversion.obstacle();
}

std::optional<std::string> exact_obstacle(const ColumnDesign& one_converter) {
  const ColumnDesign design = over_converters(one_converter);
  if (auto reason = circuit_reason(design.comparator)) return reason;
  if (!is_ideal(design.bit_line)) return line_obstacle(design);
  if (!has_own_decisions(design)) return current_obstacle(design);
  if (auto obstacle = noise_obstacle(design.sense)) return obstacle->why;
  return converter_obstacle(design, worst_classes(design));
}

namespace {

/// As sums come out, which rounding may leave a little below 0 or above 1.
ExactProbabilities summed_probabilities(const ColumnDesign& one_converter,
                                        std::span<const ColumnClass> classes,
                                        const ExactOptions& options, core::Threads threads,
                                        const core::Progress& progress) {
  check(options);
  check(one_converter, classes);
  const ColumnDesign design = over_converters(one_converter);
  if (const auto reason = circuit_reason(design.comparator)) {
    throw ExactObstacle(*reason, "leave the mismatch out");
  }
  if (!is_ideal(design.bit_line)) {
    return line_probabilities(design, classes, options, threads, progress);
  }
  require_sound_noise(design.sense);
  if (has_own_decisions(design)) {
    return converter_probabilities(design, classes, options, threads, progress);
  }
  std::vector<std::optional<core::Normal>> normals(classes.size());
  std::vector<std::size_t> series_of(classes.size());
  std::vector<ColumnClass> inverted;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    core::stop_if_requested();
    if (options.shortcut == Shortcut::allow) normals[i] = as_normal(design, classes[i]);
    series_of[i] = inverted.size();
    if (!normals[i]) inverted.push_back(classes[i]);
  }
  std::optional<Inversion> inversion;
  if (!inverted.empty()) inversion = inversion_of(design, inverted, options.tolerance);

  const std::size_t codes = design.ladder.codes;
  ExactProbabilities result;
  result.probability.resize(classes.size() * codes);
  result.error_bound.resize(classes.size());
  result.entry_error.resize(classes.size() * codes);
  TiltedSums tilted(laws_of(design), noise_of(design.sense));
  for (const ColumnClass column_class : inverted) tilted.add(counts_of(design, column_class));
  tilted.prepare();
  constexpr std::size_t block_size = 32;
  core::for_each_block((classes.size() + block_size - 1) / block_size, threads,
                       [&](std::size_t block, std::size_t) {
                         const std::size_t end = std::min(classes.size(), (block + 1) * block_size);
                         for (std::size_t i = block * block_size; i < end; ++i) {
                           const auto references = design.ladder.at(classes[i].active_rows);
                           double* row = result.probability.data() + i * codes;
                           if (normals[i]) {
                             fill_normal_row(*normals[i], references, row);
                             result.error_bound[i] =
                                 normal_error(*normals[i], reach_of(references));
                           } else {
                             const SumSeries series = inversion->series(series_of[i]);
                             series.fill_codes(references, row);
                             result.error_bound[i] = 2.0 * series.error;
                           }
                           const std::span error(result.entry_error.data() + i * codes, codes);
                           std::fill(error.begin(), error.end(), result.error_bound[i]);
                           if (normals[i]) {
                             // Differences on the nearer tail keep their digits.
                             const double relative = std::max(1e-10, 100.0 * result.error_bound[i]);
                             for (std::size_t code = 0; code < codes; ++code) {
                               error[code] = std::min(error[code], relative * row[code]);
                             }
                           } else {
                             refine_row(tilted, series_of[i], mean_current(design, classes[i]),
                                        references, {row, codes}, error);
                           }
                         }
                       },
                       progress);
  return result;
}

/// Probabilities lie in [0, 1]: moving there can only lessen their error, which is at least the
/// way.
void move_to_probabilities(ExactProbabilities& result, std::size_t codes) {
  for (std::size_t i = 0; i < result.probability.size(); ++i) {
    double& value = result.probability[i];
    const double excess = std::max(-value, value - 1.0);
    if (!(excess > 0.0)) continue;
    value = std::clamp(value, 0.0, 1.0);
    result.entry_error[i] = std::max(result.entry_error[i], excess);
    double& bound = result.error_bound[i / codes];
    bound = std::max(bound, excess);
  }
}

}  // namespace

ExactProbabilities exact_probabilities(const ColumnDesign& design,
                                       std::span<const ColumnClass> classes,
                                       const ExactOptions& options, core::Threads threads,
                                       const core::Progress& progress) {
  ExactProbabilities result = summed_probabilities(design, classes, options, threads, progress);
  move_to_probabilities(result, design.ladder.codes);
  return result;
}

void SensedCurrent::take(const core::Normal& normal) {
  normal_ = normal;
  mean_ = normal.mean;
  sd_ = normal.sd;
  error_bound_ = normal_error(normal, std::abs(mean_) + 10.0 * sd_);
}

void SensedCurrent::take(SumSeries series, const ColumnDesign& design, ColumnClass column_class) {
  series_ = std::move(series);
  mean_ = series_.mean;
  const SumNoise noise = noise_of(design.sense);
  sd_ = std::sqrt(current_variance(design, column_class) + noise.gaussian_variance +
                  2.0 * noise.bend * mean_ +
                  std::pow(noise.logistic_scale * std::numbers::pi, 2) / 3.0);
  error_bound_ = series_.error;
}

SensedCurrent::SensedCurrent(const ColumnDesign& design, ColumnClass column_class,
                             const ExactOptions& options) {
  *this = std::move(sensed_currents(design, std::array{column_class}, options, {1}).front());
}

std::vector<SensedCurrent> sensed_currents(const ColumnDesign& design,
                                           std::span<const ColumnClass> classes,
                                           const ExactOptions& options, core::Threads threads) {
  check(options);
  if (!is_ideal(design.bit_line)) {
    throw ExactObstacle(*current_obstacle(design), "leave out [bit_line]");
  }
  std::vector<SensedCurrent> result(classes.size(), SensedCurrent());
  if (design.common_factor_sd > 0.0) {
    require_sound_noise(design.sense);
    std::vector<SumSeries> series = factored_currents(design, classes, options, threads);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      result[i].take(std::move(series[i]), design, classes[i]);
    }
    return result;
  }
  std::vector<ColumnClass> inverted;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    std::optional<core::Normal> normal;
    if (options.shortcut == Shortcut::allow) normal = as_normal(design, classes[i]);
    if (normal) {
      result[i].take(*normal);
    } else {
      inverted.push_back(classes[i]);
      places.push_back(i);
    }
  }
  if (inverted.empty()) return result;
  require_sound_noise(design.sense);
  const Inversion inversion = inversion_of(design, inverted, options.tolerance);
  TiltedSums tilted(laws_of(design), noise_of(design.sense));
  for (const ColumnClass column_class : inverted) tilted.add(counts_of(design, column_class));
  tilted.prepare();
  core::for_each_block(inverted.size(), threads, [&](std::size_t i, std::size_t) {
    SensedCurrent& current = result[places[i]];
    current.take(inversion.series(i), design, inverted[i]);
    current.lower_ = tilted.tail(i, core::Tail::lower);
    current.upper_ = tilted.tail(i, core::Tail::upper);
  });
  return result;
}

double SensedCurrent::tail_probability(core::Tail side, double x) const {
  return bounded_tail(side, x).value;
}

BoundedTail SensedCurrent::bounded_tail(core::Tail side, double x) const {
  if (normal_) {
    const double tail = core::Law::normal(normal_->mean, normal_->sd).tail_probability(side, x);
    return {tail, std::min(error_bound_, 1e-11 * tail)};
  }
  constexpr double small = 1e-8;
  const double below = series_.at_or_below(x);
  const BoundedTail plain{side == core::Tail::lower ? below : 1.0 - below, error_bound_};
  const std::optional<TiltedTail>& tilted = side == core::Tail::lower ? lower_ : upper_;
  if (!tilted || plain.value > small) return plain;
  const BoundedTail sure = (*tilted)(x);
  return sure.error < plain.error ? sure : plain;
}

double SensedCurrent::density(double x) const {
  if (!normal_) return series_.density(x);
  if (normal_->sd == 0.0) return 0.0;
  const double z = (x - normal_->mean) / normal_->sd;
  return std::exp(-0.5 * z * z) / (normal_->sd * std::sqrt(2.0 * std::numbers::pi));
}

double SensedCurrent::quantile(core::Tail side, double probability) const {
  if (normal_) return core::Law::normal(normal_->mean, normal_->sd).quantile(side, probability);
  if (series_.low == series_.high) return mean_;
  const double goal = side == core::Tail::lower ? probability : 1.0 - probability;
  const auto excess = [&](double x) { return series_.below(x) - goal; };
  std::uintmax_t iterations = 100;
  const auto bracket = boost::math::tools::toms748_solve(
      excess, mean_ + series_.low, mean_ + series_.high, -goal, 1.0 - goal,
      boost::math::tools::eps_tolerance<double>(48), iterations);
  return 0.5 * (bracket.first + bracket.second);
}

}  // namespace cimstat::circuits
