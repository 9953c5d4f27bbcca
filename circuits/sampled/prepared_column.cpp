#include "circuits/sampled/prepared_column.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

#include "circuits/bit_line/line_reading.h"
#include "circuits/converters/ensemble.h"
#include "circuits/exact/cell_sum.h"

namespace cimstat::circuits {

namespace {

/// Logistic with mean 0 and standard deviation 1.
double logistic_quantile(core::Tail side, double probability) {
  const double scale = std::numbers::sqrt3 / std::numbers::pi;
  const double below = scale * (std::log(probability) - std::log1p(-probability));
  return side == core::Tail::lower ? below : -below;
}

/// Of one law.
std::uint32_t most_cells_in_a_row(const RowStates& rows) {
  std::ptrdiff_t most = 1;
  for (const RowStates::State& state : rows.states) {
    for (const std::uint32_t cell : state.cells) {
      most = std::max(most, std::count(state.cells.begin(), state.cells.end(), cell));
    }
  }
  return static_cast<std::uint32_t>(most);
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
    : design_(over_converters(design)), key_(options.key), stream_(options.stream) {
  const std::uint32_t most = design.rows * most_cells_in_a_row(design.row_states);
  for (const core::Law& law : laws_of(design)) {
    // Along a wire each cell has its place.
    const bool has_places = std::holds_alternative<WireResistance>(design.bit_line);
    laws_.emplace_back(law, has_places ? Summation::per_cell : options.summation, most);
  }

  double spread =
      is_ideal(design_.bit_line) ? std::max(design_.sense.offset_sd, design_.sense.noise_sd) : 0.0;
  for (const PreparedLaw& law : laws_) spread = std::max(spread, law.sd());
  if (spread > 0.0) unit_ = std::exp2(std::ilogb(spread));
  reading_unit_ = is_ideal(design.bit_line) ? unit_ : spread_of_readings();

  std::vector<DrawCounts> needed(laws_.size(), DrawCounts{});
  for (const ColumnClass& column_class : classes) {
    const std::vector<std::uint32_t> count = counts(column_class);
    for (std::size_t i = 0; i < laws_.size(); ++i) {
      const DrawCounts draws = laws_[i].draws(count[i]);
      for (std::size_t size = 0; size < sum_sizes.size(); ++size) needed[i][size] |= draws[size];
    }
  }
  std::vector<std::function<void()>> builds;
  for (std::size_t i = 0; i < laws_.size(); ++i) {
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

std::vector<std::uint32_t> PreparedColumn::counts(ColumnClass column_class) const {
  return counts_of(design_, column_class);
}

std::vector<ScaledDraw> PreparedColumn::scaled_draws(ColumnClass column_class) const {
  const SenseAmplifier& sense = design_.sense;
  const std::vector<std::uint32_t> count = counts(column_class);
  double cells = 0.0;  // of the cells that are summed beforehand
  for (std::size_t i = 0; i < laws_.size(); ++i) {
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
  const double mean = mean_current(design_, column_class);
  const double factor = design_.common_factor_sd;
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
  if (!is_ideal(design_.bit_line)) return program(column_class).words();
  const std::vector<std::uint32_t> count = counts(column_class);
  auto words = static_cast<std::uint32_t>(scaled_draws(column_class).size());
  if (const auto decided = decisions(column_class)) words += decided->words();
  for (std::size_t i = 0; i < laws_.size(); ++i) {
    for (const std::uint32_t draws : laws_[i].draws(count[i])) words += draws;
  }
  return words;
}

ColumnProgram PreparedColumn::program(ColumnClass column_class) const {
  ColumnProgram program;
  program.stream = stream_;
  if (is_ideal(design_.bit_line)) {
    const std::vector<std::uint32_t> count = counts(column_class);
    for (std::size_t i = 0; i < laws_.size(); ++i) add_cells(i, count[i], program.cells);
    program.scaled = scaled_draws(column_class);
  } else {
    add_line(column_class, program);
  }
  program.decisions = decisions(column_class);
  const bool binary = design_.row_states.empty();
  program.schedule = core::BlockSchedule(
      key_, binary ? core::Domain::column_sum : core::Domain::row_state_sum,
      class_number(column_class, design_.row_states.states.size()) << (binary ? 16 : 12),
      (program.words() + 3) / 4);
  return program;
}

std::optional<Decisions> PreparedColumn::decisions(ColumnClass column_class) const {
  const Comparator& comparator = design_.comparator;
  const bool makes_converters = circuit_reason(comparator).has_value();
  if (comparator.noise_sd == 0.0 && !makes_converters) return std::nullopt;
  Decisions decisions{
      .kind = comparator.kind,
      .normal = &normal_,
      .shared_sd = static_cast<float>(std::sqrt(comparator.shared_variance()) / reading_unit_),
      .sd = static_cast<float>(comparator.decision_sd() / reading_unit_),
      .references = references(column_class)};
  if (makes_converters) {
    decisions.circuit = std::make_shared<const ConverterCircuit>(
        comparator, design_.ladder.at(column_class.active_rows));
    decisions.mean = mean_reading(design_, column_class);
    decisions.unit = reading_unit_;
  }
  return decisions;
}

std::vector<float> PreparedColumn::references(ColumnClass column_class) const {
  const double mean = mean_reading(design_, column_class);
  std::vector<float> references;
  for (const double reference : design_.ladder.at(column_class.active_rows)) {
    references.push_back(static_cast<float>((reference - mean) / reading_unit_));
  }
  return references;
}

CodeSearch PreparedColumn::search(ColumnClass column_class) const {
  return CodeSearch(references(column_class));
}

}  // namespace cimstat::circuits
