#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "circuits/error_table.h"

#include "experiments/inference/aligned_vector.h"

/// Draws codes from an error table: one 32-bit word a draw, with nothing lost for rare codes.
namespace cimstat::experiments {

/// Each class (k, n) of the table becomes an alias table (Walker 1977; Vose 1991) in integers. Its
/// 2^slot_bits slots are 32-bit words
///     threshold << 16 | other code << 8 | own code
/// and a word r picks slot r mod 2^slot_bits, then the own code where r >> 16 < threshold, else the
/// other one. Probabilities are rounded down to multiples of 2^-(16 + slot_bits); what remains is
/// the outcome `escape`, upon which a 64-bit word picks from the residual distribution (what the
/// rounding cut off, codes for which there was no slot, and codes from 255 up). The sampled law so
/// equals the table's to 2^-60 or so, in every code.
class CodeSampler {
 public:
  static constexpr std::uint32_t escape = 255;

  /// slot_bits is the smallest of 4, 5, 6 with which no class escapes in more than one draw of 1024
  /// (6 where none does). Throws DataError when a row of the table is no distribution (an entry
  /// below -1e-9 or not finite, a sum further than 1e-9 from 1).
  explicit CodeSampler(const circuits::ErrorTable& table);

  /// The first class with 1 .. `rows` active rows that the table lacks.
  std::optional<circuits::ColumnClass> first_missing(std::uint32_t rows) const;
  std::uint32_t codes() const { return codes_; }
  double code_step() const { return code_step_; }
  double code_origin() const { return code_origin_; }
  unsigned slot_bits() const { return slot_bits_; }
  const std::uint32_t* slots() const { return slots_.data(); }
  /// Where the slots of (0, n) begin; those of (1, n) .. (n, n) follow. The table must have these.
  std::uint32_t first_slot(std::uint32_t active_rows) const {
    return static_cast<std::uint32_t>(first_class_[active_rows] << slot_bits_);
  }
  /// The code that an escaped draw of a class ends in.
  std::uint32_t escaped_code(circuits::ColumnClass column_class, std::uint64_t word) const;
  /// The code of one draw: the reference for the vector code.
  std::uint32_t code(circuits::ColumnClass column_class, std::uint32_t word,
                     std::uint64_t escape_word) const;

  /// The law that `code` follows for uniform words, computed from the slots and the residual.
  std::vector<long double> implied(circuits::ColumnClass column_class) const;
  /// P(escape) of a class.
  double escape_probability(circuits::ColumnClass column_class) const;

 private:
  struct Residual {
    std::uint32_t code;
    std::uint64_t end;  ///< words below it, and not below the one before, mean this code; 0 = 2^64
  };
  std::size_t index(circuits::ColumnClass column_class) const;

  std::uint32_t codes_;
  double code_step_;
  double code_origin_;
  unsigned slot_bits_ = 4;
  std::vector<std::size_t> first_class_;   ///< [n]: index of (0, n)
  std::vector<std::uint32_t> lrs_counts_;  ///< [n]: k = 0 .. lrs_counts_[n] - 1 are there
  AlignedVector<std::uint32_t> slots_;
  std::vector<std::size_t> residual_begin_;  ///< [class], and one past the end
  std::vector<Residual> residual_;
};

}  // namespace cimstat::experiments
