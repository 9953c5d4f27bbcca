#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file/hdf5_file.h"

#include "circuits/column.h"

#include "experiments/sweep/sweep_fields.h"
#include "experiments/sweep/sweep_plan.h"

/// Results of sweeps in HDF5. experiments/formats/sweep.md documents them.
namespace cimstat::experiments {

constexpr std::string_view sweep_filetype = "cimstat sweep";

/// What made a result, besides its plan.
struct SweepOrigin {
  std::string method;    ///< "exact" or "monte_carlo": of misread rates and tables; empty: neither
  std::string identity;  ///< SweepWork::identity()
};

/// A field whose values stay in the segments that they were found in.
struct LinkedField {
  std::string name;
  std::vector<core::VirtualRows> sources;  ///< their paths relative to the result's folder
};

/// Writes a result. `next(first, count)` gives the values at points first .. first + count - 1; it
/// is called with ascending, contiguous ranges, and memory does not grow with the number of points.
/// `classes`: those of every point, where they are the same for all; else empty, and lrs_count and
/// active_rows are fields. The bytes of the file depend on plan, origin, classes, fields and values
/// alone. `linked` fields become virtual datasets; `next` gives their values all the same. Throws
/// UsageError where an axis has the name of a dataset.
using NextPoints =
    std::function<std::vector<PointValues>(std::uint64_t first, std::uint64_t count)>;
void write_sweep_file(const SweepPlan& plan, const SweepOrigin& origin, const SweepFields& fields,
                      const std::vector<circuits::ColumnClass>& classes,
                      const std::filesystem::path& file, const NextPoints& next,
                      const std::vector<LinkedField>& linked = {});

/// A scalar at each point, with its interval where it has one: what pictures and texts are made of.
struct SweepScalar {
  std::string name;   ///< "misread_mean"
  std::string units;  ///< "1", "A"
  std::string long_name;
  std::vector<double> value;  ///< [point]; not a number: nothing is known
  std::vector<double> lower;  ///< [point]; empty where the value is exact
  std::vector<double> upper;
};

struct SweepDimension {
  std::string name;
  std::size_t size = 0;
};

/// What a result holds but for whole tables.
struct SweepRecord {
  std::string name;
  std::string config_toml;
  std::string source;
  std::uint64_t seed = 0;
  double confidence = 0.95;
  std::string content_sha256;
  SweepOrigin origin;
  std::vector<SweepDimension> dimensions;  ///< listed axes and "sample", as SweepPlan has them
  std::vector<SweepAxis> axes;
  /// [point] in C order over the dimensions. Floating-point ones first, then counts; a field X with
  /// X_lower and X_upper beside it is one.
  std::vector<SweepScalar> scalars;

  std::uint64_t points() const;
};

/// Throws UsageError when the file can't be opened, DataError when it is not a whole, consistent
/// result; also where segments that it refers to are missing, damaged or of another sweep.
SweepRecord read_sweep_file(const std::filesystem::path& file);

}  // namespace cimstat::experiments
