#pragma once

#include <cstdint>
#include <span>

#include "circuits/error_table.h"

#include "experiments/inference/array_options.h"

/// One code made of several reads of a column, and the tables that protected partial sums follow.
namespace cimstat::experiments {

inline constexpr std::uint32_t most_votes = 15;

/// What the votes (1 .. most_votes of them, reordered) decide; of VoteRule::mean their sum.
std::uint32_t voted_code(std::span<std::uint32_t> codes, VoteRule rule);

/// The law of voted_code for independent codes of each class of `table`: every read draws all that
/// the table's law holds afresh, what is frozen in a column included. With P the law of one read
/// and K votes:
/// - mode: sum over t of K!/t! P(c)^t [z^(K - t)] prod_{i < c} E_(t - 1)(P(i) z) prod_{i > c} E_t(
///   P(i) z), E_t the exponential series up to z^t: c has t votes, lower codes fewer, higher ones
///   no more.
/// - median: the order statistic number (K + 1) / 2 (rounded down), from the trinomial law of votes
///   below, at and above c, without differences.
/// - mean: the K-fold convolution, codes of a K-th of the step.
/// For sampling only: no bounds, counts or ideal codes.
circuits::ErrorTable voted_table(const circuits::ErrorTable& table, std::uint32_t votes,
                                 VoteRule rule);

/// The converter without errors: each class gives its ideal code.
circuits::ErrorTable faultless_table(const circuits::ErrorTable& table);

}  // namespace cimstat::experiments
