#pragma once

#include <cstdint>

#include <CLI/CLI.hpp>

/// Checks of numbers on the command line. CLI11's own let NaN through and bring numbers beyond 64
/// bits into range.
namespace cimstat::experiments {

/// A whole number from `low` to `high`, also as 1e9.
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high);
/// A number from `low` to `high`.
CLI::Validator number_between(double low, double high);

}  // namespace cimstat::experiments
