#pragma once

#include <cstddef>
#include <span>
#include <vector>

/// How an array finds out how far its cells have drifted, by reading a fixed pattern of inputs when
/// it was programmed and again. Outputs are in units of their full scale, pattern by pattern:
/// outputs[pattern * columns + column]. Multiply later outputs by the factor, or divide the
/// converter's references by it.
///
/// Source: global drift compensation of aihwkit, after Joshi et al., Nature Communications 11, 2473
/// (2020). Errors: UsageError where the sizes don't fit.
namespace cimstat::circuits {

/// Readings below this count as this, so that no factor is infinite.
inline constexpr double least_readout = 1e-4;

/// mean |output|, at least `floor`.
double readout(std::span<const double> outputs, double floor = least_readout);

/// alpha = readout(before) / readout(now): one factor for all columns. With the outputs of the
/// exact targets as `before` it also corrects what programming got wrong on average.
double drift_factor(std::span<const double> before, std::span<const double> now,
                    double floor = least_readout);

/// One factor for each column.
std::vector<double> drift_factors_of_columns(std::span<const double> before,
                                             std::span<const double> now, std::size_t columns,
                                             double floor = least_readout);

/// Outputs of `weights`[row * columns + column] for each of `patterns`[pattern * rows + row].
/// One-hot patterns give the weights themselves.
std::vector<double> pattern_outputs(std::span<const double> weights, std::size_t columns,
                                    std::span<const double> patterns);

}  // namespace cimstat::circuits
