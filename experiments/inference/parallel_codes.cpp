#include "experiments/inference/parallel_codes.h"

#include <algorithm>
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

[[noreturn]] void refuse(const std::string& problem, const std::string& why,
                         const std::string& remedy) {
  throw core::UsageError(core::error_line("accuracy.input_bits_per_cycle", problem, why, remedy));
}

/// Laws of all classes of a width as a table of codes from each class's first one on.
struct Laws {
  circuits::ErrorTable table;
  std::vector<std::uint32_t> first_code;
};

Laws laws_of(const circuits::ColumnDesign& design, std::uint32_t bits, std::uint32_t most_rows,
             ParallelCodes::Errors errors) {
  const std::uint32_t most = most_rows * highest_level(bits);
  Laws laws;
  std::vector<std::vector<double>> rows;
  std::size_t widest = 1;
  for (std::uint32_t n = circuits::needs_levels(design) ? 1 : most; n <= most; ++n) {
    for (std::uint32_t k = 0; k <= n; ++k) {
      laws.table.classes.push_back({.lrs_count = k, .active_rows = n});
      circuits::CodeWindow window{circuits::ideal_weighted_code(design.ladder, bits, k), {1.0}};
      if (errors == ParallelCodes::Errors::drawn) {
        window = circuits::weighted_count_law(design, bits, {k, n});
      }
      laws.first_code.push_back(window.first);
      widest = std::max(widest, window.probability.size());
      rows.push_back(std::move(window.probability));
    }
  }
  if (rows.size() * widest > most_entries) {
    refuse(fmt::format("{} laws of up to {} codes are too many", rows.size(), widest),
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

}  // namespace

void check_parallel_codes(const circuits::ColumnDesign& design,
                          std::span<const std::uint32_t> widths, std::uint32_t most_rows) {
  const std::uint32_t widest = widths.empty() ? 1 : *std::max_element(widths.begin(), widths.end());
  if (const auto obstacle = circuits::weighted_count_obstacle(design)) {
    refuse(fmt::format("{} bits at a time can't be had of this column", widest), obstacle->why,
           obstacle->remedy);
  }
  const std::size_t most = std::size_t{most_rows} * highest_level(widest);
  const std::size_t classes = circuits::needs_levels(design) ? most * (most + 3) / 2 : most + 1;
  if (classes > most_classes) {
    refuse(fmt::format("{} bits on {} rows make {} classes", widest, most_rows, classes),
           fmt::format("HRS or dummy cells conduct: the sum of all levels counts too; {} at most",
                       most_classes),
           "use fewer bits, lower accuracy.rows_per_read, or cells without HRS current");
  }
}

ParallelCodes::ParallelCodes(const circuits::ColumnDesign& design,
                             std::span<const std::uint32_t> widths, std::uint32_t most_rows,
                             Errors errors)
    : codes_(design.ladder.codes),
      code_step_(design.ladder.code_step),
      code_origin_(design.ladder.code_origin),
      most_rows_(most_rows),
      by_levels_(circuits::needs_levels(design)),
      widths_(most_input_bits + 1) {
  check_parallel_codes(design, widths, most_rows);
  for (const std::uint32_t bits : widths) {
    Laws laws = laws_of(design, bits, most_rows, errors);
    CodeSampler sampler(laws.table);
    std::string hash = core::sha256(std::as_bytes(std::span(laws.first_code))) +
                       core::sha256(std::as_bytes(std::span(laws.table.probability)));
    widths_[bits].emplace(Width{std::move(sampler), std::move(laws.first_code), std::move(hash)});
  }
}

std::vector<long double> ParallelCodes::implied(std::uint32_t bits, std::uint32_t value,
                                                std::uint32_t levels) const {
  const Width& of = width(bits);
  const circuits::ColumnClass one{.lrs_count = value, .active_rows = class_rows(bits, levels)};
  const std::vector<long double> window = of.sampler.implied(one);
  const std::size_t place =
      (of.sampler.first_slot(one.active_rows) >> of.sampler.slot_bits()) + std::size_t{value};
  std::vector<long double> result(codes_, 0.0L);
  for (std::size_t i = 0; i < window.size() && of.first_code[place] + i < codes_; ++i) {
    result[of.first_code[place] + i] = window[i];
  }
  return result;
}

void ParallelCodes::draw(const ColumnRead& read, const ColumnGroups& groups,
                         const DrawOrigin& origin, std::span<const std::uint32_t> words,
                         std::span<std::uint32_t> counts) const {
  const Width& of = width(read.bits);
  const CodeSampler& sampler = of.sampler;
  const unsigned slot_bits = sampler.slot_bits();
  const std::uint32_t slot_mask = (1U << slot_bits) - 1;
  const std::uint32_t rows = class_rows(read.bits, read.active_rows);
  const std::uint32_t* slots = sampler.slots() + sampler.first_slot(rows);
  const std::uint32_t* first_code = of.first_code.data() + (sampler.first_slot(rows) >> slot_bits);
  const std::uint32_t weight = highest_level(read.bits);
  for (std::uint32_t vector = 0; vector < groups.vectors(); ++vector) {
    if (!read.planes.holds(vector % groups.planes)) continue;
    for (std::uint32_t lane = 0; lane < group_channels; ++lane) {
      const std::size_t i = std::size_t{vector} * group_channels + lane;
      const std::uint32_t count = counts[i];
      const std::uint32_t word = words[i];
      // Packed as code_sampler.h says: threshold << 16 | other code << 8 | own code.
      const std::uint32_t slot = slots[(count << slot_bits) + (word & slot_mask)];
      std::uint32_t code = (word >> 16 < slot >> 16 ? slot : slot >> 8) & 0xff;
      if (code == CodeSampler::escape) {
        const std::uint64_t draw = draw_number(read.first_batch, vector, lane);
        code = sampler.escaped_code({count, rows}, escape_word(origin, draw));
      }
      counts[i] = (first_code[count] + code) * weight;
    }
  }
}

std::string ParallelCodes::sha256(const std::string& text) const {
  std::string all = text;
  for (std::uint32_t bits = 0; bits < widths_.size(); ++bits) {
    if (widths_[bits]) all += fmt::format("\n{} bits {}", bits, widths_[bits]->sha256);
  }
  return core::sha256(all);
}

void ColumnLayer::draw_parallel(const ParallelCodes& codes, const DrawOrigin& origin,
                                std::optional<FastStream>& stream, Workspace& workspace,
                                std::span<std::int32_t> sums) const {
  const std::size_t read_words = groups_.batches() * batch_words;
  const std::span<std::uint32_t> words(workspace.words.data(), read_words);
  const std::span<std::uint32_t> counts(workspace.slots.data(),
                                        std::size_t{groups_.vectors()} * group_channels);
  for (const ColumnRead& read : workspace.reads) {
    if (stream) {
      stream->fill(words);
    } else {
      workspace.first_batches.assign(1, read.first_batch);
      fill_batches(origin, core::Domain::code_sampling, workspace.first_batches, groups_.batches(),
                   words);
    }
    count_lrs(read, groups_, counts);
    codes.draw(read, groups_, origin, words, counts);
    add_codes(read, groups_, counts, sums);
  }
}

}  // namespace cimstat::experiments
