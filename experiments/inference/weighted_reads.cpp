#include "experiments/inference/weighted_reads.h"

#include <cassert>
#include <cstddef>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {

WeightSlices slices_of(std::uint32_t planes, const ArrayOptions& options) {
  if (options.weights == WeightMapping::native) return {planes, planes, true};
  return {planes, options.cell_bits, false};
}

void gather_slices(const WeightSlices& slices, const ColumnGroups& groups,
                   std::span<std::uint32_t> counts) {
  assert(slices.planes == groups.planes);
  for (std::uint32_t group = 0; group < groups.groups; ++group) {
    for (std::uint32_t slice = 0; slice < slices.count(); ++slice) {
      const std::size_t first = std::size_t{group} * groups.planes + slices.first_plane(slice);
      std::uint32_t* sum = counts.data() + first * group_channels;
      for (std::uint32_t bit = 1; bit < slices.bits(slice); ++bit) {
        std::uint32_t* plane = sum + std::size_t{bit} * group_channels;
        const bool is_negative = slices.has_sign && bit + 1 == slices.planes;
        const std::uint32_t factor = is_negative ? 0U - (1U << bit) : 1U << bit;
        for (std::uint32_t lane = 0; lane < group_channels; ++lane) {
          sum[lane] += factor * plane[lane];
          plane[lane] = 0;
        }
      }
    }
  }
}

bool reads_weighted_counts(const ArrayOptions& options) {
  return options.weights == WeightMapping::native || options.cell_bits > 1 ||
         options.input_bits_per_cycle > 1 || options.ties != circuits::Ties::up;
}

circuits::CellValues cell_values(const ArrayOptions& options) {
  if (options.weights == WeightMapping::native) return circuits::CellValues::signed_levels;
  return options.cell_bits > 1 ? circuits::CellValues::levels : circuits::CellValues::binary;
}

std::optional<CountDemand> count_demand(const ArrayOptions& options) {
  if (options.weights == WeightMapping::native) {
    return CountDemand{"weights",
                       "\"native\"",
                       "\"twos_complement\"",
                       "\"native\" weights",
                       "one bit of a weight in a column",
                       "other weights"};
  }
  if (options.cell_bits > 1) {
    return CountDemand{"cell_bits",
                       fmt::format("{}", options.cell_bits),
                       "1",
                       fmt::format("cells of {} bits", options.cell_bits),
                       "one bit of a weight in a column",
                       "1 bit"};
  }
  if (options.input_bits_per_cycle > 1) {
    return CountDemand{"input_bits_per_cycle",
                       fmt::format("{}", options.input_bits_per_cycle),
                       "1",
                       fmt::format("{} bits at a time", options.input_bits_per_cycle),
                       "rows that are on or off",
                       "1 bit"};
  }
  if (options.ties != circuits::Ties::up) {
    return CountDemand{"ties",      "\"even\"",        "\"up\"",
                       "even ties", "ties that go up", "ties = \"up\""};
  }
  return std::nullopt;
}

void require_plain_reads(const ArrayOptions& options, std::string_view what) {
  const auto demand = count_demand(options);
  if (!demand) return;
  throw core::UsageError(core::error_line(fmt::format("accuracy.{}", demand->key),
                                          fmt::format("{} has no place here", demand->given),
                                          fmt::format("{} knows {}", what, demand->fact),
                                          fmt::format("write {}, or leave it out", demand->plain)));
}

void check_weighted_reads(const ArrayOptions& options) {
  if (options.cell_bits > 1 && options.weights != WeightMapping::differential) {
    throw core::UsageError(
        core::error_line("accuracy.cell_bits", fmt::format("is {}", options.cell_bits),
                         "such cells hold digits of magnitudes, which differential weights have",
                         "write weights = \"differential\", or 1 bit"));
  }
  const auto demand = count_demand(options);
  if (!demand || options.diagonals.count == 0) return;
  if (cell_values(options) != circuits::CellValues::binary) {
    throw core::UsageError(core::error_line(
        "accuracy.protected_diagonals", fmt::format("has no place beside {}", demand->what),
        "pairs of bits are protected, and a conversion holds several of a weight", "leave it out"));
  }
  if (options.diagonals.kind != Protection::vote) return;
  throw core::UsageError(core::error_line(
      "accuracy.protection", fmt::format("\"vote\" has no place beside {}", demand->what),
      fmt::format("votes know {}", demand->fact), "protect by \"digital\" or \"converter\""));
}

}  // namespace cimstat::experiments
