#include "experiments/columns/column_statistics.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

#include "core/statistics/order_statistics.h"
#include "core/statistics/weighted_estimate.h"

namespace cimstat::experiments {

namespace {

constexpr core::Interval probabilities{0.0, 1.0};

/// One number of each column, and how the columns make independent units.
class Sample {
 public:
  Sample(std::span<const double> values, const ColumnQuestions& questions)
      : values_(values),
        unit_(questions.dies_differ ? questions.columns_of_a_die : 1),
        confidence_(questions.confidence) {}

  std::size_t units() const { return values_.size() / unit_; }
  double confidence() const { return confidence_; }

  /// Mean of each unit.
  std::vector<double> unit_means() const {
    std::vector<double> means;
    for (std::size_t first = 0; first < values_.size(); first += unit_) {
      double sum = 0.0;
      for (std::size_t i = 0; i < unit_; ++i) sum += values_[first + i];
      means.push_back(sum / static_cast<double>(unit_));
    }
    return means;
  }

  Estimate mean() const {
    core::Moments moments;
    for (const double value : unit_means()) moments.add(value);
    if (!is_trustworthy()) return {moments.mean(), probabilities};
    return {moments.mean(), around(moments.mean(), moments.standard_error(), 0.0)};
  }

  /// Whether the mean rests on enough units for a t interval.
  bool is_trustworthy() const {
    core::WeightedSums sums;
    for (const double value : unit_means()) sums.add(value);
    if (sums.hits == 0) return true;  // all alike
    const double half = 0.5 * static_cast<double>(units());
    core::TrustLimits limits;
    limits.effective_samples = std::min(limits.effective_samples, half);
    limits.hits = static_cast<std::uint64_t>(std::ceil(limits.effective_samples));
    limits.largest_share = std::max(limits.largest_share, 1.0 / half);
    return !core::doubt(sums, limits);
  }

  /// value -+ t standard errors, within [low, 1]; all of it with a single unit.
  core::Interval around(double value, double error, double low) const {
    if (units() < 2) return {low, 1.0};
    const double half = core::student_t(confidence_, static_cast<double>(units()) - 1.0) * error;
    return {std::max(low, value - half), std::min(1.0, value + half)};
  }

  double sd() const {
    core::Moments moments;
    for (const double value : values_) moments.add(value);
    return std::sqrt(moments.variance());
  }

  /// How many independent columns the sample is worth, where the share below `x` is asked for.
  double effective_size(double x) const {
    const auto n = static_cast<double>(values_.size());
    if (unit_ == 1) return n;
    std::vector<double> below;
    for (const double value : values_) below.push_back(value <= x ? 1.0 : 0.0);
    core::Moments columns;
    for (const double value : below) columns.add(value);
    core::Moments dies;
    ColumnQuestions questions;
    questions.dies_differ = true;
    questions.columns_of_a_die = unit_;
    for (const double value : Sample(below, questions).unit_means()) dies.add(value);
    const double variance = dies.variance() / static_cast<double>(units());
    if (variance <= 0.0) return static_cast<double>(units());  // nothing shows more
    return std::clamp(columns.variance() / variance, 1.0, n);
  }

 private:
  std::span<const double> values_;
  std::size_t unit_;
  double confidence_;
};

Estimate quantile(std::span<const double> values, double level, const ColumnQuestions& questions) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double value = core::sample_quantile(sorted, level);
  const double effective = Sample(values, questions).effective_size(value);
  const core::Interval interval =
      core::quantile_interval(sorted, level, questions.confidence, probabilities, effective);
  // The interval ends at columns, the value lies between two.
  return {std::clamp(value, interval.lower, interval.upper), interval};
}

double correlation_of(double p, double both) {
  return p > 0.0 && p < 1.0 ? (both - p * p) / (p * (1.0 - p)) : 0.0;
}

/// Jackknife over units of a function of two means.
Estimate correlation(std::span<const double> wrong, std::span<const double> both,
                     const ColumnQuestions& questions) {
  const Sample sample(wrong, questions);
  const std::vector<double> p = sample.unit_means();
  const std::vector<double> q = Sample(both, questions).unit_means();
  const auto n = static_cast<double>(p.size());
  double sum_p = 0.0;
  double sum_q = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    sum_p += p[i];
    sum_q += q[i];
  }
  const double value = correlation_of(sum_p / n, sum_q / n);
  if (p.size() < 2 || !Sample(both, questions).is_trustworthy()) return {value, {-1.0, 1.0}};
  core::Moments left_out;
  for (std::size_t i = 0; i < p.size(); ++i) {
    left_out.add(correlation_of((sum_p - p[i]) / (n - 1.0), (sum_q - q[i]) / (n - 1.0)));
  }
  const double error = std::sqrt((n - 1.0) * (n - 1.0) / n * left_out.variance());
  return {value, sample.around(value, error, -1.0)};
}

RateSummary summary(std::span<const double> misread, std::span<const double> both,
                    std::span<const double> vote, const ColumnQuestions& questions) {
  RateSummary summary;
  const Sample sample(misread, questions);
  summary.mean = sample.mean();
  summary.sd = sample.sd();
  summary.largest = *std::max_element(misread.begin(), misread.end());
  for (std::size_t i = 0; i < quantile_levels.size(); ++i) {
    summary.quantiles[i] = quantile(misread, quantile_levels[i], questions);
  }
  summary.both_wrong = Sample(both, questions).mean();
  summary.correlation = correlation(misread, both, questions);
  const double square = summary.mean.value * summary.mean.value;
  summary.both_wrong_ratio = square > 0.0 ? summary.both_wrong.value / square : 1.0;
  summary.vote_wrong = Sample(vote, questions).mean();
  return summary;
}

/// Mean over the classes, for each column.
std::vector<double> over_classes(const std::vector<double>& values, std::size_t classes,
                                 std::size_t columns) {
  std::vector<double> means(columns, 0.0);
  for (std::size_t i = 0; i < classes; ++i) {
    for (std::size_t c = 0; c < columns; ++c) means[c] += values[i * columns + c];
  }
  for (double& mean : means) mean /= static_cast<double>(classes);
  return means;
}

Estimate worst_of_die(const std::vector<double>& judged, const ColumnQuestions& questions) {
  const std::size_t per_die = questions.columns_of_a_die;
  if (!questions.dies_differ) {
    // The largest of N independent columns lies below x with probability F(x)^N.
    const double level = std::pow(0.5, 1.0 / static_cast<double>(per_die));
    return quantile(judged, level, questions);
  }
  std::vector<double> worst;
  for (std::size_t first = 0; first < judged.size(); first += per_die) {
    const auto begin = judged.begin() + static_cast<std::ptrdiff_t>(first);
    worst.push_back(*std::max_element(begin, begin + static_cast<std::ptrdiff_t>(per_die)));
  }
  ColumnQuestions of_dies = questions;
  of_dies.dies_differ = false;
  return quantile(worst, 0.5, of_dies);
}

Estimate proportion(std::uint64_t successes, std::uint64_t trials, double confidence) {
  return {static_cast<double>(successes) / static_cast<double>(trials),
          core::clopper_pearson(successes, trials, confidence)};
}

void judge(const std::vector<double>& judged, const ColumnQuestions& questions,
           ColumnStatistics& statistics) {
  const std::uint64_t per_die = questions.columns_of_a_die;
  std::vector<double> passes;
  std::uint64_t passing = 0;
  std::uint64_t good_dies = 0;
  for (std::size_t first = 0; first < judged.size(); first += per_die) {
    std::uint64_t failing = 0;
    for (std::size_t c = first; c < first + per_die; ++c) {
      const bool is_good = judged[c] <= questions.limit;
      passes.push_back(is_good ? 1.0 : 0.0);
      failing += is_good ? 0 : 1;
    }
    passing += per_die - failing;
    good_dies += failing <= questions.repairs ? 1 : 0;
  }
  statistics.die_yield = proportion(good_dies, judged.size() / per_die, questions.confidence);
  if (questions.dies_differ) {
    statistics.pass = Sample(passes, questions).mean();
    if (passing == 0 || passing == judged.size()) {
      // All agree: no more can be claimed than what so many dies can tell.
      const std::uint64_t dies = judged.size() / per_die;
      statistics.pass = proportion(passing == 0 ? 0 : dies, dies, questions.confidence);
    }
    return;
  }
  statistics.pass = proportion(passing, judged.size(), questions.confidence);
  const auto yield = [&](double pass) {
    return core::binomial_at_most(questions.repairs, per_die, 1.0 - pass);
  };
  statistics.die_yield_from_columns = {
      yield(statistics.pass.value),
      {yield(statistics.pass.interval.lower), yield(statistics.pass.interval.upper)}};
}

}  // namespace

std::vector<double> judged_rates(const circuits::ColumnRates& rates, JudgedRate judged) {
  if (judged == JudgedRate::mean) {
    return over_classes(rates.misread, rates.classes.size(), rates.columns);
  }
  std::vector<double> worst(rates.columns, 0.0);
  for (std::size_t i = 0; i < rates.misread.size(); ++i) {
    double& column = worst[i % rates.columns];
    column = std::max(column, rates.misread[i]);
  }
  return worst;
}

ColumnStatistics column_statistics(const circuits::ColumnRates& rates,
                                   const ColumnQuestions& questions) {
  if (rates.columns == 0 || rates.classes.empty() ||
      rates.columns % questions.columns_of_a_die != 0) {
    throw std::invalid_argument("whole dies are needed");
  }
  ColumnStatistics statistics;
  const std::size_t columns = rates.columns;
  const auto of_class = [&](const std::vector<double>& values, std::size_t i) {
    return std::span(values).subspan(i * columns, columns);
  };
  for (std::size_t i = 0; i < rates.classes.size(); ++i) {
    statistics.classes.push_back(summary(of_class(rates.misread, i), of_class(rates.both_wrong, i),
                                         of_class(rates.vote_wrong, i), questions));
  }
  const std::size_t classes = rates.classes.size();
  statistics.overall = summary(over_classes(rates.misread, classes, columns),
                               over_classes(rates.both_wrong, classes, columns),
                               over_classes(rates.vote_wrong, classes, columns), questions);
  const std::vector<double> judged = judged_rates(rates, questions.judged);
  statistics.worst_of_die = worst_of_die(judged, questions);
  judge(judged, questions, statistics);
  return statistics;
}

}  // namespace cimstat::experiments
