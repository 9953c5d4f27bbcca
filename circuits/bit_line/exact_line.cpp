#include "circuits/bit_line/exact_line.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include <fmt/format.h>

#include "core/interrupt.h"
#include "core/law/component.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"

namespace cimstat::circuits {

namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding

double normal_tail(core::Tail side, double z) {
  return 0.5 * std::erfc((side == core::Tail::lower ? -z : z) / std::numbers::sqrt2);
}

/// All that is added to a reading, independent of it.
struct AddedNoise {
  double gaussian_sd = 0.0;
  double logistic_scale = 0.0;

  double sd() const {
    return std::hypot(gaussian_sd, logistic_scale * std::numbers::pi / std::numbers::sqrt3);
  }
  double tail(core::Tail side, double x) const {
    if (gaussian_sd > 0.0) return normal_tail(side, x / gaussian_sd);
    const double sign = side == core::Tail::lower ? -1.0 : 1.0;
    return 1.0 / (1.0 + std::exp(sign * x / logistic_scale));
  }
  /// Beyond this a tail is below 1e-40.
  double reach() const { return 13.5 * gaussian_sd + 93.0 * logistic_scale; }
};

AddedNoise added_noise(const ColumnDesign& design, ColumnClass column_class) {
  const SenseAmplifier& sense = design.sense;
  AddedNoise noise{std::hypot(sense.offset_sd, line_noise_sd(design, column_class)), 0.0};
  if (sense.noise_shape == NoiseShape::logistic) {
    noise.logistic_scale = sense.noise_sd * std::numbers::sqrt3 * std::numbers::inv_pi;
  } else {
    noise.gaussian_sd = std::hypot(noise.gaussian_sd, sense.noise_sd);
  }
  return noise;
}

/// Probabilities between ascending references from tails of the nearer side, so that rare codes
/// keep their digits. tail(side, j) is P(X < T_j) or P(X >= T_j); `above` is how many references
/// lie at or below the centre of X.
template <class Tail>
void fill_row(std::size_t references, std::size_t above, Tail&& tail, std::span<double> row) {
  for (std::size_t code = 0; code <= references; ++code) {
    if (code < above) {
      const double before = code == 0 ? 0.0 : tail(core::Tail::lower, code - 1);
      row[code] = tail(core::Tail::lower, code) - before;
    } else if (code > above) {
      const double behind = code == references ? 0.0 : tail(core::Tail::upper, code);
      row[code] = tail(core::Tail::upper, code - 1) - behind;
    } else {
      row[code] = 1.0 - (code == 0 ? 0.0 : tail(core::Tail::lower, code - 1)) -
                  (code == references ? 0.0 : tail(core::Tail::upper, code));
    }
  }
}

std::size_t below_or_at(std::span<const double> references, double x) {
  return static_cast<std::size_t>(std::upper_bound(references.begin(), references.end(), x) -
                                  references.begin());
}

/// P(code) of one reading with noise, times `weight`, is added to the row. Only references within
/// the noise's reach cost anything.
void add_noisy(double weight, double reading, const AddedNoise& noise,
               std::span<const double> references, std::span<double> row) {
  const double reach = noise.reach();
  const auto first = static_cast<std::size_t>(
      std::lower_bound(references.begin(), references.end(), reading - reach) - references.begin());
  const std::size_t end = below_or_at(references, reading + reach);
  const std::span<const double> near = references.subspan(first, end - first);
  const auto tail = [&](core::Tail side, std::size_t j) {
    return noise.tail(side, near[j] - reading);
  };
  std::vector<double> part(near.size() + 1);
  fill_row(near.size(), below_or_at(near, reading), tail, part);
  for (std::size_t i = 0; i < part.size(); ++i) row[first + i] += weight * part[i];
}

/// A noiseless reading: a variable x with a density on [low, high], where nearly all of it lies,
/// and what the line delivers at x, rising.
struct NoiselessReading {
  double mean = 0.0;  ///< of x
  double sd = 0.0;    ///< of x; 0: a point
  double low = 0.0;
  double high = 0.0;
  double slope = 1.0;  ///< the steepest of `delivered`
  double error = 0.0;  ///< of what the density holds
  std::function<double(double)> density;
  std::function<double(double)> delivered;
};

/// Fills the row and returns a bound on the absolute error of its entries.
double integrate(const NoiselessReading& reading, const AddedNoise& noise,
                 std::span<const double> references, double tolerance, std::span<double> row) {
  constexpr std::size_t most_nodes = std::size_t{1} << 17;
  const double span = reading.high - reading.low;
  const double fine = std::min(reading.sd, noise.sd() / reading.slope);
  std::size_t cells = 8;
  while (static_cast<double>(cells) * fine < span && cells < most_nodes) cells *= 2;
  std::vector<double> sums(row.size(), 0.0);
  double mass = 0.0;
  const auto add = [&](std::size_t node, std::size_t of) {
    core::stop_if_requested();
    const double x = reading.low + span * static_cast<double>(node) / static_cast<double>(of);
    const double density = std::max(reading.density(x), 0.0);
    if (density == 0.0) return;
    mass += density;
    add_noisy(density, reading.delivered(x), noise, references, sums);
  };
  for (std::size_t node = 0; node <= cells; ++node) add(node, cells);
  double change = 1.0;
  std::vector<double> before(row.size());
  for (bool first = true;; first = false) {
    const double width = span / static_cast<double>(cells);
    change = std::abs(mass * width - 1.0);
    for (std::size_t code = 0; code < row.size(); ++code) {
      row[code] = sums[code] * width;
      change = std::max(change, first ? 1.0 : std::abs(row[code] - before[code]));
    }
    if (change <= 0.25 * tolerance || cells >= most_nodes) break;
    if (!first && change <= reading.error + 1e-14) break;
    std::copy(row.begin(), row.end(), before.begin());
    cells *= 2;
    for (std::size_t node = 1; node < cells; node += 2) add(node, cells);
  }
  return change + reading.error + 64.0 * unit;
}

/// The range outside of which less than about 1e-16 of the sum lies.
void find_range(const SensedCurrent& sum, NoiselessReading& reading) {
  constexpr double negligible = 1e-16;
  reading.low = reading.mean - 4.0 * reading.sd;
  reading.high = reading.mean + 4.0 * reading.sd;
  for (int step = 0; step < 200; ++step) {
    const BoundedTail tail = sum.bounded_tail(core::Tail::lower, reading.low);
    if (tail.value <= std::max(negligible, tail.error)) break;
    reading.low -= 0.5 * reading.sd;
  }
  for (int step = 0; step < 2000; ++step) {
    core::stop_if_requested();
    const BoundedTail tail = sum.bounded_tail(core::Tail::upper, reading.high);
    if (tail.value <= std::max(negligible, tail.error)) break;
    reading.high += 0.5 * reading.sd;
  }
}

NoiselessReading reading_of(const LineCurve& curve, const SensedCurrent& sum) {
  NoiselessReading reading;
  reading.mean = sum.mean();
  reading.sd = sum.sd();
  reading.delivered = curve;
  if (reading.sd == 0.0) return reading;
  find_range(sum, reading);
  reading.slope = std::max(curve.slope(reading.low), curve.slope(reading.high));
  reading.error = 4.0 * sum.error_bound();
  reading.density = [&sum](double x) { return sum.density(x); };
  return reading;
}

/// The capacitors of a class that are driven, and all others with the parasitic one, as normals.
struct Divider {
  double supply = 0.0;
  core::Normal on;
  core::Normal off;

  Divider(const ColumnDesign& design, ColumnClass column_class) {
    const auto& sharing = std::get<ChargeSharing>(design.bit_line);
    const std::uint32_t k = column_class.lrs_count;
    const std::uint32_t n = column_class.active_rows;
    const auto sum = [](const core::Law& law, std::uint32_t count) {
      return core::Normal{count * law.mean(), count * law.variance()};  // variance for now
    };
    supply = sharing.supply;
    on = sum(design.lrs, k);
    off = sum(design.hrs, n - k);
    if (design.leakage) {
      const core::Normal idle = sum(*design.leakage, design.rows - n);
      off = {off.mean + idle.mean, off.sd + idle.sd};
    }
    on.sd = std::sqrt(on.sd);
    off.sd = std::sqrt(off.sd);
    off.mean += sharing.parasitic;
  }
  double nominal() const { return on.mean == 0.0 ? 0.0 : supply * on.mean / (on.mean + off.mean); }
  /// V <= v where mean(v) + sd(v) N(0, 1) <= 0.
  double mean(double v) const { return on.mean * (supply - v) - v * off.mean; }
  double sd(double v) const { return std::hypot(on.sd * (supply - v), off.sd * v); }
  double score(double v) const { return -mean(v) / sd(v); }
  double score_slope(double v) const {
    const double spread = sd(v);
    const double bend = off.sd * off.sd * v - on.sd * on.sd * (supply - v);  // spread d spread / dv
    return (on.mean + off.mean) / spread + mean(v) * bend / (spread * spread * spread);
  }
  /// V does not vary: it is 0 or the supply, whatever the capacitors are, or they don't vary.
  bool is_point() const {
    const auto is_nothing = [](const core::Normal& part) {
      return part.mean == 0.0 && part.sd == 0.0;
    };
    return is_nothing(on) || is_nothing(off) || !(sd(nominal()) > 0.0);
  }
  double first_order_sd() const { return sd(nominal()) / (on.mean + off.mean); }
};

NoiselessReading reading_of(const ColumnDesign& design, const Divider& divider) {
  const auto& sharing = std::get<ChargeSharing>(design.bit_line);
  const double gain = 1.0 + sharing.injected_fraction;
  const double step = sharing.injected_charge / total_capacitance(design);
  NoiselessReading reading;
  reading.mean = divider.nominal();
  reading.slope = gain;
  reading.delivered = [gain, step](double v) { return gain * v + step; };
  if (divider.is_point()) return reading;
  reading.sd = divider.first_order_sd();
  reading.low = reading.mean - 9.0 * reading.sd;
  reading.high = reading.mean + 9.0 * reading.sd;
  while (divider.score(reading.low) > -8.5) reading.low -= 0.5 * reading.sd;
  while (divider.score(reading.high) < 8.5) reading.high += 0.5 * reading.sd;
  reading.density = [divider](double v) {
    const double z = divider.score(v);
    return std::exp(-0.5 * z * z) * divider.score_slope(v) * std::numbers::inv_sqrtpi /
           std::numbers::sqrt2;
  };
  return reading;
}

bool has_atom_beside_others(const core::Law& law) {
  return !law.as_normal() &&
         std::any_of(law.components().begin(), law.components().end(),
                     [](const core::Component& component) { return bool(core::atom(component)); });
}

/// The column before its line: the sum alone, and nothing behind it.
ColumnDesign sum_alone(const ColumnDesign& design) {
  ColumnDesign sum = design;
  sum.bit_line = IdealSum{};
  sum.sense = {};
  sum.comparator = {};
  return sum;
}

/// The references as sums; those that no sum delivers lie beyond all sums, in their order.
ColumnDesign with_references_as_sums(const ColumnDesign& design, const LineCurve& curve) {
  ColumnDesign sum = sum_alone(design);
  const std::size_t in_a_run = design.ladder.codes - 1;
  double far = 0.0;
  for (const core::Law* law : {&design.lrs, &design.hrs}) {
    far += design.rows * (std::abs(law->mean()) + law->sd());
  }
  far *= 1e6;
  for (std::size_t i = 0; i < sum.ladder.references.size(); ++i) {
    double& reference = sum.ladder.references[i];
    reference = curve.inverse(reference);
    if (reference >= far) reference = far * (1.0 + static_cast<double>(i % in_a_run));
  }
  return sum;
}

constexpr std::string_view other_noise = "make the noise Gaussian and constant";

}  // namespace

double shared_charge_tail(const ColumnDesign& design, ColumnClass column_class, core::Tail side,
                          double v) {
  return normal_tail(side, Divider(design, column_class).score(v));
}

double shared_charge_sd(const ColumnDesign& design, ColumnClass column_class) {
  return Divider(design, column_class).first_order_sd();
}

std::optional<std::string> line_obstacle(const ColumnDesign& design) {
  if (std::holds_alternative<WireResistance>(design.bit_line)) {
    return "the current of a resistive bit line depends on where its cells are";
  }
  if (design.comparator.noise_sd > 0.0) {
    return fmt::format("comparators have noise of their own behind a bit line ({})",
                       name_of(design.bit_line));
  }
  const SenseAmplifier& sense = design.sense;
  if (sense.noise_sd > 0.0 && std::isfinite(sense.noise_knee)) {
    return fmt::format("the noise follows what a bit line ({}) delivers", name_of(design.bit_line));
  }
  const AddedNoise noise = added_noise(design, {});
  if (noise.logistic_scale > 0.0 && noise.gaussian_sd > 0.0) {
    return fmt::format("logistic noise and a normal offset or noise behind a bit line ({})",
                       name_of(design.bit_line));
  }
  if (const auto curve = curve_of(design.bit_line)) {
    if (noise.sd() == 0.0) return exact_obstacle(with_references_as_sums(design, *curve));
    for (const core::Law& law : {design.lrs, design.hrs, design.leakage.value_or(core::Law())}) {
      if (has_atom_beside_others(law)) {
        return "noise behind the curve of a bit line, and a cell that is an atom at times (stuck)";
      }
    }
    return current_obstacle(sum_alone(design));
  }
  if (std::holds_alternative<ChargeSharing>(design.bit_line)) {
    for (const core::Law& law : {design.lrs, design.hrs, design.leakage.value_or(core::Law())}) {
      if (!law.as_normal()) return "capacitances that are not normal";
    }
  }
  return std::nullopt;
}

ExactProbabilities line_probabilities(const ColumnDesign& design,
                                      std::span<const ColumnClass> classes,
                                      const ExactOptions& options, core::Threads threads,
                                      const core::Progress& progress) {
  if (const auto obstacle = line_obstacle(design)) throw ExactObstacle(*obstacle, other_noise);
  const auto curve = curve_of(design.bit_line);
  const bool is_noiseless =
      std::all_of(classes.begin(), classes.end(), [&](const ColumnClass& column_class) {
        return added_noise(design, column_class).sd() == 0.0;
      });
  if (curve && is_noiseless) {
    return exact_probabilities(with_references_as_sums(design, *curve), classes, options, threads,
                               progress);
  }
  std::vector<SensedCurrent> sums;
  if (curve) sums = sensed_currents(sum_alone(design), classes, options, threads);
  const std::size_t codes = design.ladder.codes;
  ExactProbabilities result;
  result.probability.assign(classes.size() * codes, 0.0);
  result.error_bound.resize(classes.size());
  result.entry_error.resize(classes.size() * codes);
  const auto body = [&](std::size_t i, std::size_t) {
    const auto references = design.ladder.at(classes[i].active_rows);
    const std::span row(result.probability.data() + i * codes, codes);
    const AddedNoise noise = added_noise(design, classes[i]);
    NoiselessReading reading;
    std::optional<Divider> divider;
    if (curve) {
      reading = reading_of(*curve, sums[i]);
    } else if (std::holds_alternative<ChargeSharing>(design.bit_line)) {
      divider.emplace(design, classes[i]);
      reading = reading_of(design, *divider);
    } else {
      reading.mean = mean_reading(design, classes[i]);
      reading.delivered = [](double x) { return x; };
    }
    const double centre = reading.delivered(reading.mean);
    double error = 64.0 * unit;
    if (reading.sd == 0.0 && noise.sd() == 0.0) {
      // As far as rounding can tell, a reading at a reference counts as above it.
      const double rounding = 64.0 * unit * std::abs(centre);
      row[below_or_at(references, centre + rounding)] = 1.0;
    } else if (reading.sd == 0.0) {
      add_noisy(1.0, centre, noise, references, row);
    } else if (noise.sd() == 0.0) {  // shared charge in closed form
      const double gain = reading.slope;
      const double step = reading.delivered(0.0);
      const auto tail = [&](core::Tail side, std::size_t j) {
        return normal_tail(side, divider->score((references[j] - step) / gain));
      };
      fill_row(references.size(), below_or_at(references, centre), tail, row);
      error = 1e-13;
    } else {
      error = integrate(reading, noise, references, options.tolerance, row);
    }
    result.error_bound[i] = error;
    std::fill_n(result.entry_error.begin() + static_cast<std::ptrdiff_t>(i * codes), codes, error);
  };
  core::for_each_block(classes.size(), threads, body, progress);
  return result;
}

}  // namespace cimstat::circuits
