#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "experiments/sweep/sweep_plan.h"
#include "experiments/sweep/swept_key.h"

/// The section [sweep] of a configuration, as it is written.
namespace cimstat::experiments {

/// Values of a grid.
constexpr std::uint64_t most_axis_values = std::uint64_t{1} << 20;
/// Samples, or rows of a file of points.
constexpr std::uint64_t most_samples = std::uint64_t{1} << 24;

enum class Spacing { linear, log };
enum class Sampling { sobol, latin_hypercube };

/// How an axis gets its values.
enum class AxisForm {
  values,   ///< a list
  grid,     ///< from .. to, `count` of them
  sampled,  ///< from .. to, one for each sample
  column,   ///< of the file of points
  cases,    ///< names, and for each key a list as long
};

/// [sweep.axis.NAME]
struct AxisSetting {
  std::string name;
  std::string place;  ///< of the table
  AxisForm form = AxisForm::values;
  std::vector<SweptKey> keys{};  ///< of one kind, but for cases
  /// What messages about values begin with: of each key, or of all.
  std::vector<std::string> key_places{};
  /// [key][value] of lists and cases; from and to of grids and sampled axes.
  std::vector<std::vector<core::ConfigScalar>> values{};
  std::uint64_t count = 0;  ///< of a grid
  Spacing spacing = Spacing::linear;
  std::vector<std::string> cases{};

  bool is_listed() const { return form != AxisForm::sampled && form != AxisForm::column; }
};

/// [sweep]
struct SweepSection {
  SweepSettings settings;
  std::uint64_t samples = 0;  ///< 0 where nothing is sampled by us
  Sampling sampling = Sampling::sobol;
  std::string points_file;        ///< empty for none
  std::string points_sha256;      ///< of its text; empty where any will do
  std::vector<AxisSetting> axes;  ///< by name: listed ones, then those with a value for each sample
};

core::Section sweep_section();

/// Reads it, without the file of points. Throws UsageError for what can be told without reading a
/// point.
SweepSection read_sweep_section(const core::SectionReader& section);

/// Its words in a file.
std::string_view word_of(SweepOutput output);
std::string_view word_of(RandomNumbers numbers);
std::string_view word_of(Spacing spacing);
std::string_view word_of(Sampling sampling);

}  // namespace cimstat::experiments
