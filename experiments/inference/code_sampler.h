#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "circuits/error_table.h"

#include "experiments/inference/aligned_vector.h"
#include "experiments/inference/code_steps.h"

/// Draws codes from an error table: 16 or 32 bits a draw, with nothing lost for rare codes.
namespace cimstat::experiments {

/// Where 7 neighbouring codes hold all but a thousandth of each class (k, n), a draw takes 16 bits:
/// CodeSteps.
///
/// Elsewhere a class becomes an alias table (Walker 1977; Vose 1991) in integers, and a draw takes
/// 32 bits. Its 2^slot_bits slots are 32-bit words
///     threshold << 16 | other code << 8 | own code
/// and a word r picks slot r mod 2^slot_bits, then the own code where r >> 16 < threshold, else the
/// other one.
///
/// Either way probabilities are rounded down to multiples of 2^-word_bits(), and what remains is
/// the outcome `escape`, upon which a 64-bit word picks from the residual distribution (what the
/// rounding cut off, codes for which there was no step or slot, and of slots codes from 255 up).
/// The sampled law so equals the table's to 2^-60 or so, in every code.
class CodeSampler {
 public:
  static constexpr std::uint32_t escape = 255;  ///< in slots
  /// Which codes words mean: of steps where there are any, or of slots in any case.
  enum class Means { steps, slots };

  /// slot_bits is the smallest of 4, 5, 6 with which no class escapes in more than one draw of 1024
  /// (6 where none does). Throws DataError when a row of the table is no distribution (an entry
  /// below -1e-9 or not finite, a sum further than 1e-9 from 1).
  explicit CodeSampler(const circuits::ErrorTable& table, Means means = Means::steps);

  /// The first class with 1 .. `rows` active rows that the table lacks.
  std::optional<circuits::ColumnClass> first_missing(std::uint32_t rows) const;
  std::uint32_t codes() const { return codes_; }
  double code_step() const { return code_step_; }
  double code_origin() const { return code_origin_; }
  /// Random bits of a draw that does not escape.
  unsigned word_bits() const { return steps_ ? 16 : 16 + slot_bits_; }
  /// Null where draws take slots.
  const CodeSteps* steps() const { return steps_ ? &*steps_ : nullptr; }
  // Slots are there where steps are not.
  unsigned slot_bits() const { return slot_bits_; }
  const std::uint32_t* slots() const { return slots_.data(); }
  /// Where the slots of (0, n) begin; those of (1, n) .. (n, n) follow. The table must have these.
  std::uint32_t first_slot(std::uint32_t active_rows) const {
    return static_cast<std::uint32_t>(first_class_[active_rows] << slot_bits_);
  }
  /// The code that an escaped draw of a class ends in.
  std::uint32_t escaped_code(circuits::ColumnClass column_class, std::uint64_t word) const;
  /// The code of one draw: the reference for the vector code. Of steps the lower 16 bits of `word`
  /// count.
  std::uint32_t code(circuits::ColumnClass column_class, std::uint32_t word,
                     std::uint64_t escape_word) const;

  /// Whether a word takes a second one.
  bool escapes(circuits::ColumnClass column_class, std::uint32_t word) const {
    return !first_draw(index(column_class), word);
  }

  /// The law that `code` follows for uniform words, computed from the steps or slots and the
  /// residual.
  std::vector<long double> implied(circuits::ColumnClass column_class) const;
  /// P(escape) of a class.
  double escape_probability(circuits::ColumnClass column_class) const;

 private:
  struct Residual {
    std::uint32_t code;
    std::uint64_t end;  ///< words below it, and not below the one before, mean this code; 0 = 2^64
  };
  std::size_t index(circuits::ColumnClass column_class) const;
  /// Nothing where the word escapes.
  std::optional<std::uint32_t> first_draw(std::size_t i, std::uint32_t word) const;
  /// 2^word_bits() words: those of each code, and those that escape.
  struct WordCounts {
    std::array<std::uint64_t, 256> of_code{};
    std::uint64_t escaping = 0;
  };
  WordCounts words_of_codes(std::size_t i) const;
  void fill_slots(const circuits::ErrorTable& table);
  void add_residual(const std::vector<std::uint64_t>& remainder, bool escapes);

  std::uint32_t codes_;
  double code_step_;
  double code_origin_;
  std::optional<CodeSteps> steps_;
  unsigned slot_bits_ = 4;
  std::vector<std::size_t> first_class_;   ///< [n]: index of (0, n)
  std::vector<std::uint32_t> lrs_counts_;  ///< [n]: k = 0 .. lrs_counts_[n] - 1 are there
  AlignedVector<std::uint32_t> slots_;
  std::vector<std::size_t> residual_begin_;  ///< [class], and one past the end
  std::vector<Residual> residual_;
};

}  // namespace cimstat::experiments
