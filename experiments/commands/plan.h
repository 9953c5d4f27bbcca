#pragma once

#include <string>
#include <vector>

#include "core/parallel.h"

#include "experiments/experiment.h"
#include "experiments/inference/dataset.h"
#include "experiments/inference/network.h"

/// What a run would be, before it is started.
namespace cimstat::experiments {

/// Classes, codes, engine and why, trials and bytes of an error table, a line each.
std::string table_plan(const Experiment& experiment,
                       const std::vector<circuits::ColumnClass>& classes);

/// Time from short probes on this machine, now: what is spent once (preparing) is told from what
/// grows with the work.
struct TimeEstimate {
  double seconds = 0.0;
  std::string probe;  ///< what was run, and how long it took
};

TimeEstimate estimate_table(const Experiment& experiment,
                            const std::vector<circuits::ColumnClass>& classes,
                            core::Threads threads);

/// Of an accuracy run on a table of every class, which takes `table_seconds` to make.
/// Probes run the first few of `images`.
std::string accuracy_plan(const Experiment& experiment, const Network& network,
                          const ImageSet& images, double table_seconds, core::Threads threads);

/// ... and of one on frozen chips, which needs no table.
std::string frozen_plan(const Experiment& experiment, const Network& network,
                        const ImageSet& images, core::Threads threads);

/// "0.42 s", "7.1 s", "3 min 20 s": as duration_text, with two digits where it is short.
std::string estimate_text(double seconds);

}  // namespace cimstat::experiments
