#include "circuits/arrays/level_tables.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/arrays/array_plane.h"

namespace cimstat::circuits {

namespace {

constexpr std::size_t segment_of(float t) {
  return std::bit_cast<std::uint32_t>(t) >> core::QuantileTable::index_shift;
}
constexpr std::size_t first_used = segment_of(0.5f);
constexpr std::size_t used = segment_of(0x1p31f) - first_used + 1;
constexpr std::size_t side_stride = segment_of(-0.5f) - first_used;

void check_count(std::size_t levels) {
  if (levels > 0 && levels <= array_level_limit) return;
  throw core::UsageError(core::error_line("array", fmt::format("can't have {} levels", levels),
                                          fmt::format("1 to {} are possible", array_level_limit),
                                          "use fewer"));
}

std::vector<core::QuantileTable> tables_of(std::span<const core::Law> laws, core::Threads threads) {
  check_count(laws.size());
  std::vector<core::QuantileTable> tables(laws.size());
  core::for_each_block(laws.size(), threads, [&](std::size_t level, std::size_t) {
    tables[level] = core::QuantileTable(laws[level], 1.0, 0.0, threads);
  });
  return tables;
}

}  // namespace

LevelTables::LevelTables(std::span<const core::Law> laws, core::Threads threads)
    : LevelTables(tables_of(laws, threads)) {}

LevelTables::LevelTables(std::vector<core::QuantileTable> tables) : tables_(std::move(tables)) {
  // Tables of a group lie between the two sides of its first one, and the next group behind it.
  static_assert(used <= level_stride);
  static_assert((group_levels - 1) * level_stride + used <= side_stride);
  static_assert((group_levels - 1) * level_stride + side_stride + used <= group_stride);
  static_assert(level_stride % (1U << slot_shift) == 0 && group_stride % (1U << slot_shift) == 0);
  static_assert(slot(array_level_limit - 1) > slot(array_level_limit - 2));
  check_count(tables_.size());
  const std::size_t last = std::size_t{slot(tables_.size() - 1)} << slot_shift;
  const std::size_t group = last / group_stride * group_stride;
  segments_.resize(group + group_stride + first_used + side_stride, {0.0f, 0.0f});
  for (std::size_t level = 0; level < tables_.size(); ++level) {
    const std::size_t start = std::size_t{slot(level)} << slot_shift;
    for (const std::size_t from : {first_used, first_used + side_stride}) {
      std::copy_n(tables_[level].segments().begin() + static_cast<std::ptrdiff_t>(from), used,
                  segments_.begin() + static_cast<std::ptrdiff_t>(start + from));
    }
  }
}

const core::QuantileTable& standard_normal_table() {
  static const core::QuantileTable table(core::Law::normal(0.0, 1.0), 1.0);
  return table;
}

}  // namespace cimstat::circuits
