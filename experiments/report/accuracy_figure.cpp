#include <algorithm>
#include <cmath>
#include <limits>
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

/// What fits into a picture's width; its title and the numbers below have the whole.
std::string shortened(const std::string& text) {
  constexpr std::size_t kMostBytes = 88;
  if (text.size() <= kMostBytes) return text;
  std::size_t end = kMostBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // whole letters
  return text.substr(0, end) + "\u2026";
}

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
              fmt::format("{}: {}", shortened(entry.name), entry.value), "name", hover);
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

}  // namespace

std::string accuracy_figure(const ReportInput& input) {
  const std::vector<AccuracyCondition>& conditions = input.accuracy;
  const bool several = conditions.size() > 1;
  std::vector<Entry> levels;
  std::vector<Entry> differences;
  std::string last_exact;
  bool any_against_first = false;
  for (std::size_t index = 0; index < conditions.size(); ++index) {
    const AccuracyCondition& condition = conditions[index];
    // Exact arithmetic knows no macro: one line for all conditions that share it.
    const std::string exact =
        fmt::format("{} on {}, exact integers", condition.network, condition.data_set);
    const std::string exact_value = accuracy_text(condition.exact);
    if (exact + exact_value != last_exact) {
      levels.push_back({exact, exact_value, {}, in_percent(condition.exact), "ink", true});
    }
    last_exact = exact + exact_value;
    const std::string& name = condition.label;
    levels.push_back({name, accuracy_text(condition.sampled), condition.detail,
                      in_percent(condition.sampled), "s0"});
    differences.push_back({name + ", against exact integers", points_text(condition.difference),
                           condition.detail, in_percent(condition.difference), "s0"});
    if (condition.against_first) {
      differences.push_back({fmt::format("{}, against {}", name, conditions.front().label),
                             points_text(*condition.against_first), condition.detail,
                             in_percent(*condition.against_first), "s1"});
      any_against_first = true;
    }
  }
  using Sign = LegendItem::Sign;
  const std::vector<LegendItem> level_signs = {{Sign::ring, "ink", "exact integers"},
                                               {Sign::interval, "s0", "on the macro"}};
  std::vector<LegendItem> difference_signs = {
      {Sign::interval, "s0", "on the macro \u2212 exact integers"}};
  if (any_against_first) {
    difference_signs.push_back({Sign::interval, "s1",
                                fmt::format("on the macro \u2212 first condition ({})",
                                            shortened(conditions.front().label))});
  }
  std::string html = entries_plot(
      "accuracy-clip", "Accuracy at " + counted(conditions.size(), "condition"), levels,
      "accuracy (%), the axis does not start at 0", level_signs, Zero::not_needed);
  const auto of_other_tables =
      std::count_if(conditions.begin(), conditions.end(),
                    [](const AccuracyCondition& condition) { return !condition.same_table; });
  html += fmt::format(
      "<h3>Paired differences</h3>\n<p class=\"hint\">Image by image, so that what makes images "
      "hard cancels. An interval that holds 0 shows no difference at this number of "
      "images.{}{}</p>\n",
      of_other_tables > 0
          ? fmt::format(" {} of the {} made with other error tables than the one of this page.",
                        of_other_tables,
                        counted(conditions.size(), "condition was", "conditions were"))
          : "",
      several ? " Point at a condition for its file and all that differs from the first one." : "");
  html += entries_plot("difference-clip",
                       several ? "Paired differences of accuracy" : "Paired difference of accuracy",
                       differences, "difference of accuracy (percentage points)", difference_signs,
                       Zero::shown);
  return html + numbers_below("accuracy", "accuracies and paired differences",
                              file_stem(input.title) + "-accuracy.csv", numbers_of(conditions));
}

}  // namespace cimstat::experiments::report
