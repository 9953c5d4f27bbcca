#include "circuits/bit_line/exact_line.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include <fmt/format.h>

#include "core/interrupt.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"
#include "circuits/bit_line/noiseless_reading.h"
#include "circuits/bit_line/sensed_reading.h"

namespace cimstat::circuits {

namespace {

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();  // of rounding

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
  if (const auto curve = curve_of(design.bit_line)) {
    if (added_noise(design, {}).sd() == 0.0) {
      return exact_obstacle(with_references_as_sums(design, *curve));
    }
  }
  return reading_obstacle(design);
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
