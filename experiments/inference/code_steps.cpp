#include "experiments/inference/code_steps.h"

#include <algorithm>
#include <numeric>

namespace cimstat::experiments {
namespace {

constexpr std::uint32_t all_words = 65536;
constexpr std::size_t most_codes = 256;  // a byte's

/// Whole words of each code.
std::vector<std::uint32_t> whole_words(const std::vector<std::uint64_t>& probability) {
  std::vector<std::uint32_t> words(probability.size());
  for (std::size_t code = 0; code < words.size(); ++code) {
    words[code] = static_cast<std::uint32_t>(probability[code] >> (62 - 16));
  }
  return words;
}

/// The `most` neighbours with the most words.
StepLaw best_window(const std::vector<std::uint32_t>& words, unsigned most) {
  const std::size_t width = std::min<std::size_t>(most, words.size());
  std::uint32_t sum = std::accumulate(words.data(), words.data() + width, std::uint32_t{0});
  std::uint32_t largest = sum;
  std::size_t first = 0;
  for (std::size_t next = width; next < words.size(); ++next) {
    sum += words[next] - words[next - width];
    if (sum <= largest) continue;
    largest = sum;
    first = next - width + 1;
  }
  StepLaw law;
  // A step stands below the first word above it: there is none below 0 words.
  std::size_t begin = first;
  while (begin + 1 < first + width && words[begin] == 0) ++begin;
  law.first = static_cast<std::uint32_t>(begin);
  for (std::size_t code = begin; code < first + width; ++code) law.words[law.codes++] = words[code];
  while (law.codes > 1 && law.words[law.codes - 1] == 0) --law.codes;
  return law;
}

}  // namespace

std::uint32_t StepLaw::escaping_words() const {
  return all_words - std::accumulate(words.begin(), words.begin() + codes, std::uint32_t{0});
}

std::optional<std::uint32_t> StepLaw::code(std::uint32_t word) const {
  std::uint32_t end = 0;
  for (unsigned i = 0; i < codes; ++i) {
    end += words[i];
    if (word < end) return first + i;
  }
  return std::nullopt;
}

std::optional<CodeSteps> CodeSteps::of(const circuits::ErrorTable& table, const LawOf& law_of) {
  if (table.codes > most_codes) return std::nullopt;
  CodeSteps result;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.classes[i].active_rows > row_limit) return std::nullopt;
    const std::vector<std::uint32_t> words = whole_words(law_of(i));
    StepLaw law = best_window(words, result.steps_);
    while (law.escaping_words() > most_escaping && result.steps_ < StepLaw::most_codes) {
      result.steps_ += 2;
      law = best_window(words, result.steps_);
    }
    if (law.escaping_words() > most_escaping) return std::nullopt;
    result.laws_.push_back(law);
  }
  result.lay_out(table);
  return result;
}

void CodeSteps::lay_out(const circuits::ErrorTable& table) {
  std::uint32_t most_rows = 0;
  for (const circuits::ColumnClass& c : table.classes) {
    most_rows = std::max(most_rows, c.active_rows);
  }
  byte_begin_.resize(most_rows + std::size_t{1}, 0);
  number_begin_.resize(most_rows + std::size_t{1}, 0);
  entry_begin_.resize(most_rows + std::size_t{1}, 0);
  std::vector<bool> is_there(most_rows + std::size_t{1}, false);
  for (const circuits::ColumnClass& c : table.classes) is_there[c.active_rows] = true;
  for (std::uint32_t n = 0; n <= most_rows; ++n) {
    byte_begin_[n] = bytes_.size();
    number_begin_[n] = numbers_.size();
    entry_begin_[n] = entries_.size();
    if (!is_there[n]) continue;
    bytes_.resize(bytes_.size() + std::size_t{1 + 2 * steps_} * run(n), 0);
    numbers_.resize(numbers_.size() + std::size_t{1 + steps_} * number_run(n), 0);
    entries_.resize(entries_.size() + entry_size() * (n + 1), 0);
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::uint32_t k = table.classes[i].lrs_count;
    const std::uint32_t n = table.classes[i].active_rows;
    const StepLaw& law = laws_[i];
    std::uint8_t* bytes = bytes_.data() + byte_begin_[n] + k;
    std::uint16_t* numbers = numbers_.data() + number_begin_[n] + k;
    std::uint16_t* entry = entries_.data() + entry_begin_[n] + k * entry_size();
    bytes[0] = static_cast<std::uint8_t>(law.first);
    numbers[0] = static_cast<std::uint16_t>(law.first);
    entry[entry_size() - 1] = static_cast<std::uint16_t>(law.first);
    std::uint32_t end = 0;
    for (unsigned j = 0; j < entry_size() - 1; ++j) {
      if (j < law.codes) end += law.words[j];
      // Steps beyond the last code stand where that one ends, so that what passes it passes all.
      const std::uint32_t step = end - 1;
      entry[j] = static_cast<std::uint16_t>(step);
      if (j >= steps_) continue;
      numbers[(1 + j) * number_run(n)] = entry[j];
      bytes[(1 + 2 * j) * run(n)] = static_cast<std::uint8_t>(step >> 8);
      bytes[(2 + 2 * j) * run(n)] = static_cast<std::uint8_t>(step & 0xff);
    }
  }
}

}  // namespace cimstat::experiments
