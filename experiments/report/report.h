#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// One self-contained HTML page from the figures of one experiment. Plain data in, so that any
/// command can fill it.
namespace cimstat::experiments {

/// The density of the sensed current of one MAC value: current [A] ascending, density [1/A], of one
/// length. Where the line delivers a voltage, "A" is V here and below.
struct LevelDistribution {
  std::string label;
  std::int64_t level = 0;
  std::vector<double> current;
  std::vector<double> density;
};

/// What a misread rate rests on.
enum class MisreadBasis {
  sampled,    ///< lower and upper end the confidence interval
  none_seen,  ///< sampled without one misread: `upper` is the figure
  computed,   ///< lower and upper are the engine's error bounds; equal where it has none
};

struct MisreadPoint {
  std::int64_t level = 0;
  double rate = 0.0;
  double lower = 0.0;
  double upper = 0.0;
  MisreadBasis basis = MisreadBasis::sampled;
};

/// P(code | level), levels x codes, row by row; `ideal` holds each level's right code. Level i is
/// the MAC value first + i step; one that no rows have is a row of zeros.
struct ConfusionMap {
  std::uint32_t levels = 0;
  std::uint32_t codes = 0;
  std::vector<double> probability;
  std::vector<std::uint32_t> ideal;
  std::vector<double> lower, upper;  ///< levels x codes, intervals; empty where computed
  std::vector<double> error_bound;   ///< [level], of each of its entries; empty where sampled
  std::int64_t first = 0;
  std::int64_t step = 1;
};

/// The misread rates of each MAC value, and the least margins, at one number of active rows.
struct ActiveRowsFigures {
  std::uint32_t active_rows = 0;
  std::vector<MisreadPoint> misread;  ///< ascending levels; empty where the table has not all
  /// The least over all neighbouring levels, and the lower level of that pair; NaN where not known.
  struct Margin {
    double value = std::numeric_limits<double>::quiet_NaN();  ///< [A]
    std::int64_t level = 0;
    std::optional<std::int64_t> next = {};  ///< the upper one; level + 1 where left out
    std::int64_t upper_level() const { return next.value_or(level + 1); }
  };
  Margin input_aware, pattern, quantile;
};

/// How the misread rates of single columns, with what is frozen in each, are spread.
struct ColumnSpread {
  struct Rate {
    double value = 0.0;
    double lower = 0.0;
    double upper = 1.0;  ///< 1: too few columns to tell
  };
  struct Level {  ///< one MAC value
    std::int64_t level = 0;
    Rate mean;
    std::vector<Rate> quantiles;  ///< at quantile_levels
  };
  std::string hint;                     ///< how many columns and dies, and what is frozen
  std::string judged;                   ///< "mean over the MAC values": what `rates` are of
  std::vector<double> rates;            ///< of each column, ascending
  double limit = 0.0;                   ///< that a column may have
  std::vector<double> quantile_levels;  ///< the median first, 99 % third
  std::vector<Rate> quantiles;          ///< of the mean over the MAC values
  std::vector<Level> by_level;
  std::vector<std::pair<std::string, std::string>> facts;  ///< yield, votes ...: names and values
};

/// What the converter's own references are held against: others for the same column.
struct ReferenceComparison {
  std::string name;                   ///< "midpoint"
  std::vector<double> references;     ///< [A], as many as the converter's
  std::vector<MisreadPoint> misread;  ///< of the same MAC values
  double mean_misread = 0.0;          ///< over the MAC values alike
  double mean_misread_after = 0.0;    ///< with the converter's own
};

/// One line of the table of figures. Currents in A; the margins are those to the next level, NaN
/// where there is none.
struct MarginRow {
  std::int64_t level = 0;
  double mean = 0.0;
  double sd = 0.0;
  double low_quantile = 0.0;
  double high_quantile = 0.0;
  double input_aware_margin = 0.0;
  double pattern_margin = 0.0;
  double quantile_margin = 0.0;
  double overlap = 0.0;  ///< with the next level, a probability
  MisreadPoint misread;
  std::optional<std::int64_t> next = {};  ///< level above; level + 1 where left out
  std::int64_t upper_level() const { return next.value_or(level + 1); }
};

/// A fraction of right answers, or a difference of two, with its interval.
struct AccuracyFigure {
  double value = 0.0;
  double lower = 0.0;
  double upper = 0.0;
};

/// One layer on arrays.
struct LayerLine {
  std::string name;
  std::uint64_t partial_sums = 0;  ///< for an image
  AccuracyFigure snr;              ///< [dB], of the layer by itself; infinite: no noise
  AccuracyFigure network_snr;      ///< [dB], against exact integers in all layers
  double first_code = 0.0;         ///< shares of partial sums
  double last_code = 0.0;
  double beyond = 0.0;
  std::vector<double> codes;  ///< share of each code
};

/// What it costs that a layer is on arrays: differences of accuracy, paired by image.
struct LayerCost {
  std::string name;
  AccuracyFigure alone;   ///< this layer alone - exact integers
  AccuracyFigure spared;  ///< all but it - all
};

/// What a network answers, beyond right and wrong.
struct NetworkAnswers {
  std::uint32_t classes = 0;           ///< 0: not recorded
  std::vector<std::uint64_t> exact;    ///< [label, answer]: images
  std::vector<std::uint64_t> sampled;  ///< [label, answer]: answers
  std::vector<LayerLine> layers;       ///< empty: not recorded
  std::vector<LayerCost> costs;        ///< the largest first; empty: not recorded
};

/// One accuracy result: a network on a macro.
struct AccuracyCondition {
  std::string label;        ///< what tells it from the others of the page, in a few words
  std::string detail = {};  ///< its file and all that differs from the first, in full
  std::string network;
  std::string data_set;
  std::uint64_t images = 0;
  std::uint32_t reads = 0;
  AccuracyFigure exact;                         ///< by exact integers
  AccuracyFigure sampled;                       ///< on the macro
  AccuracyFigure difference;                    ///< sampled - exact, paired by image
  std::optional<AccuracyFigure> these_images;   ///< sampled, for this very set of images
  std::optional<AccuracyFigure> against_first;  ///< sampled - that of the first condition, paired
  bool same_table = true;                       ///< made with the error table of this page
  NetworkAnswers answers = {};
};

/// A name and its value, as the page's lists show them.
using NamedText = std::pair<std::string, std::string>;

struct ReportInput {
  std::string title;
  std::vector<NamedText> modelled;    ///< cell, column, converter ...: what the figures stand for
  std::vector<NamedText> provenance;  ///< method, program, hashes, seed ...
  std::string program;                ///< "cimstat 0.1.0 (<revision>)": what computed the figures
  std::string content_hash;           ///< to cite the result by
  std::string content_of = "error table";  ///< what it is of
  std::string how_sure;                    ///< which engine, and why
  std::uint64_t trials = 0;                ///< the least number behind a MAC value, where sampled
  std::uint64_t most_trials = 0;           ///< the largest
  std::string intervals = "Clopper-Pearson, each by itself";  ///< of what is sampled
  std::uint32_t rows = 0;
  std::uint32_t active_rows = 0;
  std::string unit = "A";            ///< of all that the sense amplifier sees
  std::string quantity = "current";  ///< ... its name
  std::string level_note;            ///< what stands for a MAC value where many classes do
  std::vector<LevelDistribution> distributions;
  std::vector<double> references;  ///< the converter's thresholds [A]
  ConfusionMap confusion;
  std::vector<MisreadPoint> misread;
  std::vector<MarginRow> margins;
  std::vector<ActiveRowsFigures> by_active_rows;  ///< ascending
  std::uint32_t map_step = 1;                     ///< of active rows and levels in `by_active_rows`
  double sigmas = 3.0;                            ///< of the input-aware and pattern margins
  double tail_probability = 1e-3;                 ///< of the quantile margin
  std::optional<ReferenceComparison> before;      ///< of a converter with listed references
  std::optional<ColumnSpread> columns;            ///< of single columns
  std::vector<AccuracyCondition> accuracy;
  double confidence = 0.95;  ///< of all intervals
  std::string config_toml;
};

/// The page as UTF-8 bytes: inline style, script and SVG, nothing fetched; light or dark as the
/// reader's system says or a switch on the page; the same input gives the same bytes. Sections
/// without data are left out. Throws std::invalid_argument where lengths contradict each other.
std::string render_report(const ReportInput& input);

}  // namespace cimstat::experiments
