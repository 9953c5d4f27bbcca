#include "experiments/inference/code_sampler.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

constexpr unsigned least_slot_bits = 4;
constexpr unsigned most_slot_bits = 6;
/// Probabilities as integers, in units of 2^-62.
constexpr int unit_bits = 62;

__extension__ using Wide = unsigned __int128;

/// One outcome of the first draw, in units of 2^-(16 + slot_bits).
struct Outcome {
  std::uint32_t code = 0;
  std::uint64_t mass = 0;
};

/// A class on its way to slots.
struct Split {
  std::vector<Outcome> outcomes;         ///< escape, where it has mass, is the last
  std::vector<std::uint64_t> remainder;  ///< [code], in units of 2^-62
  std::uint64_t escape_mass = 0;
};

std::vector<std::uint64_t> integer_row(const double* row, std::uint32_t codes,
                                       circuits::ColumnClass column_class) {
  std::vector<std::uint64_t> result(codes);
  double sum = 0.0;
  bool sound = true;
  for (std::uint32_t code = 0; code < codes; ++code) {
    sound = sound && std::isfinite(row[code]) && row[code] >= -1e-9 && row[code] <= 1.0 + 1e-9;
    sum += row[code];
  }
  if (!sound || std::abs(sum - 1.0) > 1e-9) {
    throw core::DataError(
        core::error_line("error table",
                         fmt::format("{} LRS cells among {} active rows: no distribution",
                                     column_class.lrs_count, column_class.active_rows),
                         fmt::format("its entries add up to {}", sum), "make the table again"));
  }
  for (std::uint32_t code = 0; code < codes; ++code) {
    const double scaled = std::ldexp(std::clamp(row[code], 0.0, 1.0), unit_bits);
    result[code] = static_cast<std::uint64_t>(std::nearbyint(scaled));
  }
  return result;
}

Split split(const std::vector<std::uint64_t>& probability, unsigned slot_bits) {
  const unsigned shift = static_cast<unsigned>(unit_bits) - (16 + slot_bits);
  const std::uint64_t total = std::uint64_t{1} << (16 + slot_bits);
  const std::size_t slots = std::size_t{1} << slot_bits;
  Split result;
  result.remainder = probability;
  std::uint64_t kept = 0;
  for (std::uint32_t code = 0; code < probability.size() && code < CodeSampler::escape; ++code) {
    const std::uint64_t mass = probability[code] >> shift;
    if (mass == 0) continue;
    result.outcomes.push_back({code, mass});
    kept += mass;
  }
  // Sums just above 1 can't happen by more than rounding (the row was checked), so kept <= total.
  assert(kept <= total);
  const bool all_fit = kept == total && result.outcomes.size() <= slots;
  if (!all_fit && result.outcomes.size() >= slots) {
    std::stable_sort(result.outcomes.begin(), result.outcomes.end(),
                     [](const Outcome& a, const Outcome& b) { return a.mass > b.mass; });
    result.outcomes.resize(slots - 1);
  }
  for (const Outcome& outcome : result.outcomes) {
    result.remainder[outcome.code] -= outcome.mass << shift;
  }
  result.escape_mass =
      total - std::accumulate(result.outcomes.begin(), result.outcomes.end(), std::uint64_t{0},
                              [](std::uint64_t sum, const Outcome& o) { return sum + o.mass; });
  if (result.escape_mass > 0) result.outcomes.push_back({CodeSampler::escape, result.escape_mass});
  return result;
}

/// Vose's construction. Exact: masses are integers that add up to 2^16 times the number of slots.
void make_slots(std::vector<Outcome> outcomes, std::uint32_t* slots, std::size_t count) {
  constexpr std::uint64_t full = 65536;
  outcomes.resize(count, {outcomes.front().code, 0});
  std::vector<std::size_t> small;
  std::vector<std::size_t> large;
  for (std::size_t i = 0; i < count; ++i) (outcomes[i].mass < full ? small : large).push_back(i);
  std::size_t slot = 0;
  while (!small.empty()) {
    const Outcome own = outcomes[small.back()];
    small.pop_back();
    Outcome& other = outcomes[large.back()];
    slots[slot++] = static_cast<std::uint32_t>(own.mass << 16 | other.code << 8 | own.code);
    other.mass -= full - own.mass;
    if (other.mass < full) {
      small.push_back(large.back());
      large.pop_back();
    }
  }
  for (const std::size_t i : large) slots[slot++] = outcomes[i].code << 8 | outcomes[i].code;
  assert(slot == count);
}

}  // namespace

CodeSampler::CodeSampler(const circuits::ErrorTable& table, Means means)
    : codes_(table.codes), code_step_(table.code_step), code_origin_(table.code_origin) {
  const std::size_t classes = table.size();
  const auto integers = [&](std::size_t i) {
    return integer_row(table.row(i), codes_, table.classes[i]);
  };
  residual_begin_.push_back(0);
  if (means == Means::steps) steps_ = CodeSteps::of(table, integers);
  if (steps_) {
    for (std::size_t i = 0; i < classes; ++i) {
      const StepLaw& law = steps_->law(i);
      std::vector<std::uint64_t> remainder = integers(i);
      for (unsigned j = 0; j < law.codes; ++j) {
        remainder[law.first + j] -= std::uint64_t{law.words[j]} << (unit_bits - 16);
      }
      add_residual(remainder, law.escaping_words() > 0);
    }
  } else {
    fill_slots(table);
  }

  for (std::size_t i = 0; i < classes; ++i) {
    const circuits::ColumnClass column_class = table.classes[i];
    if (column_class.active_rows >= lrs_counts_.size()) {
      first_class_.resize(column_class.active_rows + std::size_t{1}, 0);
      lrs_counts_.resize(column_class.active_rows + std::size_t{1}, 0);
    }
    std::uint32_t& count = lrs_counts_[column_class.active_rows];
    if (column_class.lrs_count == 0) first_class_[column_class.active_rows] = i;
    if (column_class.lrs_count == count) ++count;
  }
}

void CodeSampler::fill_slots(const circuits::ErrorTable& table) {
  const std::size_t classes = table.size();
  const auto integers = [&](std::size_t i) {
    return integer_row(table.row(i), codes_, table.classes[i]);
  };
  slot_bits_ = least_slot_bits;
  for (std::size_t i = 0; i < classes; ++i) {
    const std::vector<std::uint64_t> row = integers(i);
    while (slot_bits_ < most_slot_bits &&
           split(row, slot_bits_).escape_mass > std::uint64_t{1} << (16 + slot_bits_ - 10)) {
      ++slot_bits_;
    }
  }
  const std::size_t slots = std::size_t{1} << slot_bits_;
  slots_.resize(classes * slots);
  for (std::size_t i = 0; i < classes; ++i) {
    const Split parts = split(integers(i), slot_bits_);
    make_slots(parts.outcomes, slots_.data() + i * slots, slots);
    add_residual(parts.remainder, parts.escape_mass > 0);
  }
}

void CodeSampler::add_residual(const std::vector<std::uint64_t>& remainder, bool escapes) {
  if (escapes) {
    const std::uint64_t total =
        std::accumulate(remainder.begin(), remainder.end(), std::uint64_t{0});
    std::uint64_t sum = 0;
    for (std::uint32_t code = 0; code < codes_; ++code) {
      if (remainder[code] == 0) continue;
      sum += remainder[code];
      const Wide end = ((static_cast<Wide>(sum) << 64) + total / 2) / total;
      residual_.push_back({code, static_cast<std::uint64_t>(end)});
    }
  }
  residual_begin_.push_back(residual_.size());
}

std::optional<circuits::ColumnClass> CodeSampler::first_missing(std::uint32_t rows) const {
  for (std::uint32_t n = 1; n <= rows; ++n) {
    const std::uint32_t there = n < lrs_counts_.size() ? lrs_counts_[n] : 0;
    if (there <= n) return circuits::ColumnClass{there, n};
  }
  return std::nullopt;
}

std::size_t CodeSampler::index(circuits::ColumnClass column_class) const {
  assert(column_class.lrs_count <= column_class.active_rows);
  assert(column_class.active_rows < lrs_counts_.size());
  assert(column_class.lrs_count < lrs_counts_[column_class.active_rows]);
  return first_class_[column_class.active_rows] + column_class.lrs_count;
}

std::uint32_t CodeSampler::escaped_code(circuits::ColumnClass column_class,
                                        std::uint64_t word) const {
  const std::size_t i = index(column_class);
  const auto begin = residual_.begin() + static_cast<std::ptrdiff_t>(residual_begin_[i]);
  const auto end = residual_.begin() + static_cast<std::ptrdiff_t>(residual_begin_[i + 1]);
  // The last end is 2^64, kept as 0: it needs no comparison.
  return std::upper_bound(begin, end - 1, word,
                          [](std::uint64_t w, const Residual& r) { return w < r.end; })
      ->code;
}

std::optional<std::uint32_t> CodeSampler::first_draw(std::size_t i, std::uint32_t word) const {
  if (steps_) return steps_->law(i).code(word & 0xffff);
  const std::uint32_t slot_mask = (1U << slot_bits_) - 1;
  const std::uint32_t slot = slots_[(i << slot_bits_) + (word & slot_mask)];
  const std::uint32_t code = (word >> 16 < slot >> 16 ? slot : slot >> 8) & 0xff;
  return code == escape ? std::nullopt : std::optional(code);
}

std::uint32_t CodeSampler::code(circuits::ColumnClass column_class, std::uint32_t word,
                                std::uint64_t escape_word) const {
  const std::optional<std::uint32_t> code = first_draw(index(column_class), word);
  return code ? *code : escaped_code(column_class, escape_word);
}

CodeSampler::WordCounts CodeSampler::words_of_codes(std::size_t i) const {
  WordCounts words;
  if (steps_) {
    const StepLaw& law = steps_->law(i);
    for (unsigned j = 0; j < law.codes; ++j) words.of_code[law.first + j] = law.words[j];
    words.escaping = law.escaping_words();
    return words;
  }
  for (std::size_t s = i << slot_bits_; s < (i + 1) << slot_bits_; ++s) {
    const std::uint32_t threshold = slots_[s] >> 16;
    words.of_code[slots_[s] & 0xff] += threshold;
    words.of_code[(slots_[s] >> 8) & 0xff] += 65536 - threshold;
  }
  std::swap(words.of_code[escape], words.escaping);
  return words;
}

std::vector<long double> CodeSampler::implied(circuits::ColumnClass column_class) const {
  const std::size_t i = index(column_class);
  const WordCounts words = words_of_codes(i);
  const int bits = static_cast<int>(word_bits());
  std::vector<long double> result(codes_, 0.0L);
  for (std::uint32_t code = 0; code < std::min<std::size_t>(codes_, 256); ++code) {
    result[code] = std::ldexp(static_cast<long double>(words.of_code[code]), -bits);
  }
  std::uint64_t begin = 0;
  for (std::size_t r = residual_begin_[i]; r < residual_begin_[i + 1]; ++r) {
    const bool whole = residual_begin_[i + 1] - residual_begin_[i] == 1;
    const long double share =
        whole ? std::ldexp(1.0L, 64) : static_cast<long double>(residual_[r].end - begin);
    result[residual_[r].code] +=
        std::ldexp(static_cast<long double>(words.escaping) * share, -bits - 64);
    begin = residual_[r].end;
  }
  return result;
}

double CodeSampler::escape_probability(circuits::ColumnClass column_class) const {
  return std::ldexp(static_cast<double>(words_of_codes(index(column_class)).escaping),
                    -static_cast<int>(word_bits()));
}

}  // namespace cimstat::experiments
