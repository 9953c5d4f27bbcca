#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// One self-contained HTML page from the figures of one experiment. Plain data in, so that any
/// command can fill it.
namespace cimstat::experiments {

/// The density of the sensed current of one MAC value: current [A] ascending, density [1/A], of one
/// length.
struct LevelDistribution {
  std::string label;
  std::uint32_t level = 0;
  std::vector<double> current;
  std::vector<double> density;
};

/// P(code | level), levels x codes, row by row; `ideal` holds each level's right code.
struct ConfusionMap {
  std::uint32_t levels = 0;
  std::uint32_t codes = 0;
  std::vector<double> probability;
  std::vector<std::uint32_t> ideal;
};

/// What a misread rate rests on.
enum class MisreadBasis {
  sampled,    ///< lower and upper end the confidence interval
  none_seen,  ///< sampled without one misread: `upper` is the figure
  computed,   ///< lower and upper are the engine's error bounds; equal where it has none
};

struct MisreadPoint {
  std::uint32_t level = 0;
  double rate = 0.0;
  double lower = 0.0;
  double upper = 0.0;
  MisreadBasis basis = MisreadBasis::sampled;
};

/// One line of the table of figures. Currents in A; the margins are those to the next level, NaN
/// where there is none.
struct MarginRow {
  std::uint32_t level = 0;
  double mean = 0.0;
  double sd = 0.0;
  double low_quantile = 0.0;
  double high_quantile = 0.0;
  double input_aware_margin = 0.0;
  double pattern_margin = 0.0;
  double quantile_margin = 0.0;
  double overlap = 0.0;  ///< with the next level, a probability
  MisreadPoint misread;
};

/// A fraction of right answers, with its interval.
struct AccuracyBar {
  std::string label;
  double value = 0.0;
  double lower = 0.0;
  double upper = 0.0;
};

struct ReportInput {
  std::string title;
  std::vector<std::pair<std::string, std::string>> facts;  ///< name, value: macro, method, seed ...
  std::uint32_t active_rows = 0;
  std::vector<LevelDistribution> distributions;
  std::vector<double> references;  ///< the converter's thresholds [A]
  ConfusionMap confusion;
  std::vector<MisreadPoint> misread;
  std::vector<MarginRow> margins;
  std::vector<AccuracyBar> accuracy;
  double confidence = 0.95;  ///< of all intervals
  std::string config_toml;
};

/// The page as UTF-8 bytes: inline style, script and SVG, nothing fetched; light or dark as the
/// reader's system says; the same input gives the same bytes. Sections without data are left out.
/// Throws std::invalid_argument where lengths contradict each other.
std::string render_report(const ReportInput& input);

}  // namespace cimstat::experiments
