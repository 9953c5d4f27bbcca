#include "circuits/columns/frozen_pool.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

constexpr std::uint64_t blocks_of_a_plane = 256;  // row_limit / 4
static_assert(blocks_of_a_plane * 4 == row_limit);

double standard_logistic_quantile(core::Tail side, double probability) {
  const double scale = std::numbers::sqrt3 / std::numbers::pi;
  const double below = scale * (std::log(probability) - std::log1p(-probability));
  return side == core::Tail::lower ? below : -below;
}

/// The law of a cell's current without the noise of a read.
core::Law frozen_part(const core::Law& law) {
  std::vector<core::Component> components = law.components();
  for (core::Component& component : components) component.relative_noise = 0.0;
  return core::Law(std::move(components));
}

double relative_noise_of(const core::Law& law) {
  const double noise = law.components().front().relative_noise;
  for (const core::Component& component : law.components()) {
    if (component.relative_noise != noise) {
      throw core::UsageError(
          core::error_line("column", "its cells can't be frozen",
                           "their relative read noise depends on the conductance",
                           "write columns.frozen = \"offset\", or take a cell "
                           "model with one relative read noise"));
    }
  }
  return noise;
}

/// States of a row.
constexpr std::size_t unselected = 0;
constexpr std::size_t selected_lrs = 1;
constexpr std::size_t selected_hrs = 2;

/// Kinds of current: LRS, HRS, leakage, each in a state of its own, and dummy cells, in both states
/// of a selected row.
constexpr std::array<std::size_t, 3> state_of_kind = {selected_lrs, selected_hrs, unselected};
constexpr std::size_t dummy_kind = 3;

std::size_t state_of(const InputPattern& pattern, std::uint32_t row) {
  if (!pattern.active[row]) return unselected;
  return pattern.lrs[row] ? selected_lrs : selected_hrs;
}

void add_to_selected(const std::vector<TileRow>& plane, StateRows& states) {
  for (const std::size_t state : {selected_lrs, selected_hrs}) {
    for (std::size_t row = 0; row < plane.size(); ++row) {
      for (std::size_t c = 0; c < tile_columns; ++c) {
        states[state][row].column[c] += plane[row].column[c];
      }
    }
  }
}

std::uint32_t first_word(core::StreamKey key, core::Domain domain, std::uint64_t instance) {
  return core::philox4x32(core::counter_of(key, domain, instance, 0), core::key_of(key))[0];
}

/// Standard normal.
const core::QuantileTable& normal_table() {
  static const core::QuantileTable table(core::Law::normal(0.0, 1.0), 1.0);
  return table;
}

}  // namespace

double column_offset(core::StreamKey key, std::uint64_t column) {
  return static_cast<double>(normal_table()(first_word(key, core::Domain::column_offset, column)));
}

double die_factor(core::StreamKey key, std::uint64_t die, double sd) {
  const std::uint32_t word = first_word(key, core::Domain::die_factor, die);
  return 1.0 + static_cast<double>(static_cast<float>(sd) * normal_table()(word));
}

double die_factor_sd(const ColumnDesign& design) {
  return design.sense.gain_sd == 0.0 ? design.common_factor_sd : 0.0;
}

FrozenPool::FrozenPool(ColumnDesign design, PatternSet patterns, const PoolOptions& options,
                       core::Threads threads)
    : design_(std::move(design)), patterns_(std::move(patterns)), options_(options) {
  check(design_, patterns_.classes);
  ColumnDesign cells = design_;  // factors and converters are frozen as cells are
  cells.common_factor_sd = 0.0;
  cells.comparator.mismatch = {};
  require_plain_sum(cells, "a frozen pool");
  assert(patterns_.rows == design_.rows && options.columns_of_a_die > 0);

  double spread = std::max(design_.sense.offset_sd, design_.sense.noise_sd);
  std::vector<std::pair<std::size_t, core::Law>> laws{{0, design_.lrs}, {1, design_.hrs}};
  if (design_.leakage) laws.emplace_back(2, *design_.leakage);
  if (design_.dummy) laws.emplace_back(3, design_.dummy->scaled(-1.0));
  for (const auto& [kind, law] : laws) spread = std::max(spread, law.sd());
  if (spread > 0.0) unit_ = std::exp2(std::ilogb(spread));

  choices_ = row_choices();
  for (const auto& [kind, law] : laws) add_plane(kind, law);
  core::for_each_block(planes_.size(), threads, [&](std::size_t i, std::size_t) {
    const auto& [kind, law] = laws[i];
    const core::Law frozen = frozen_part(law);
    if (planes_[i].varies) {
      planes_[i].table = core::QuantileTable(frozen, unit_, frozen.mean(), threads);
    }
  });
  if (design_.sense.noise_shape == NoiseShape::logistic) {
    logistic_ = core::QuantileTable(standard_logistic_quantile, 1.0);
  }

  const double noise = design_.sense.noise_sd * design_.sense.noise_sd / (unit_ * unit_);
  for (const ColumnClass& column_class : patterns_.classes) {
    const double mean = mean_current(design_, column_class);
    std::vector<float> references;
    for (const double reference : design_.ladder.at(column_class.active_rows)) {
      references.push_back(static_cast<float>((reference - mean) / unit_));
    }
    const std::uint32_t ideal = design_.ladder.ideal_code(column_class.lrs_count);
    constexpr float infinity = std::numeric_limits<float>::infinity();
    ladders_.push_back({.search = CodeSearch(references),
                        .ideal_code = ideal,
                        .right_from = ideal > 0 ? references[ideal - 1] : -infinity,
                        .right_below = ideal < references.size() ? references[ideal] : infinity});
  }
  for (const InputPattern& pattern : patterns_.patterns) {
    const double mean = mean_current(design_, patterns_.classes[pattern.class_index]);
    reads_.push_back(
        {.mean = static_cast<float>(mean / unit_),
         .noise_variance = static_cast<float>(noise * (1.0 + mean / design_.sense.noise_knee)),
         .noise_slope = static_cast<float>(noise * unit_ / design_.sense.noise_knee),
         .class_index = static_cast<std::uint32_t>(pattern.class_index)});
  }
}

void FrozenPool::add_plane(std::size_t kind, const core::Law& law) {
  Plane plane;
  plane.kind = kind;
  plane.relative_noise = static_cast<float>(relative_noise_of(law));
  const core::Law frozen = frozen_part(law);
  plane.varies = frozen.variance() > 0.0;
  plane.mean = static_cast<float>(frozen.mean() / unit_);
  plane.schedule = core::BlockSchedule(options_.key, core::Domain::column_cells,
                                       blocks_of_a_plane * kind, (design_.rows + 3) / 4);
  has_read_noise_ |= plane.relative_noise > 0.0f;
  planes_.push_back(std::move(plane));
}

RowChoices FrozenPool::row_choices() const {
  constexpr std::array<std::uint8_t, rows_of_a_table> weights{1, row_states,
                                                              row_states * row_states};
  const std::uint32_t rows = patterns_.rows;
  const std::size_t patterns = patterns_.patterns.size();
  RowChoices choices;
  choices.blocks = (rows + rows_of_a_block - 1) / rows_of_a_block;
  choices.entries.assign(choices.blocks * patterns * tables_of_a_block, 0);
  for (std::size_t p = 0; p < patterns; ++p) {
    for (std::uint32_t row = 0; row < rows; ++row) {
      const std::size_t block = row / rows_of_a_block;
      const std::size_t table = row % rows_of_a_block / rows_of_a_table;
      std::uint8_t& entry = choices.entries[(block * patterns + p) * tables_of_a_block + table];
      entry = static_cast<std::uint8_t>(entry + weights[row % rows_of_a_table] *
                                                    state_of(patterns_.patterns[p], row));
    }
  }
  return choices;
}

std::size_t FrozenPool::tiles() const {
  return static_cast<std::size_t>((options_.columns + tile_columns - 1) / tile_columns);
}

std::size_t FrozenPool::columns_of(std::size_t tile) const {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(tile_columns, options_.columns - tile * tile_columns));
}

void FrozenPool::draw(std::size_t tile, Memory& memory) const {
  const std::uint64_t first = std::uint64_t{tile} * tile_columns;
  const std::size_t patterns = patterns_.patterns.size();
  const std::size_t rows = choices_.blocks * rows_of_a_block;
  memory.sums.assign(patterns, {});
  memory.variances.assign(has_read_noise_ ? patterns : 0, {});
  for (std::vector<TileRow>& values : memory.values) values.resize(rows);
  for (std::vector<TileRow>& values : memory.noises) values.resize(has_read_noise_ ? rows : 0);
  for (const Plane& plane : planes_) {
    const PlaneDraws draws{&plane.table, plane.schedule, design_.rows};
    if (plane.kind == dummy_kind) {
      // Behind the cells of both states, which it joins.
      memory.plane.assign(design_.rows, {});
      if (plane.varies) draw_plane(draws, first, memory.plane);
      add_to_selected(memory.plane, memory.values);
      if (!has_read_noise_) continue;
      square_plane(plane.relative_noise, plane.mean, memory.plane);
      add_to_selected(memory.plane, memory.noises);
      continue;
    }
    std::vector<TileRow>& values = memory.values[state_of_kind[plane.kind]];
    if (plane.varies) {
      draw_plane(draws, first, values);
    } else {
      std::fill(values.begin(), values.end(), TileRow{});
    }
    if (!has_read_noise_) continue;
    std::vector<TileRow>& noises = memory.noises[state_of_kind[plane.kind]];
    noises = values;
    square_plane(plane.relative_noise, plane.mean, std::span(noises).first(design_.rows));
  }
  add_rows(choices_, memory.values, memory.sums);
  if (has_read_noise_) add_rows(choices_, memory.noises, memory.variances);
  for (std::size_t i = 0; i < tile_columns; ++i) {
    const std::uint64_t column = first + i;
    float gain = 1.0f;
    if (design_.common_factor_sd > 0.0) {
      const bool own_gain = design_.sense.gain_sd > 0.0;
      const std::uint64_t die = own_gain ? column : column / options_.columns_of_a_die;
      gain = static_cast<float>(die_factor(options_.key, die, design_.common_factor_sd));
    }
    float offset = 0.0f;
    if (design_.sense.offset_sd > 0.0) {
      offset =
          static_cast<float>(design_.sense.offset_sd / unit_ * column_offset(options_.key, column));
    }
    memory.frozen.gain.column[i] = gain;
    memory.frozen.offset.column[i] = offset;
  }
}

FreshDraws FrozenPool::fresh_draws(std::uint32_t reads) const {
  const bool has_noise = design_.sense.noise_sd > 0.0;
  const bool logistic = design_.sense.noise_shape == NoiseShape::logistic;
  FreshDraws draws;
  draws.reads = reads;
  if (has_read_noise_ || (has_noise && !logistic)) draws.normal = &normal_table();
  if (has_noise && logistic) draws.logistic = &logistic_;
  const std::uint64_t words = std::uint64_t{reads} * reads_.size() * draws.words();
  draws.schedule = core::BlockSchedule(options_.key, core::Domain::column_noise, 0,
                                       static_cast<std::size_t>((words + 3) / 4));
  return draws;
}

}  // namespace cimstat::circuits
