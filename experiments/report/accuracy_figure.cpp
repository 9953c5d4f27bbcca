#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/entries_plot.h"
#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"

namespace cimstat::experiments::report {
namespace {

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
