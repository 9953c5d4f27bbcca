#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/sweep/sweep_section.h"

namespace cimstat::experiments {

/// The file of points, read.
struct PointsFile {
  std::string text;
  std::uint64_t points = 0;
  std::vector<std::vector<core::ConfigScalar>> values;  ///< [axis][point]
};

/// Reads the columns of these axes; every column of the file is one of theirs, and its heading may
/// give a unit ("ratio [kohm]") for values that carry none. Throws UsageError and DataError.
PointsFile read_points_file(const std::filesystem::path& file,
                            const std::vector<const AxisSetting*>& axes);

}  // namespace cimstat::experiments
