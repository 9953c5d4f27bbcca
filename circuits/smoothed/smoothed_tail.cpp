#include "circuits/smoothed/smoothed_tail.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/law/shape.h"
#include "core/random/scrambled_sobol.h"

#include "circuits/rare/cell_curve.h"

namespace cimstat::circuits {

namespace {

constexpr std::uint32_t scrambling_limit = std::uint32_t{1} << 12;

/// P(failure) as a function of a point of the unit cube.
class Integrand {
 public:
  explicit Integrand(const SumFailure& failure) : failure_(failure) {
    for (std::size_t p = 0; p < failure.parts.size(); ++p) {
      curves_.emplace_back(failure.parts[p].law);
      add(Source::part, p, failure.parts[p].law.sd(), failure.parts[p].count);
    }
    if (failure.sum_sd > 0.0) add(Source::sum, 0, failure.sum_sd, 1);
    if (failure.offset_sd > 0.0) add(Source::offset, 0, failure.offset_sd, 1);
    std::stable_sort(variables_.begin(), variables_.end(),
                     [](const Variable& a, const Variable& b) { return a.sd > b.sd; });
  }

  std::size_t dimensions() const { return variables_.size(); }

  double operator()(std::span<const double> coordinates) const {
    double sum = failure_.constant;
    double offset = 0.0;
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      const Variable& variable = variables_[i];
      const double z = standard_normal(coordinates[i]);
      switch (variable.source) {
        case Source::part:
          sum += curves_[variable.part].value(z);
          break;
        case Source::sum:
          sum += failure_.sum_sd * z;
          break;
        case Source::offset:
          offset = failure_.offset_sd * z;
          break;
      }
    }
    return std::exp(failure_.log_probability(sum, offset));
  }

 private:
  enum class Source { part, sum, offset };
  struct Variable {
    Source source;
    std::size_t part;
    double sd;
  };

  void add(Source source, std::size_t part, double sd, std::uint32_t count) {
    variables_.insert(variables_.end(), count, {source, part, sd});
  }

  static double standard_normal(double uniform) {
    return uniform < 0.5 ? core::normal_quantile(core::Tail::lower, uniform)
                         : core::normal_quantile(core::Tail::upper, 1.0 - uniform);
  }

  const SumFailure& failure_;
  std::vector<CellCurve> curves_;
  std::vector<Variable> variables_;
};

void check(const SmoothedOptions& options, std::size_t dimensions) {
  const auto refuse = [](std::string_view place, std::string problem, std::string_view why) {
    throw core::UsageError(core::error_line(place, problem, why));
  };
  if (options.log2_points > core::ScrambledSobol::log2_size_limit) {
    refuse("points", fmt::format("2^{} are too many for one scrambling", options.log2_points),
           fmt::format("at most 2^{}", core::ScrambledSobol::log2_size_limit));
  }
  if (options.scramblings < 2 || options.scramblings > scrambling_limit) {
    refuse("scramblings", fmt::format("{} are out of range", options.scramblings),
           fmt::format("2 to {}", scrambling_limit));
  }
  if (dimensions > core::ScrambledSobol::dimension_limit) {
    refuse("column", fmt::format("{} cells are too many for this sampler", dimensions),
           fmt::format("at most {}", core::ScrambledSobol::dimension_limit));
  }
}

core::WeightedSums sample(const Integrand& integrand, const SumFailure& failure,
                          const SmoothedOptions& options, PointSet points,
                          std::uint32_t scrambling) {
  const std::uint64_t instance = failure.first_block + scrambling;
  const std::uint64_t count = std::uint64_t{1} << options.log2_points;
  std::vector<double> coordinates(integrand.dimensions());
  core::WeightedSums sums;
  if (points == PointSet::independent) {
    core::TrialRandom random(options.key, core::Domain::scrambling, instance);
    for (std::uint64_t i = 0; i < count; ++i) {
      for (double& coordinate : coordinates) coordinate = random.uniform();
      sums.add(integrand(coordinates));
    }
    return sums;
  }
  const core::ScrambledSobol sobol(options.key, instance, coordinates.size(), options.log2_points);
  for (std::uint64_t i = 0; i < count; ++i) {
    sobol.point(i, coordinates);
    sums.add(integrand(coordinates));
  }
  return sums;
}

}  // namespace

double SmoothedEstimate::mean() const {
  return std::accumulate(means.begin(), means.end(), 0.0) / static_cast<double>(means.size());
}

double SmoothedEstimate::standard_error() const {
  core::Moments moments;
  for (const double value : means) moments.add(value);
  return moments.standard_error();
}

std::optional<double> SmoothedEstimate::probability() const {
  if (!trustworthy()) return std::nullopt;
  return mean();
}

std::optional<core::Interval> SmoothedEstimate::interval(double confidence) const {
  if (!trustworthy()) return std::nullopt;
  const core::Interval interval = t_interval(means, confidence);
  return core::Interval{std::max(interval.lower, 0.0), std::min(interval.upper, 1.0)};
}

core::Interval t_interval(std::span<const double> means, double confidence) {
  core::Moments moments;
  for (const double value : means) moments.add(value);
  const double degrees = static_cast<double>(means.size() - 1);
  const double reach = core::student_t(confidence, degrees) * moments.standard_error();
  return {moments.mean() - reach, moments.mean() + reach};
}

SmoothedEstimate smoothed_sum(const SumFailure& failure, const SmoothedOptions& options,
                              PointSet points, core::Threads threads,
                              const core::Progress& progress) {
  const Integrand integrand(failure);
  check(options, integrand.dimensions());
  std::vector<core::WeightedSums> sums(options.scramblings);
  core::for_each_block(
      options.scramblings, threads,
      [&](std::size_t scrambling, std::size_t) {
        sums[scrambling] =
            sample(integrand, failure, options, points, static_cast<std::uint32_t>(scrambling));
      },
      progress);
  SmoothedEstimate estimate;
  estimate.points = std::uint64_t{1} << options.log2_points;
  RareEstimate judged;
  for (std::size_t r = 0; r < sums.size(); ++r) {
    estimate.means.push_back(sums[r].mean());
    judged.halves[r % 2] += sums[r];
  }
  if (integrand.dimensions() == 0) return estimate;  // nothing was sampled: this is the integral
  const std::uint64_t samples = options.scramblings * estimate.points;
  // P(failure | devices) is at most 1: what holds a share of the probability is at least as likely
  // among the devices, and with this many failures among the samples nothing that matters can have
  // been missed. With fewer, each mode must have been visited.
  const core::TrustLimits limits;
  if (estimate.mean() * static_cast<double>(samples) < static_cast<double>(limits.hits)) {
    judged.modes =
        failure_modes(failure, {.samples = samples, .key = options.key}, Proposal::plain);
  }
  judge(judged, limits);
  estimate.refusal = judged.refusal;
  return estimate;
}

SmoothedEstimate smoothed_tail(const ColumnDesign& design, const MisreadTail& tail,
                               const SmoothedOptions& options, core::Threads threads,
                               const core::Progress& progress) {
  const std::array classes{tail.column_class};
  check(design, classes);
  return smoothed_sum(failure_of(design, tail), options, PointSet::scrambled_sobol, threads,
                      progress);
}

}  // namespace cimstat::circuits
