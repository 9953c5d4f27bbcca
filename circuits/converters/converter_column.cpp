#include "circuits/converters/converter_column.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "core/error.h"
#include "core/law/shape.h"

#include "circuits/converters/code_response.h"
#include "circuits/converters/code_waves.h"
#include "circuits/converters/factored_sums.h"
#include "circuits/exact/column_sum.h"
#include "circuits/exact/inversion.h"

namespace cimstat::circuits {
namespace {

constexpr std::string_view more_noise = "give the sense amplifier more noise";

/// More terms of all waves of a ladder than this would not fit into memory well.
constexpr std::size_t most_wave_terms = std::size_t{1} << 26;

/// Beyond this many standard deviations a comparator counts as certain: the points of a grid and
/// the comparators together, far fewer than 2^14 times the references, add less than a share.
double reach_of(const ColumnDesign& design, double share) {
  const double references = static_cast<double>(design.ladder.codes - 1);
  return core::normal_quantile(core::Tail::upper, share / (16384.0 * references));
}

CodeResponse response_of(const ColumnDesign& design, std::uint32_t active_rows, double share) {
  return {design.comparator.kind, design.comparator.decision_sd(), design.ladder.at(active_rows),
          reach_of(design, share)};
}

/// What the decisions see: offset, noise, and the noise that they share; and how their own noise
/// smooths P(code), whatever the number of active rows.
SumNoise decided_noise(const ColumnDesign& design, double share) {
  SumNoise noise = noise_of(design.sense);
  noise.gaussian_variance += design.comparator.shared_variance();
  if (design.comparator.decision_sd() == 0.0) return noise;
  noise.smoothing_variance = std::numeric_limits<double>::infinity();
  const std::uint32_t last = design.ladder.follows_active_rows ? design.rows : 0;
  for (std::uint32_t n = 0; n <= last; ++n) {
    const CodeResponse response = response_of(design, n, share);
    noise.smoothing_variance =
        std::min(noise.smoothing_variance,
                 response.sd() * response.sd() / static_cast<double>(response.draws()));
    noise.smoothing_width = 2.0 * response.width();
  }
  return noise;
}

/// Series of the classes' currents, with or without a common factor.
class Currents {
 public:
  Currents(const ColumnDesign& design, std::span<const ColumnClass> classes, const SumNoise& noise,
           double tolerance) {
    std::vector<std::vector<std::uint32_t>> counts;
    for (const ColumnClass one : classes) counts.push_back(counts_of(design, one));
    if (design.common_factor_sd > 0.0) {
      factored_ = std::make_unique<FactoredSums>(laws_of(design), noise, design.common_factor_sd,
                                                 counts, tolerance);
    } else {
      plain_ = std::make_unique<Inversion>(laws_of(design), noise, counts, tolerance);
    }
  }
  const std::optional<std::string>& obstacle() const {
    return factored_ ? factored_->obstacle() : plain_->obstacle();
  }
  void prepare() {
    if (obstacle()) throw ExactObstacle(*obstacle(), more_noise);
    if (factored_) {
      factored_->prepare();
    } else {
      plain_->prepare();
    }
  }
  SumSeries series(std::size_t i) const {
    return factored_ ? factored_->series(i) : plain_->series(i);
  }

 private:
  std::unique_ptr<FactoredSums> factored_;
  std::unique_ptr<Inversion> plain_;
};

/// The waves of one ladder for the series of each step that its classes have.
class Waves {
 public:
  Waves(const CodeResponse& response, double smoothing_variance, std::span<const SumSeries> series,
        double share)
      : response_(response) {
    for (const SumSeries& one : series) {
      Entry& entry = entry_of(one.step);
      entry.terms = std::max(entry.terms, one.real.size());
    }
    for (Entry& entry : entries_) {
      if (entry.terms * response.references().size() > most_wave_terms) {
        throw ExactObstacle("its comparators take too many terms",
                            "raise converter.comparator_noise");
      }
      entry.waves = std::make_unique<CodeWaves>(response_, smoothing_variance, entry.step,
                                                entry.terms, share);
    }
  }
  double fill(const SumSeries& series, double* row) const {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.step == series.step; });
    return found->waves->fill(series, row);
  }

 private:
  struct Entry {
    double step = 0.0;
    std::size_t terms = 0;
    std::unique_ptr<CodeWaves> waves;
  };
  Entry& entry_of(double step) {
    for (Entry& entry : entries_) {
      if (entry.step == step) return entry;
    }
    entries_.push_back({step, 0, nullptr});
    return entries_.back();
  }
  const CodeResponse& response_;
  std::vector<Entry> entries_;
};

/// Where the classes of each number of active rows begin, and the end.
std::vector<std::size_t> runs_of(const ColumnDesign& design, std::span<const ColumnClass> classes) {
  std::vector<std::size_t> starts{0};
  for (std::size_t i = 1; i < classes.size() && design.ladder.follows_active_rows; ++i) {
    if (classes[i].active_rows != classes[i - 1].active_rows) starts.push_back(i);
  }
  starts.push_back(classes.size());
  return starts;
}

}  // namespace

bool has_own_decisions(const ColumnDesign& design) {
  return design.comparator.noise_sd > 0.0 || design.common_factor_sd > 0.0;
}

std::optional<std::string> factor_obstacle(const ColumnDesign& design,
                                           std::span<const ColumnClass> classes) {
  const SumNoise noise = noise_of(design.sense);
  if (noise.bend > 0.0) return "a common factor together with noise that follows the current";
  return Currents(design, classes, noise, ExactOptions{}.tolerance).obstacle();
}

std::optional<std::string> converter_obstacle(const ColumnDesign& design,
                                              std::span<const ColumnClass> classes) {
  const double tolerance = ExactOptions{}.tolerance;
  const SumNoise noise = decided_noise(design, 0.01 * tolerance);
  if (design.common_factor_sd > 0.0 && noise.bend > 0.0) return factor_obstacle(design, classes);
  return Currents(design, classes, noise, tolerance).obstacle();
}

ExactProbabilities converter_probabilities(const ColumnDesign& design,
                                           std::span<const ColumnClass> classes,
                                           const ExactOptions& options, core::Threads threads,
                                           const core::Progress& progress) {
  const double share = 0.01 * options.tolerance;
  const SumNoise noise = decided_noise(design, share);
  if (design.common_factor_sd > 0.0 && noise.bend > 0.0) {
    throw ExactObstacle(*factor_obstacle(design, classes), "make the noise constant");
  }
  Currents currents(design, classes, noise, options.tolerance);
  currents.prepare();
  const std::size_t codes = design.ladder.codes;
  ExactProbabilities result;
  result.probability.resize(classes.size() * codes);
  result.error_bound.resize(classes.size());
  const bool own_noise = design.comparator.decision_sd() > 0.0;
  const std::vector<std::size_t> starts = runs_of(design, classes);
  const std::size_t runs = starts.size() - 1;
  // Runs side by side where there are many, else the classes of the only one.
  const core::Threads inside = runs > 1 ? core::Threads{1} : threads;
  const auto make_run = [&](std::size_t run, std::size_t) {
    const std::size_t first = starts[run];
    const std::size_t count = starts[run + 1] - first;
    std::vector<SumSeries> series(count);
    core::for_each_block(
        count, inside, [&](std::size_t i, std::size_t) { series[i] = currents.series(first + i); });
    const auto references = design.ladder.at(classes[first].active_rows);
    std::optional<CodeResponse> response;
    std::optional<Waves> waves;
    if (own_noise) {
      response = response_of(design, classes[first].active_rows, share);
      waves.emplace(*response, noise.smoothing_variance, series, share);
    }
    core::for_each_block(count, inside, [&](std::size_t i, std::size_t) {
      double* row = result.probability.data() + (first + i) * codes;
      if (waves) {
        result.error_bound[first + i] = waves->fill(series[i], row);
        return;
      }
      series[i].fill_codes(references, row);
      result.error_bound[first + i] = 2.0 * series[i].error;
    });
  };
  if (!classes.empty()) {
    core::for_each_block(runs, runs > 1 ? threads : core::Threads{1}, make_run, progress);
  }
  return result;
}

std::vector<SumSeries> factored_currents(const ColumnDesign& design,
                                         std::span<const ColumnClass> classes,
                                         const ExactOptions& options, core::Threads threads) {
  const SumNoise noise = noise_of(design.sense);
  if (noise.bend > 0.0) {
    throw ExactObstacle(*factor_obstacle(design, classes), "make the noise constant");
  }
  Currents currents(design, classes, noise, options.tolerance);
  currents.prepare();
  std::vector<SumSeries> series(classes.size());
  core::for_each_block(classes.size(), threads,
                       [&](std::size_t i, std::size_t) { series[i] = currents.series(i); });
  return series;
}

}  // namespace cimstat::circuits
