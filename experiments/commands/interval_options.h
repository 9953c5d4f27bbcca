#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "experiments/seeing/table_figures.h"

namespace cimstat::experiments {

/// How a command gives the counts of a table intervals.
struct IntervalOptions {
  std::string method = "clopper-pearson";
  std::string simultaneous;

  /// --interval and --simultaneous.
  void add_to(CLI::App& command);
  /// `confidence` is that of the file where the user names none.
  IntervalChoice choice(double confidence) const;
  bool is_given() const { return method != "clopper-pearson" || !simultaneous.empty(); }
};

}  // namespace cimstat::experiments
