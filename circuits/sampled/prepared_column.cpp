#include "circuits/sampled/prepared_column.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

#include "circuits/exact/cell_sum.h"

namespace cimstat::circuits {

namespace {

/// Logistic with mean 0 and standard deviation 1.
double logistic_quantile(core::Tail side, double probability) {
  const double scale = std::numbers::sqrt3 / std::numbers::pi;
  const double below = scale * (std::log(probability) - std::log1p(-probability));
  return side == core::Tail::lower ? below : -below;
}

double standard_normal_quantile(core::Tail side, double probability) {
  static const core::Law normal = core::Law::normal(0.0, 1.0);
  return normal.quantile(side, probability);
}

}  // namespace

PreparedLaw::PreparedLaw(core::Law law, Summation summation, std::uint32_t largest_count)
    : law_(std::move(law)), normal_(law_.as_normal()), summation_(summation) {
  possible_[0] = true;
  if (summation == Summation::per_cell || joins()) return;
  for (std::size_t i = 1; i < sum_sizes.size() && sum_sizes[i] <= largest_count; ++i) {
    possible_[i] = CellSum::possible(law_, sum_sizes[i]);
  }
}

bool PreparedLaw::joins() const {
  return normal_ && (normal_->sd == 0.0 || summation_ == Summation::block_tables);
}

double PreparedLaw::joined_variance(std::uint32_t count) const {
  return joins() ? count * law_.variance() : 0.0;
}

DrawCounts PreparedLaw::draws(std::uint32_t count) const {
  DrawCounts draws{};
  if (joins()) return draws;
  for (std::size_t i = sum_sizes.size(); i-- > 0;) {
    if (!possible_[i]) continue;
    draws[i] = count / sum_sizes[i];
    count %= sum_sizes[i];
  }
  return draws;
}

void PreparedLaw::build(std::size_t size_index, double unit, core::Threads threads) {
  const std::uint32_t count = sum_sizes[size_index];
  const double mean = count * law_.mean();
  if (count == 1) {
    tables_[size_index] = core::QuantileTable(law_, unit, mean, threads);
    return;
  }
  const CellSum sum(law_, count, threads);
  tables_[size_index] = core::QuantileTable(
      [&sum](core::Tail side, double p) { return sum.quantile(side, p); }, unit, mean, threads);
}

PreparedColumn::PreparedColumn(const ColumnDesign& design, std::span<const ColumnClass> classes,
                               const SamplingOptions& options, core::Threads threads)
    : design_(&design), key_(options.key), stream_(options.stream) {
  const core::Law none;
  for (const core::Law& law : {design.lrs, design.hrs, design.leakage.value_or(none),
                               design.dummy.value_or(none).scaled(-1.0)}) {
    laws_.emplace_back(law, options.summation, design.rows);
  }

  double spread = std::max(design.sense.offset_sd, design.sense.noise_sd);
  for (const PreparedLaw& law : laws_) spread = std::max(spread, law.sd());
  if (spread > 0.0) unit_ = std::exp2(std::ilogb(spread));

  std::array<DrawCounts, law_count> needed{};
  for (const ColumnClass& column_class : classes) {
    const std::array<std::uint32_t, law_count> count = counts(column_class);
    for (std::size_t i = 0; i < law_count; ++i) {
      const DrawCounts draws = laws_[i].draws(count[i]);
      for (std::size_t size = 0; size < sum_sizes.size(); ++size) needed[i][size] |= draws[size];
    }
  }
  std::vector<std::function<void()>> builds;
  for (std::size_t i = 0; i < law_count; ++i) {
    for (std::size_t size = 0; size < sum_sizes.size(); ++size) {
      if (needed[i][size] == 0) continue;
      builds.emplace_back([this, i, size, threads] { laws_[i].build(size, unit_, threads); });
    }
  }
  builds.emplace_back([this] { normal_ = core::QuantileTable(standard_normal_quantile, 1.0); });
  if (design.sense.noise_shape == NoiseShape::logistic) {
    builds.emplace_back([this] { logistic_ = core::QuantileTable(logistic_quantile, 1.0); });
  }
  core::for_each_block(builds.size(), threads,
                       [&](std::size_t build, std::size_t) { builds[build](); });
}

std::array<std::uint32_t, PreparedColumn::law_count> PreparedColumn::counts(
    ColumnClass column_class) const {
  const auto [k, n] = column_class;
  return {k, n - k, design_->leakage ? design_->rows - n : 0, design_->dummy ? n : 0};
}

std::vector<ScaledDraw> PreparedColumn::scaled_draws(ColumnClass column_class) const {
  const SenseAmplifier& sense = design_->sense;
  const std::array<std::uint32_t, law_count> count = counts(column_class);
  double cells = 0.0;  // of the cells that are summed beforehand
  for (std::size_t i = 0; i < law_count; ++i) {
    cells += laws_[i].joined_variance(count[i]);
  }
  const double offset = sense.offset_sd * sense.offset_sd;
  const double noise = sense.noise_sd * sense.noise_sd;
  const bool follows_current = std::isfinite(sense.noise_knee) && noise > 0.0;
  const bool logistic = sense.noise_shape == NoiseShape::logistic;

  std::vector<ScaledDraw> draws;
  const auto add = [&](const core::QuantileTable& table, double variance, double slope) {
    if (variance == 0.0 && slope == 0.0) return;
    draws.push_back({&table, static_cast<float>(variance / (unit_ * unit_)),
                     static_cast<float>(slope / unit_), Scaling::variance});
  };
  const double mean = mean_current(*design_, column_class);
  const double factor = design_->common_factor_sd;
  if (factor > 0.0) {
    // The factor sees the cells alone: those that are summed beforehand come before it.
    add(normal_, cells, 0.0);
    cells = 0.0;
    draws.push_back({&normal_, static_cast<float>(factor * mean / unit_),
                     static_cast<float>(factor), Scaling::factor});
  }
  if (follows_current) {
    // The noise sees the current of the cells alone: they come before it, the offset after.
    add(normal_, cells, 0.0);
    add(logistic ? logistic_ : normal_, noise * (1.0 + mean / sense.noise_knee),
        noise / sense.noise_knee);
    add(normal_, offset, 0.0);
  } else {
    add(normal_, cells + offset + (logistic ? 0.0 : noise), 0.0);
    if (logistic) add(logistic_, noise, 0.0);
  }
  return draws;
}

std::uint32_t PreparedColumn::words(ColumnClass column_class) const {
  const std::array<std::uint32_t, law_count> count = counts(column_class);
  auto words = static_cast<std::uint32_t>(scaled_draws(column_class).size());
  if (const auto decided = decisions(column_class)) words += decided->words();
  for (std::size_t i = 0; i < law_count; ++i) {
    for (const std::uint32_t draws : laws_[i].draws(count[i])) words += draws;
  }
  return words;
}

ColumnProgram PreparedColumn::program(ColumnClass column_class) const {
  ColumnProgram program;
  program.stream = stream_;
  const std::array<std::uint32_t, law_count> count = counts(column_class);
  for (std::size_t i = 0; i < law_count; ++i) {
    const DrawCounts draws = laws_[i].draws(count[i]);
    for (std::size_t size = 0; size < sum_sizes.size(); ++size) {
      if (draws[size] > 0) program.cells.push_back({&laws_[i].table(size), draws[size]});
    }
  }
  program.scaled = scaled_draws(column_class);
  program.decisions = decisions(column_class);
  const auto [k, n] = column_class;
  program.schedule =
      core::BlockSchedule(key_, core::Domain::column_sum, (std::uint64_t{n} * 2048 + k) << 16,
                          (program.words() + 3) / 4);
  return program;
}

std::optional<Decisions> PreparedColumn::decisions(ColumnClass column_class) const {
  const Comparator& comparator = design_->comparator;
  if (comparator.noise_sd == 0.0) return std::nullopt;
  return Decisions{.kind = comparator.kind,
                   .normal = &normal_,
                   .shared_sd = static_cast<float>(std::sqrt(comparator.shared_variance()) / unit_),
                   .sd = static_cast<float>(comparator.decision_sd() / unit_),
                   .references = references(column_class)};
}

std::vector<float> PreparedColumn::references(ColumnClass column_class) const {
  const double mean = mean_current(*design_, column_class);
  std::vector<float> references;
  for (const double reference : design_->ladder.at(column_class.active_rows)) {
    references.push_back(static_cast<float>((reference - mean) / unit_));
  }
  return references;
}

CodeSearch PreparedColumn::search(ColumnClass column_class) const {
  return CodeSearch(references(column_class));
}

}  // namespace cimstat::circuits
