#include "experiments/inference/parallel_codes.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"

#include "circuits/weights/weighted_count.h"

#include "experiments/inference/column_layer.h"

namespace cimstat::experiments {
namespace {

constexpr std::size_t most_classes = std::size_t{1} << 21;
constexpr std::size_t most_entries = std::size_t{1} << 26;  // half a gigabyte

/// What the classes of a network have in common.
struct Counts {
  std::uint32_t most_rows = 0;
  circuits::TieRule ties;
  bool has_sign = false;
  double zero_rows = 0.0;  ///< with a sign: rows in LRS whose reading is that of a sum of 0
};

Counts counts_of(const circuits::ColumnDesign& design, std::uint32_t most_rows,
                 const ArrayOptions& array) {
  Counts counts{.most_rows = most_rows, .ties = {array.ties, 0}};
  if (cell_values(array) != circuits::CellValues::signed_levels) return counts;
  counts.has_sign = true;
  counts.zero_rows = array.zero_value;
  // An even number of codes has none for 0.
  if (design.ladder.codes % 2 == 1) counts.ties.zero_code = (design.ladder.codes - 1) / 2;
  return counts;
}

[[noreturn]] void refuse(const ArrayOptions& array, const std::string& problem,
                         const std::string& why, const std::string& remedy) {
  const auto demand = count_demand(array);
  throw core::UsageError(
      core::error_line(fmt::format("accuracy.{}", demand ? demand->key : "input_bits_per_cycle"),
                       problem, why, remedy));
}

std::string demanded(const ArrayOptions& array) {
  const auto demand = count_demand(array);
  return demand ? demand->what : "weighted counts";
}

/// Laws of all classes of a span as a table of codes from each class's first one on.
struct Laws {
  circuits::ErrorTable table;
  std::vector<std::uint32_t> first_code;
};

Laws laws_of(const circuits::ColumnDesign& design, std::uint32_t span, const Counts& counts,
             const ArrayOptions& array, ParallelCodes::Errors errors) {
  const std::uint32_t most = counts.most_rows * span;
  // From class numbers to counts; with a sign those of zero_rows rows lie in the middle.
  const auto shift =
      counts.has_sign ? static_cast<std::int64_t>(counts.zero_rows * span) - std::int64_t{most / 2}
                      : std::int64_t{0};
  Laws laws;
  std::vector<std::vector<double>> rows;
  std::size_t widest = 1;
  for (std::uint32_t n = circuits::needs_levels(design) ? 1 : most; n <= most; ++n) {
    for (std::uint32_t k = 0; k <= n; ++k) {
      laws.table.classes.push_back({.lrs_count = k, .active_rows = n});
      circuits::CodeWindow window{
          circuits::ideal_weighted_code(design.ladder, span, k, counts.ties.ties), {1.0}};
      if (errors == ParallelCodes::Errors::drawn) {
        window = circuits::weighted_count_law(design, span, {k + shift, n}, counts.ties);
      }
      laws.first_code.push_back(window.first);
      widest = std::max(widest, window.probability.size());
      rows.push_back(std::move(window.probability));
    }
  }
  if (rows.size() * widest > most_entries) {
    refuse(array, fmt::format("{} laws of up to {} codes are too many", rows.size(), widest),
           "noise spreads over many codes of many counts", "use fewer bits, rows or codes");
  }
  laws.table.codes = static_cast<std::uint32_t>(widest);
  laws.table.probability.resize(rows.size() * widest);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy(rows[i].begin(), rows[i].end(),
              laws.table.probability.begin() + static_cast<std::ptrdiff_t>(i * widest));
  }
  return laws;
}

/// As results hold it: spans of binary cells are those of b bits.
std::string span_name(std::uint32_t span) {
  const auto bits = static_cast<std::uint32_t>(std::bit_width(span));
  return span == highest_level(bits) ? fmt::format("{} bits", bits) : fmt::format("span {}", span);
}

}  // namespace

void check_parallel_codes(const circuits::ColumnDesign& design,
                          std::span<const std::uint32_t> spans, std::uint32_t most_rows,
                          const ArrayOptions& array) {
  const auto demand = count_demand(array);
  if (const auto obstacle = circuits::weighted_count_obstacle(design, cell_values(array),
                                                              demand ? demand->others : "1 bit")) {
    refuse(array, fmt::format("{} can't be had of this column", demanded(array)), obstacle->why,
           obstacle->remedy);
  }
  const std::size_t widest = spans.empty() ? 1 : *std::max_element(spans.begin(), spans.end());
  const std::size_t most = most_rows * widest;
  const bool by_levels = circuits::needs_levels(design);
  const std::size_t classes = by_levels ? most * (most + 3) / 2 : most + 1;
  if (classes > most_classes) {
    refuse(array, fmt::format("{} on {} rows make {} classes", demanded(array), most_rows, classes),
           by_levels ? fmt::format("HRS or dummy cells conduct: the sum of all levels counts too; "
                                   "{} at most",
                                   most_classes)
                     : fmt::format("one for each count; {} at most", most_classes),
           "use fewer bits, lower accuracy.rows_per_read, or cells without HRS current");
  }
}

ParallelCodes::ParallelCodes(const circuits::ColumnDesign& design,
                             std::span<const std::uint32_t> spans, std::uint32_t most_rows,
                             const ArrayOptions& array, Errors errors)
    : codes_(design.ladder.codes),
      code_step_(design.ladder.code_step),
      code_origin_(design.ladder.code_origin),
      most_rows_(most_rows),
      by_levels_(circuits::needs_levels(design)),
      has_sign_(cell_values(array) == circuits::CellValues::signed_levels) {
  check_parallel_codes(design, spans, most_rows, array);
  const Counts counts = counts_of(design, most_rows, array);
  std::vector<std::uint32_t> ascending(spans.begin(), spans.end());
  std::sort(ascending.begin(), ascending.end());
  for (const std::uint32_t span : ascending) {
    Laws laws = laws_of(design, span, counts, array, errors);
    CodeSampler sampler(laws.table, CodeSampler::Means::slots);
    std::string hash = core::sha256(std::as_bytes(std::span(laws.first_code))) +
                       core::sha256(std::as_bytes(std::span(laws.table.probability)));
    spans_.push_back({span, std::move(sampler), std::move(laws.first_code), std::move(hash)});
  }
}

const ParallelCodes::OfSpan& ParallelCodes::of(std::uint32_t span) const {
  const auto found = std::find_if(spans_.begin(), spans_.end(),
                                  [span](const OfSpan& one) { return one.span == span; });
  assert(found != spans_.end());
  return *found;
}

std::vector<long double> ParallelCodes::implied(std::uint32_t span, std::int64_t value,
                                                std::uint32_t levels) const {
  const OfSpan& laws = of(span);
  const auto k = static_cast<std::uint32_t>(value + zero_class(span));
  const circuits::ColumnClass one{.lrs_count = k, .active_rows = class_rows(span, levels)};
  const std::vector<long double> window = laws.sampler.implied(one);
  const std::size_t place =
      (laws.sampler.first_slot(one.active_rows) >> laws.sampler.slot_bits()) + std::size_t{k};
  std::vector<long double> result(codes_, 0.0L);
  for (std::size_t i = 0; i < window.size() && laws.first_code[place] + i < codes_; ++i) {
    result[laws.first_code[place] + i] = window[i];
  }
  return result;
}

ParallelCodes::Lookup ParallelCodes::lookup(const ColumnRead& read, const WeightSlices& slices,
                                            std::uint32_t slice) const {
  const std::uint32_t span = highest_level(read.bits) * slices.span(slice);
  const OfSpan& laws = of(span);
  const std::uint32_t rows = class_rows(span, read.active_rows * slices.full(slice));
  const std::uint32_t first_slot = laws.sampler.first_slot(rows);
  return {.sampler = &laws.sampler,
          .slots = laws.sampler.slots() + first_slot,
          .first_code = laws.first_code.data() + (first_slot >> laws.sampler.slot_bits()),
          .slot_bits = laws.sampler.slot_bits(),
          .rows = rows,
          .zero = zero_class(span),
          .span = span};
}

void ParallelCodes::draw(const ColumnRead& read, const ColumnGroups& groups,
                         const WeightSlices& slices, const DrawOrigin& origin,
                         std::span<const std::uint32_t> words,
                         std::span<std::uint32_t> counts) const {
  const auto draw_vector = [&](const Lookup& laws, std::uint32_t vector) {
    const std::uint32_t slot_mask = (1U << laws.slot_bits) - 1;
    for (std::uint32_t lane = 0; lane < group_channels; ++lane) {
      const std::size_t i = std::size_t{vector} * group_channels + lane;
      const std::uint32_t count = counts[i] + laws.zero;  // from 0 up, also of a negative one
      const std::uint32_t word = words[i];
      // Packed as code_sampler.h says: threshold << 16 | other code << 8 | own code.
      const std::uint32_t slot = laws.slots[(count << laws.slot_bits) + (word & slot_mask)];
      std::uint32_t code = (word >> 16 < slot >> 16 ? slot : slot >> 8) & 0xff;
      if (code == CodeSampler::escape) {
        const std::uint64_t draw = draw_number(read.first_batch, vector, lane);
        code = laws.sampler->escaped_code({count, laws.rows}, escape_word(origin, draw));
      }
      counts[i] = (laws.first_code[count] + code) * laws.span;
    }
  };
  if (slices.count() == groups.planes) {  // all of one span
    const Lookup laws = lookup(read, slices, 0);
    for (std::uint32_t vector = 0; vector < groups.vectors(); ++vector) {
      if (read.planes.holds(vector % groups.planes)) draw_vector(laws, vector);
    }
    return;
  }
  for (std::uint32_t slice = 0; slice < slices.count(); ++slice) {
    const Lookup laws = lookup(read, slices, slice);
    for (std::uint32_t group = 0; group < groups.groups; ++group) {
      draw_vector(laws, group * groups.planes + slices.first_plane(slice));
    }
  }
}

std::string ParallelCodes::sha256(const std::string& text) const {
  std::string all = text;
  for (const OfSpan& one : spans_) all += fmt::format("\n{} {}", span_name(one.span), one.sha256);
  return core::sha256(all);
}

void ColumnLayer::draw_parallel(const ParallelCodes& codes, const DrawOrigin& origin,
                                std::optional<FastStream>& stream,
                                std::span<const ColumnRead> reads, Workspace& workspace,
                                std::span<std::int32_t> sums) const {
  const std::size_t read_words = groups_.batches() * batch_words;
  const std::span<std::uint32_t> words(workspace.words.data(), read_words);
  const std::span<std::uint32_t> counts(workspace.slots.data(),
                                        std::size_t{groups_.vectors()} * group_channels);
  for (const ColumnRead& read : reads) {
    if (stream) {
      stream->fill(words);
    } else {
      workspace.first_batches.assign(1, read.first_batch);
      fill_batches(origin, core::Domain::code_sampling, workspace.first_batches, groups_.batches(),
                   words);
    }
    count_lrs(read, groups_, counts);
    if (slices_.count() < groups_.planes) gather_slices(slices_, groups_, counts);
    codes.draw(read, groups_, slices_, origin, words, counts);
    add_codes(read, groups_, counts, sums);
  }
}

}  // namespace cimstat::experiments
