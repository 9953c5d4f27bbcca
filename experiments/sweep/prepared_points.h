#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/sampled/column_counter.h"

#include "experiments/experiment.h"
#include "experiments/inference/accuracy_run.h"
#include "experiments/sweep/sweep_plan.h"
#include "experiments/sweep/sweep_work.h"

/// What the chunks of a point share, made when the first of them is computed and kept while others
/// may come.
namespace cimstat::experiments {

/// Networks and data sets by name, read once.
class SweepInputs;
struct ParallelTables;

class PreparedPoint {
 public:
  PreparedPoint(Experiment experiment, const SweepInputs& inputs);
  ~PreparedPoint();
  const Experiment& experiment() const { return experiment_; }
  /// Of table.active_rows.
  const std::vector<circuits::ColumnClass>& classes() const { return classes_; }

  // These prepare on the first call; others that come meanwhile wait for it.
  const circuits::ColumnCounter& counter(core::Threads threads) const;
  /// Of `count` images from `first` on, read through a table of every class.
  AccuracySums accuracy(std::uint64_t first, std::uint64_t count, core::Threads threads) const;

 private:
  Experiment experiment_;
  const SweepInputs& inputs_;
  std::vector<circuits::ColumnClass> classes_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<circuits::ColumnCounter> counter_;
  mutable std::unique_ptr<circuits::ErrorTable> every_class_;
  mutable std::unique_ptr<ParallelTables> parallel_;  ///< where rows see several bits at once
};

/// The points that are worked on, at most some for each thread.
class PreparedPoints {
 public:
  PreparedPoints(const SweepPlan& plan, const FindNetwork& find_network, unsigned threads);
  ~PreparedPoints();
  /// May be called from several threads at once.
  std::shared_ptr<const PreparedPoint> at(std::uint64_t point);

  /// Reads the network and the data set of an experiment, unless it has been, and checks that they
  /// fit together and its macro. Throws UsageError or DataError.
  void require_network(const Experiment& experiment);
  /// Images of the data sets that are used: those asked for, or all where there are fewer.
  std::uint64_t images() const;
  /// SHA-256 of all networks and data sets, in the order of their names.
  std::string inputs_sha256() const;

 private:
  const SweepPlan& plan_;
  std::unique_ptr<SweepInputs> inputs_;
  std::size_t most_;
  std::mutex mutex_;
  std::uint64_t uses_ = 0;
  struct Entry {
    std::shared_ptr<const PreparedPoint> point;
    std::uint64_t last_use = 0;
  };
  std::map<std::uint64_t, Entry> entries_;
};

}  // namespace cimstat::experiments
