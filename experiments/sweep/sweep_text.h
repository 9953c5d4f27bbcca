#pragma once

#include <string>

#include "experiments/sweep/sweep_section.h"

namespace cimstat::experiments {

/// The sections besides [sweep], from a configuration of the first point of which nothing has been
/// read. What is left out there and depends on other keys stays so: points may differ in them.
std::string base_toml(const core::Config& first_point, const SweepSection& sweep);

/// The canonical form of [sweep] and what is in it: all but chunk_trials, in SI units. Where there
/// is a file of points it is called points.csv, with the SHA-256 of `points_text`.
std::string sweep_toml(const SweepSection& sweep, const std::string& points_text);

}  // namespace cimstat::experiments
