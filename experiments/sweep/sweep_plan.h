#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "core/file/hdf5_file.h"
#include "core/random/random.h"

#include "experiments/experiment.h"

/// Which points of the space of configurations a sweep visits, and what it asks at each.
///
/// Points are numbered from 0 in C order over the listed axes, in the alphabetical order of their
/// names, and then over the samples, where there are sampled axes: the last dimension runs fastest.
namespace cimstat::experiments {

/// Longest sweep; a point's number has 32 bits in the random-number contract.
constexpr std::uint64_t most_points = std::uint64_t{1} << 32;

enum class SweepOutput {
  margin,    ///< read margins at margin.active_rows
  misread,   ///< misread rates of the classes of table.active_rows
  table,     ///< P(code | class) of these, whole
  accuracy,  ///< of the network of [accuracy]
};

enum class RandomNumbers {
  common,       ///< all points draw the same: differences between points are known best, and a
                ///< point equals what `cimstat table` and `accuracy` make of its configuration
  independent,  ///< the point's number enters the random-number contract
};

struct SweepSettings {
  std::vector<SweepOutput> outputs;  ///< in the order of the enumeration, each once
  RandomNumbers random_numbers = RandomNumbers::common;
  /// Trials of each class, or answers (image-reads) of an accuracy, in a chunk of work; a multiple
  /// of 4,096. Decides no result.
  std::uint64_t chunk_trials = 0;

  bool asks(SweepOutput output) const;
};

/// What varies together, under one name.
struct SweepAxis {
  enum class Kind {
    listed,   ///< a dimension of its own
    sampled,  ///< a value for each sample; all sampled axes share the dimension "sample"
  };
  std::string name;  ///< of the coordinate: [A-Za-z][A-Za-z0-9_]*
  Kind kind = Kind::listed;
  std::vector<std::string> keys;    ///< dotted keys of the configuration that it sets, at least one
  std::string meaning;              ///< a line for people
  std::string units;                ///< SI unit of `numbers`, "1" for ratios, counts and labels
  std::vector<double> numbers;      ///< [value], SI; empty where the values are words
  std::vector<std::string> labels;  ///< [value]: words, or names of cases; empty where numbers

  std::size_t size() const { return labels.empty() ? numbers.size() : labels.size(); }
  /// "0.1", "6 kohm", "slow".
  std::string value_text(std::size_t index) const;
};

/// Read and checked once; cheap to share between threads.
class SweepPlan {
 public:
  const SweepSettings& settings() const;
  /// Listed axes in the alphabetical order of their names, then sampled ones likewise.
  const std::vector<SweepAxis>& axes() const;
  std::uint64_t points() const;
  /// Extents of the listed axes, then the number of samples where there are sampled axes. Empty for
  /// a sweep without axes (one point).
  core::Shape64 shape() const;
  /// Names of these dimensions: those of the listed axes, and "sample".
  std::vector<std::string> dimensions() const;
  /// Which value each axis has at a point, in the order of axes().
  std::vector<std::size_t> indices(std::uint64_t point) const;
  /// "sigma = 0.1, corner = slow": for messages and progress.
  std::string point_text(std::uint64_t point) const;

  /// What the configuration asks for at a point; the axes' keys as if given by --set. May be called
  /// from several threads at once. Throws UsageError, with the point in the message.
  Experiment experiment(std::uint64_t point) const;
  /// The key of its random numbers.
  core::StreamKey key(std::uint64_t point) const;

  /// The experiment at point 0: title, seed, level of confidence and all that no axis varies.
  const Experiment& base() const;
  /// Resolved, canonical: sections as at point 0, and [sweep]; without [sweep]'s chunk_trials.
  /// Reading it gives the same plan (with the points file beside it, where there is one).
  const std::string& config_toml() const;
  /// The text of the file of points; empty where there is none.
  const std::string& points_csv() const;
  /// SHA-256 of all that decides the results: config_toml and the coordinates of every point.
  const std::string& sha256() const;

 private:
  friend SweepPlan read_sweep_plan(const core::Config& config);
  struct State;
  explicit SweepPlan(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

/// Reads [sweep] and point 0. Throws UsageError: no [sweep], a key that no configuration has or
/// that can't be swept, values that are none, too many points, two axes that set one key.
SweepPlan read_sweep_plan(const core::Config& config);

}  // namespace cimstat::experiments
