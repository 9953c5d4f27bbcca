#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

/// One line of a picture: a dot with its interval, its name above and its figures behind it.
struct Entry {
  std::string shown;  ///< the name, shortened where it would not fit
  std::string name;
  std::string value;
  std::string detail;     ///< what the name leaves out
  AccuracyFigure figure;  ///< in percent
  std::string style;
  bool hollow = false;
};

AccuracyFigure in_percent(const AccuracyFigure& figure) {
  return {100.0 * figure.value, 100.0 * figure.lower, 100.0 * figure.upper};
}

std::string points_text(const AccuracyFigure& figure) {
  const auto number = [](double fraction) { return signed_text(100.0 * fraction, 2); };
  return fmt::format("{} points ({} to {})", number(figure.value), number(figure.lower),
                     number(figure.upper));
}

/// Letters of a label that fit into a picture's width; titles and the numbers below have the whole.
constexpr std::size_t kLabelLetters = 52;
constexpr std::size_t kOtherLabelLetters = 28;  ///< of a second one in the same line

enum class Zero { shown, not_needed };

std::string entries_plot(std::string_view name, std::string_view description,
                         const std::vector<Entry>& entries, std::string_view title,
                         const std::vector<LegendItem>& legend, Zero zero) {
  constexpr double kLine = 42.0;
  const bool with_zero = zero == Zero::shown;
  double low = with_zero ? 0.0 : std::numeric_limits<double>::infinity();
  double high = with_zero ? 0.0 : -std::numeric_limits<double>::infinity();
  for (const Entry& entry : entries) {
    low = std::min(low, entry.figure.lower);
    high = std::max(high, entry.figure.upper);
  }
  const double air = std::max(0.06 * (high - low), 0.1);
  const double count = static_cast<double>(entries.size());
  Plot plot(name, description, {960.0, kLine * count + 96.0, 40.0, 20.0},
            {std::string(title), low - air, high + air, Spacing::linear, {}},
            {"", -count + 0.5, 0.5, Spacing::linear, {{-2.0 * count, ""}}});
  if (with_zero) plot.vertical_line(0.0, "zero", "no difference");
  for (std::size_t index = 0; index < entries.size(); ++index) {
    const Entry& entry = entries[index];
    const double height = -static_cast<double>(index) - 0.2;
    const std::string hover = fmt::format("{}: {}{}{}", entry.name, entry.value,
                                          entry.detail.empty() ? "" : "\n", entry.detail);
    plot.whisker(height, entry.figure.lower, entry.figure.upper, entry.style, hover);
    plot.dot({entry.figure.value, height}, 5.0,
             entry.hollow ? "hollow " + entry.style : entry.style, hover);
    plot.note({low - 0.6 * air, height + 13.0 / kLine},
              fmt::format("{}: {}", entry.shown, entry.value), "name", hover);
  }
  plot.legend(legend);
  return plot_frame(description, plot.svg());
}

Csv numbers_of(const std::vector<AccuracyCondition>& conditions) {
  Csv csv{"condition", "network", "data_set", "images", "reads",
          "quantity",  "value",   "lower",    "upper",  "what_it_is"};
  for (const AccuracyCondition& condition : conditions) {
    const auto line = [&](std::string_view quantity, const AccuracyFigure& figure) {
      csv.text(condition.label).text(condition.network).text(condition.data_set);
      csv.count(condition.images).count(condition.reads).text(quantity);
      csv.number(figure.value).number(figure.lower).number(figure.upper);
      csv.text(condition.detail).end_line();
    };
    line("exact integers", condition.exact);
    line("on the macro", condition.sampled);
    line("on the macro - exact", condition.difference);
    if (condition.these_images) line("on the macro, these images", *condition.these_images);
    if (condition.against_first) line("on the macro - first condition", *condition.against_first);
  }
  return csv;
}

/// Exact arithmetic knows no macro: one line for all conditions that share it.
std::vector<Entry> level_entries(const std::vector<AccuracyCondition>& conditions) {
  std::vector<Entry> entries;
  std::string last_exact;
  for (const AccuracyCondition& condition : conditions) {
    const std::string exact =
        fmt::format("{} on {}, exact integers", condition.network, condition.data_set);
    const std::string exact_value = accuracy_text(condition.exact);
    if (exact + exact_value != last_exact) {
      entries.push_back({shortened(exact, kLabelLetters),
                         exact,
                         exact_value,
                         {},
                         in_percent(condition.exact),
                         "ink",
                         true});
    }
    last_exact = exact + exact_value;
    entries.push_back({shortened(condition.label, kLabelLetters), condition.label,
                       accuracy_text(condition.sampled), condition.detail,
                       in_percent(condition.sampled), "s0"});
  }
  return entries;
}

std::vector<Entry> difference_entries(const std::vector<AccuracyCondition>& conditions) {
  std::vector<Entry> entries;
  const std::string& first = conditions.front().label;
  for (const AccuracyCondition& condition : conditions) {
    const auto add = [&](const std::string& other, const AccuracyFigure& figure,
                         std::string style) {
      entries.push_back({fmt::format("{}, against {}", shortened(condition.label, kLabelLetters),
                                     shortened(other, kOtherLabelLetters)),
                         fmt::format("{}, against {}", condition.label, other), points_text(figure),
                         condition.detail, in_percent(figure), std::move(style)});
    };
    add("exact integers", condition.difference, "s0");
    if (condition.against_first) add(first, *condition.against_first, "s1");
  }
  return entries;
}

/// What the colours of the differences mean.
std::vector<LegendItem> difference_legend(const std::vector<AccuracyCondition>& conditions) {
  using Sign = LegendItem::Sign;
  std::vector<LegendItem> legend = {{Sign::interval, "s0", "on the macro \u2212 exact integers"}};
  if (std::any_of(conditions.begin(), conditions.end(), [](const AccuracyCondition& condition) {
        return condition.against_first.has_value();
      })) {
    const std::string& first = conditions.front().label;
    legend.push_back({Sign::interval, "s1",
                      fmt::format("on the macro \u2212 first condition ({})",
                                  shortened(first, kOtherLabelLetters)),
                      first});
  }
  return legend;
}

std::string difference_hint(const std::vector<AccuracyCondition>& conditions) {
  std::string hint =
      "Image by image, so that what makes images hard cancels. An interval that holds 0 shows no "
      "difference at this number of images.";
  if (conditions.size() < 2) return hint;
  const auto others =
      std::count_if(conditions.begin(), conditions.end(),
                    [](const AccuracyCondition& condition) { return !condition.same_table; });
  if (others > 0) {
    hint += fmt::format(
        " {} of the {} conditions {} than that of this page.", others, conditions.size(),
        others == 1 ? "was made with another error table" : "were made with other error tables");
  }
  return hint + " Point at a condition for its file and all that differs from the first one.";
}

}  // namespace

std::string accuracy_figure(const ReportInput& input) {
  const std::vector<AccuracyCondition>& conditions = input.accuracy;
  const std::vector<LegendItem> level_legend = {{LegendItem::Sign::ring, "ink", "exact integers"},
                                                {LegendItem::Sign::interval, "s0", "on the macro"}};
  return entries_plot("accuracy-clip", "Accuracy at " + counted(conditions.size(), "condition"),
                      level_entries(conditions), "accuracy (%), the axis does not start at 0",
                      level_legend, Zero::not_needed) +
         fmt::format("<h3>Paired differences</h3>\n<p class=\"hint\">{}</p>\n",
                     difference_hint(conditions)) +
         entries_plot("difference-clip",
                      conditions.size() > 1 ? "Paired differences of accuracy"
                                            : "Paired difference of accuracy",
                      difference_entries(conditions), "difference of accuracy (percentage points)",
                      difference_legend(conditions), Zero::shown) +
         numbers_below("accuracy", "accuracies and paired differences",
                       file_stem(input.title) + "-accuracy.csv", numbers_of(conditions));
}

}  // namespace cimstat::experiments::report
