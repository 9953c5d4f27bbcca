#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/file/hdf5_file.h"

/// What a sweep's result holds at each point.
namespace cimstat::experiments {

enum class FieldShape {
  point,  ///< one value
  row,    ///< one for each class
  table,  ///< one for each class and code
};

/// A dataset of the result: its first dimensions are those of the sweep.
struct SweepField {
  std::string name;
  std::string units = "1";
  std::string long_name;
  FieldShape shape = FieldShape::point;
};

/// The datasets, and the sizes of the dimensions "class" and "code".
struct SweepFields {
  std::vector<SweepField> integers;  ///< stored as uint64
  std::vector<SweepField> numbers;   ///< stored as float64; not a number: nothing is known
  std::size_t classes = 0;
  std::size_t codes = 0;

  std::size_t width(const SweepField& field) const;  ///< values at a point
};

/// Values at one point, in the order of the fields; [class][code] in each.
struct PointValues {
  std::vector<std::vector<std::uint64_t>> integers;
  std::vector<std::vector<double>> numbers;
};

}  // namespace cimstat::experiments
