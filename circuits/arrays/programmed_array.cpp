#include "circuits/arrays/programmed_array.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

/// Rows of a tile that one worker takes at a time.
constexpr std::size_t block_rows = 128;

}  // namespace

void program(const LevelTables& tables, const LevelPlane& levels, const ArrayPlace& place,
             core::Threads threads, ArrayPlane& values, core::Domain domain, Negatives negatives) {
  const ArrayShape shape = levels.shape();
  check(place, shape);
  if (levels.highest() >= tables.levels()) {
    throw core::UsageError(core::error_line(
        "array", fmt::format("a cell has level {}", levels.highest()),
        fmt::format("the levels are 0 to {}", tables.levels() - 1), "use one of these"));
  }
  if (values.shape() != shape) values = ArrayPlane(shape);
  const core::BlockSchedule schedule(place.key, domain, 0, (std::size_t{shape.rows} + 3) / 4);
  const LevelDraws draws{&tables, &schedule, negatives};
  const std::size_t parts = (shape.rows + block_rows - 1) / block_rows;
  core::for_each_block(shape.tiles() * parts, threads, [&](std::size_t block, std::size_t) {
    const std::size_t tile = block / parts;
    const std::size_t first = block % parts * block_rows;
    const std::size_t rows = std::min(block_rows, shape.rows - first);
    draw_levels(draws, place.first_instance(tile), first, levels.tile(tile).subspan(first, rows),
                values.tile(tile).subspan(first, rows));
  });
}

}  // namespace cimstat::circuits
