#include "circuits/sampled/sampled_column.h"

#include <array>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/bit_line/line_reading.h"
#include "circuits/sampled/column_counter.h"
#include "circuits/sampled/column_kernel.h"
#include "circuits/sampled/prepared_column.h"

namespace cimstat::circuits {

void check_trials(std::uint64_t trials) {
  if (trials > core::instance_limit) {
    throw core::UsageError(core::error_line("table.trials",
                                            fmt::format("{} is out of range", trials),
                                            "the random-number contract numbers 2^48 trials"));
  }
}

std::vector<std::uint64_t> sampled_counts(const ColumnDesign& design,
                                          std::span<const ColumnClass> classes,
                                          const SamplingOptions& options, core::Threads threads,
                                          const core::Progress& progress) {
  check_trials(options.trials);
  return ColumnCounter(design, classes, options, threads)
      .counts({0, options.trials}, threads, progress);
}

CurrentSampler::CurrentSampler(const ColumnDesign& design, std::span<const ColumnClass> classes,
                               const SamplingOptions& options, core::Threads threads)
    : design_(design), trials_(options.trials) {
  check(design, classes);
  check_trials(options.trials);
  ColumnDesign before_comparators = design;
  before_comparators.comparator = {};
  column_ = std::make_unique<PreparedColumn>(before_comparators, classes, options, threads);
}

CurrentSampler::~CurrentSampler() = default;

std::vector<float> CurrentSampler::currents(ColumnClass column_class) const {
  std::vector<float> currents(trials_);
  sample_sums(column_->program(column_class), {0, trials_}, currents);
  const double mean = mean_reading(design_, column_class);
  for (float& current : currents) {
    current = static_cast<float>(mean + column_->unit() * static_cast<double>(current));
  }
  return currents;
}

std::vector<float> sampled_currents(const ColumnDesign& design, ColumnClass column_class,
                                    const SamplingOptions& options) {
  const std::array classes{column_class};
  return CurrentSampler(design, classes, options, core::Threads{1}).currents(column_class);
}

}  // namespace cimstat::circuits
