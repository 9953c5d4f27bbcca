#include "circuits/arrays/drifting_array.h"

#include <algorithm>
#include <cassert>
#include <numbers>
#include <utility>

#include "circuits/arrays/drift_kernel.h"
#include "circuits/arrays/programmed_array.h"

namespace cimstat::circuits {

namespace {

/// Rows of a tile that one worker takes at a time.
constexpr std::size_t block_rows = 128;

LevelTables tables_of(const std::vector<DriftingLevel>& levels, core::Normal DriftingLevel::*part,
                      core::Threads threads) {
  std::vector<core::Law> laws;
  for (const DriftingLevel& level : levels) {
    const core::Normal& normal = level.*part;
    laws.push_back(core::Law::normal(normal.mean, normal.sd));
  }
  return LevelTables(laws, threads);
}

/// body(tile, first row, rows)
template <class Body>
void for_row_blocks(ArrayShape shape, core::Threads threads, const Body& body) {
  const std::size_t parts = (shape.rows + block_rows - 1) / block_rows;
  core::for_each_block(shape.tiles() * parts, threads, [&](std::size_t block, std::size_t) {
    const std::size_t first = block % parts * block_rows;
    body(block / parts, first, std::min(block_rows, shape.rows - first));
  });
}

DriftingRows rows_of(const DriftingArray& array, std::size_t tile, std::size_t first,
                     std::size_t rows) {
  return {array.programmed.tile(tile).subspan(first, rows),
          array.exponent.tile(tile).subspan(first, rows),
          array.quality.tile(tile).subspan(first, rows)};
}

DriftTime time_of(DriftMoment moment) {
  return {static_cast<float>(moment.logarithm * std::numbers::log2e),
          static_cast<float>(moment.noise_factor)};
}

}  // namespace

DriftingCells::DriftingCells(const std::vector<DriftingLevel>& levels, const StateNoise& noise,
                             core::Threads threads)
    : programmed_(tables_of(levels, &DriftingLevel::programmed, threads)),
      exponents_(tables_of(levels, &DriftingLevel::exponent, threads)),
      quality_(noise.quality, noise.low, noise.high) {}

DriftingCells::DriftingCells(const std::vector<DriftingLevel>& levels,
                             std::vector<float> quality_of_levels, core::Threads threads)
    : programmed_(tables_of(levels, &DriftingLevel::programmed, threads)),
      exponents_(tables_of(levels, &DriftingLevel::exponent, threads)),
      quality_of_levels_(std::move(quality_of_levels)) {
  assert(quality_of_levels_.size() == levels.size());
}

void program(const DriftingCells& cells, const LevelPlane& levels, const ArrayPlace& place,
             core::Threads threads, DriftingArray& array) {
  const ArrayShape shape = levels.shape();
  array.place = place;
  program(cells.programmed(), levels, place, threads, array.programmed, core::Domain::programming,
          Negatives::raised_to_zero);
  program(cells.exponents(), levels, place, threads, array.exponent, core::Domain::drift,
          Negatives::mirrored);
  if (array.quality.shape() != shape) array.quality = ArrayPlane(shape);
  for_row_blocks(shape, threads, [&](std::size_t tile, std::size_t first, std::size_t rows) {
    const std::span<TileRow> quality = array.quality.tile(tile).subspan(first, rows);
    if (cells.quality_of_levels().empty()) {
      apply_curve(cells.quality(), array.programmed.tile(tile).subspan(first, rows), quality);
      return;
    }
    for (std::size_t row = 0; row < rows; ++row) {
      const SlotRow& slots = levels.tile(tile)[first + row];
      for (std::size_t c = 0; c < tile_columns; ++c) {
        quality[row].column[c] = cells.quality_of_levels()[LevelTables::level_of(slots.column[c])];
      }
    }
  });
}

void drift(const DriftingArray& array, DriftMoment moment, core::Threads threads, NoisyArray& now) {
  const ArrayShape shape = array.programmed.shape();
  if (now.conductance.shape() != shape) now.conductance = ArrayPlane(shape);
  if (now.noise_sd.shape() != shape) now.noise_sd = ArrayPlane(shape);
  for_row_blocks(shape, threads, [&](std::size_t tile, std::size_t first, std::size_t rows) {
    drift_rows(rows_of(array, tile, first, rows), time_of(moment),
               now.conductance.tile(tile).subspan(first, rows),
               now.noise_sd.tile(tile).subspan(first, rows));
  });
}

void read(const DriftingArray& array, DriftMoment moment, std::uint64_t read, core::Threads threads,
          ArrayPlane& values) {
  const ArrayShape shape = array.programmed.shape();
  assert(read < product_limit);
  if (values.shape() != shape) values = ArrayPlane(shape);
  const core::BlockSchedule schedule(array.place.key, core::Domain::array_read,
                                     read * (array_row_limit / 4),
                                     (std::size_t{shape.rows} + 3) / 4);
  for_row_blocks(shape, threads, [&](std::size_t tile, std::size_t first, std::size_t rows) {
    read_drifted_rows(rows_of(array, tile, first, rows), time_of(moment), standard_normal_table(),
                      schedule, array.place.first_instance(tile), first,
                      values.tile(tile).subspan(first, rows));
  });
}

}  // namespace cimstat::circuits
