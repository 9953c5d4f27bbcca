#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "circuits/error_table.h"

#include "experiments/inference/aligned_vector.h"

/// Laws of few neighbouring codes, drawn with 16 bits.
namespace cimstat::experiments {

/// The law of one class: the first words[0] of the 65536 words of 16 bits mean code `first`, the
/// next words[1] the next code, and so on; the last ones escape.
struct StepLaw {
  static constexpr unsigned most_codes = 7;
  std::uint32_t first = 0;
  unsigned codes = 0;
  std::array<std::uint32_t, most_codes> words{};

  std::uint32_t escaping_words() const;
  /// Nothing where the word escapes.
  std::optional<std::uint32_t> code(std::uint32_t word) const;
};

/// The steps of all classes of a table: an inversion of the cumulated law that takes half the
/// random bits of an alias table and no address for each draw: where registers hold 128 bytes
/// (VBMI) or 64 numbers of 16 bits (AVX-512) to permute, 64 draws find their steps in them at once.
class CodeSteps {
 public:
  /// LRS counts are bytes.
  static constexpr std::uint32_t row_limit = 255;
  /// Words that may escape in a class.
  static constexpr std::uint32_t most_escaping = 64;

  /// The law of a class in units of 2^-62.
  using LawOf = std::function<std::vector<std::uint64_t>(std::size_t)>;
  /// Of each class the neighbouring codes of most probability, rounded down to whole words; all of
  /// 3, 5 or 7 at most, the fewest that do. Nothing where 7 are too few, more than row_limit rows
  /// are active or codes don't fit in bytes.
  static std::optional<CodeSteps> of(const circuits::ErrorTable& table, const LawOf& law_of);

  /// The number K of steps of each class: K codes at most.
  unsigned steps() const { return steps_; }
  const StepLaw& law(std::size_t i) const { return laws_[i]; }

  // A word above step j of a class means a code further than `first` + j; above all K it escapes.

  /// Bytes of the classes (0, n) .. (n, n), run(n) of each of: first code, upper and lower byte of
  /// step 0, of step 1, and so on.
  const std::uint8_t* bytes(std::uint32_t active_rows) const {
    assert(active_rows < byte_begin_.size());
    return bytes_.data() + byte_begin_[active_rows];
  }
  static constexpr std::uint32_t run(std::uint32_t active_rows) {
    return active_rows < 128 ? 128 : 256;
  }
  /// The same in numbers of 16 bits, number_run(n) of each of: first code, step 0, step 1, and so
  /// on.
  const std::uint16_t* numbers(std::uint32_t active_rows) const {
    assert(active_rows < number_begin_.size());
    return numbers_.data() + number_begin_[active_rows];
  }
  static constexpr std::uint32_t number_run(std::uint32_t active_rows) {
    return active_rows < 64 ? 64 : run(active_rows);
  }
  /// The same for plain loads: class (k, n) has the numbers from k entry_size() on: its steps and,
  /// last, its first code.
  const std::uint16_t* entries(std::uint32_t active_rows) const {
    assert(active_rows < entry_begin_.size());
    return entries_.data() + entry_begin_[active_rows];
  }
  std::size_t entry_size() const { return steps_ == 3 ? 4 : 8; }

 private:
  void lay_out(const circuits::ErrorTable& table);

  unsigned steps_ = 3;
  std::vector<StepLaw> laws_;
  std::vector<std::size_t> byte_begin_;    ///< [n]
  std::vector<std::size_t> number_begin_;  ///< [n]
  std::vector<std::size_t> entry_begin_;   ///< [n]
  AlignedVector<std::uint8_t> bytes_;
  AlignedVector<std::uint16_t> numbers_;
  AlignedVector<std::uint16_t> entries_;
};

}  // namespace cimstat::experiments
