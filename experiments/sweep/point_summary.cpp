#include "experiments/sweep/point_summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/statistics/gamma_bernoulli.h"
#include "core/statistics/proportion_interval.h"

#include "circuits/sampled/stopped_column.h"

#include "experiments/inference/accuracy_run.h"

namespace cimstat::experiments {

namespace {

constexpr double nothing_known = std::numeric_limits<double>::quiet_NaN();

struct Rate {
  double value = nothing_known;
  core::Interval interval{nothing_known, nothing_known};
};

/// Appends value and ends of an interval as three numbers.
void append(PointValues& values, const Rate& rate) {
  for (const double number : {rate.value, rate.interval.lower, rate.interval.upper}) {
    values.numbers.push_back({number});
  }
}

Rate rate_of(const Estimate& estimate) { return {estimate.value, estimate.interval}; }

template <class Value>
std::vector<Value> part(const std::vector<Value>& whole, std::size_t first, std::size_t size) {
  const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

/// A point's classes as its chunks add up to.
struct Classes {
  std::vector<circuits::ColumnClass> keys;
  std::vector<std::uint64_t> trials;
  std::vector<std::uint64_t> misreads;
  std::vector<std::uint64_t> last;
};

struct Rates {
  Rate worst;
  Rate mean;
  std::size_t worst_class = 0;
};

/// All classes have the same trials, so the one with the most misreads has the highest ends of all
/// simultaneous intervals too; and the sum of their misreads is not more spread than that of
/// equally probable ones (Hoeffding, Ann. Math. Statist. 27, 1956, 713), so Clopper-Pearson's
/// interval of the sum holds.
Rates equally_sampled_rates(const Classes& classes, double confidence) {
  Rates rates;
  std::uint64_t misreads = 0;
  std::uint64_t trials = 0;
  for (std::size_t i = 0; i < classes.keys.size(); ++i) {
    if (classes.misreads[i] > classes.misreads[rates.worst_class]) rates.worst_class = i;
    misreads += classes.misreads[i];
    trials += classes.trials[i];
  }
  const std::uint64_t most = classes.misreads[rates.worst_class];
  const std::uint64_t of = classes.trials[rates.worst_class];
  const double level = core::simultaneous_level(confidence, classes.keys.size());
  rates.worst = {static_cast<double>(most) / static_cast<double>(of),
                 core::clopper_pearson(most, of, level)};
  rates.mean = {static_cast<double>(misreads) / static_cast<double>(trials),
                core::clopper_pearson(misreads, trials, confidence)};
  return rates;
}

/// Each class has its own number of trials: intervals that hold for all at once.
Rates stopped_rates(const Classes& classes, core::StreamKey key, std::uint64_t wanted,
                    double confidence) {
  const std::size_t count = classes.keys.size();
  const double level = core::simultaneous_level(confidence, count);
  Rates rates;
  rates.worst = rates.mean = {0.0, {0.0, 0.0}};
  for (std::size_t i = 0; i < count; ++i) {
    Rate rate;
    if (classes.last[i] > 0) {
      const core::GammaBernoulli found =
          circuits::guaranteed_misread(key, classes.keys[i], wanted, classes.last[i]);
      rate = {found.probability(), found.interval(level)};
    } else {
      rate = {static_cast<double>(classes.misreads[i]) / static_cast<double>(classes.trials[i]),
              core::clopper_pearson(classes.misreads[i], classes.trials[i], level)};
    }
    if (rate.value > rates.worst.value) {
      rates.worst.value = rate.value;
      rates.worst_class = i;
    }
    rates.worst.interval.lower = std::max(rates.worst.interval.lower, rate.interval.lower);
    rates.worst.interval.upper = std::max(rates.worst.interval.upper, rate.interval.upper);
    rates.mean.value += rate.value / static_cast<double>(count);
    rates.mean.interval.lower += rate.interval.lower / static_cast<double>(count);
    rates.mean.interval.upper += rate.interval.upper / static_cast<double>(count);
  }
  rates.mean.interval.upper = std::min(rates.mean.interval.upper, 1.0);
  return rates;
}

Rates exact_rates(std::size_t count, const double* misread, const double* bound) {
  Rates rates;
  rates.worst = rates.mean = {0.0, {0.0, 0.0}};
  double error = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    if (misread[i] > rates.worst.value) {
      rates.worst.value = misread[i];
      rates.worst_class = i;
    }
    rates.worst.interval.lower = std::max(rates.worst.interval.lower, misread[i] - bound[i]);
    rates.worst.interval.upper =
        std::max(rates.worst.interval.upper, std::min(misread[i] + bound[i], 1.0));
    rates.mean.value += misread[i] / static_cast<double>(count);
    error += bound[i] / static_cast<double>(count);
  }
  rates.mean.interval = {std::max(rates.mean.value - error, 0.0),
                         std::min(rates.mean.value + error, 1.0)};
  return rates;
}

}  // namespace

PointSummary::PointSummary(const SweepPlan& plan, const SweepLayout& layout,
                           const ChunkLayout& places,
                           const std::vector<circuits::ColumnClass>& classes)
    : plan_(plan), layout_(layout), places_(places), classes_(classes) {}

PointValues PointSummary::values(std::uint64_t point,
                                 const std::vector<ChunkResult>& results) const {
  const ChunkResult& first = results.front();
  const std::size_t rows = places_.classes;
  const double confidence = plan_.base().table.confidence;
  PointValues values;

  // What is counted adds up over chunks, but those of a class end with its last misread wanted.
  std::vector<std::uint64_t> sums(places_.integers, 0);
  const auto add = [&](const ChunkResult& result, std::size_t from, std::size_t size) {
    for (std::size_t i = from; i < from + size; ++i) sums[i] += result.integers[i];
  };
  for (const ChunkResult& result : results) {
    if (places_.has_rates && layout_.is_sampled) {
      for (std::size_t row = 0; row < rows; ++row) {
        if (layout_.misreads_wanted > 0) {
          if (sums[places_.last + row] > 0) continue;
          add(result, places_.last + row, 1);
        }
        add(result, places_.trials + row, 1);
        add(result, places_.misreads + row, 1);
        if (places_.has_table) add(result, places_.counts + row * places_.codes, places_.codes);
      }
    }
    if (places_.has_accuracy) add(result, places_.accuracy, accuracy_count);
  }

  const auto add_row = [&](std::size_t place) {
    values.integers.push_back(part(sums, place, rows));
  };
  Classes classes;
  classes.keys = classes_;
  if (places_.has_keys) {
    for (const std::size_t place : {places_.lrs_count, places_.active_rows, places_.present}) {
      values.integers.push_back(part(first.integers, place, rows));
    }
    classes.keys.clear();
    for (std::size_t row = 0; row < rows && first.integers[places_.present + row] == 1; ++row) {
      classes.keys.push_back(
          {static_cast<std::uint32_t>(first.integers[places_.lrs_count + row]),
           static_cast<std::uint32_t>(first.integers[places_.active_rows + row])});
    }
  }
  if (places_.has_table && !layout_.same_codes) {
    values.integers.push_back({first.integers[places_.code_count]});
  }
  if (places_.has_margin) {
    values.integers.push_back({first.integers[places_.gap]});
    for (std::size_t i = 0; i < margin_count; ++i) {
      values.numbers.push_back({first.numbers[places_.margins + i]});
    }
  }
  if (places_.has_rates) {
    const std::size_t count = classes.keys.size();
    Rates rates;
    if (!layout_.is_sampled) {
      rates = exact_rates(count, first.numbers.data() + places_.misread,
                          first.numbers.data() + places_.bound);
    } else {
      classes.trials = part(sums, places_.trials, rows);
      classes.misreads = part(sums, places_.misreads, rows);
      if (layout_.misreads_wanted > 0) {
        classes.last = part(sums, places_.last, rows);
        rates = stopped_rates(classes, plan_.key(point), layout_.misreads_wanted, confidence);
      } else {
        rates = equally_sampled_rates(classes, confidence);
      }
    }
    const circuits::ColumnClass worst = classes.keys[rates.worst_class];
    values.integers.push_back({worst.lrs_count});
    values.integers.push_back({worst.active_rows});
    append(values, rates.worst);
    append(values, rates.mean);
    if (layout_.is_sampled) {
      add_row(places_.trials);
      add_row(places_.misreads);
    } else {
      values.numbers.push_back(part(first.numbers, places_.misread, rows));
      values.numbers.push_back(part(first.numbers, places_.bound, rows));
    }
    if (layout_.misreads_wanted > 0) add_row(places_.last);
  }
  if (places_.has_table) {
    const std::size_t entries = rows * places_.codes;
    if (layout_.is_sampled) {
      values.integers.push_back(part(sums, places_.counts, entries));
    } else {
      values.numbers.push_back(part(first.numbers, places_.probability, entries));
      values.numbers.push_back(part(first.numbers, places_.entry_bound, rows));
    }
  }
  if (places_.has_accuracy) {
    for (std::size_t i = 0; i < accuracy_count; ++i) {
      values.integers.push_back({sums[places_.accuracy + i]});
    }
    const std::uint64_t* right = sums.data() + places_.accuracy;
    const AccuracyStatistics statistics =
        accuracy_statistics(AccuracySums{.images = right[0],
                                         .reads = plan_.base().accuracy.reads,
                                         .exact = right[1],
                                         .sampled = right[2],
                                         .squared = right[3],
                                         .sampled_exact = right[4]},
                            confidence);
    append(values, rate_of(statistics.sampled));
    append(values, rate_of(statistics.exact));
    append(values, rate_of(statistics.difference));
  }
  return values;
}

}  // namespace cimstat::experiments
