#include "experiments/report/summary.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/figures.h"
#include "experiments/report/page.h"

namespace cimstat::experiments::report {
namespace {

std::string modelled_card(const ReportInput& input) {
  if (input.modelled.empty()) return {};
  std::string items;
  for (const auto& [name, value] : input.modelled) {
    items +=
        fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(name), escaped(unbroken(value)));
  }
  return fmt::format("<div class=\"card wide\"><h2>What was modelled</h2>\n<dl>\n{}</dl>\n</div>\n",
                     items);
}

std::string levels_text(const std::vector<MisreadPoint>& points) {
  std::string text;
  for (const MisreadPoint& point : points) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", point.level, rate_text(point));
  }
  return text;
}

/// Levels with a known rate, the most misread first.
std::vector<MisreadPoint> worst_levels(const ReportInput& input) {
  std::vector<MisreadPoint> known;
  for (const MisreadPoint& point : input.misread) {
    if (!is_upper_limit(point) && point.rate > 0.0) known.push_back(point);
  }
  std::stable_sort(known.begin(), known.end(),
                   [](const auto& one, const auto& other) { return one.rate > other.rate; });
  return known;
}

double greatest_limit(const ReportInput& input) {
  double limit = 0.0;
  for (const MisreadPoint& point : input.misread) limit = std::max(limit, point.upper);
  return limit;
}

std::string misread_card(const ReportInput& input) {
  constexpr std::size_t kNamed = 3;
  if (input.misread.empty()) return {};
  const std::vector<MisreadPoint> known = worst_levels(input);
  if (known.empty()) {
    return card("Misreads", "below " + limit_text(greatest_limit(input)),
                {all_computed(input.misread)
                     ? "No MAC value is misread more often than the error bound of the computation."
                     : fmt::format("No misread was seen of any MAC value: upper limit at {}.",
                                   percent_text(input.confidence, 0))});
  }
  std::vector<std::string> texts{fmt::format("MAC value {} is misread most: {}.",
                                             known.front().level, misread_text(known.front()))};
  if (known.size() > 1) {
    const std::size_t count = std::min(known.size(), kNamed + 1);
    texts.push_back(fmt::format(
        "Then {}.",
        levels_text({known.begin() + 1, known.begin() + static_cast<std::ptrdiff_t>(count)})));
  }
  const bool uncertain =
      std::any_of(input.misread.begin(), input.misread.end(), [&](const MisreadPoint& point) {
        return point.level != known.front().level && point.upper > known.front().lower;
      });
  if (uncertain) texts.push_back("Others are within its error: which one is worst is not certain.");
  return card("Worst MAC value", number_text(known.front().rate), texts);
}

std::string margin_card(const ReportInput& input, const CurrentUnit& unit) {
  const MarginRow* least = nullptr;
  for (const MarginRow& row : input.margins) {
    if (std::isnan(row.quantile_margin)) continue;
    if (least == nullptr || row.quantile_margin < least->quantile_margin) least = &row;
  }
  if (least == nullptr) return {};
  const std::string pair = fmt::format("MAC values {} and {}", least->level, least->upper_level());
  const std::string tails = number_text(input.tail_probability);
  return card("Least read margin",
              fmt::format("{} {}", number_text(least->quantile_margin / unit.size), unit.name),
              {least->quantile_margin < 0.0
                   ? fmt::format("{} overlap by this much between their tails of {}.", pair, tails)
                   : fmt::format("{} are this far apart between their tails of {}.", pair, tails),
               fmt::format("Overlap of the two: {}.", number_text(least->overlap))});
}

std::string accuracy_card(const ReportInput& input) {
  if (input.accuracy.empty()) return {};
  const AccuracyCondition& first = input.accuracy.front();
  const AccuracyFigure& difference = first.difference;
  std::vector<std::string> texts{
      fmt::format("{} on {}: {} interval {:.2f} to {:.2f} %.", first.network, first.data_set,
                  percent_text(input.confidence, 0), 100.0 * first.sampled.lower,
                  100.0 * first.sampled.upper),
      fmt::format("Exact integers {}; difference {} points ({} to {}).",
                  percent_text(first.exact.value, 2), signed_text(100.0 * difference.value, 2),
                  signed_text(100.0 * difference.lower, 2),
                  signed_text(100.0 * difference.upper, 2))};
  if (input.accuracy.size() > 1) {
    texts.push_back(fmt::format("{} conditions are compared below.", input.accuracy.size()));
  }
  return card("Accuracy on the macro", percent_text(first.sampled.value, 2), texts);
}

std::string trials_text(const ReportInput& input) {
  const std::string least = grouped_text(input.trials);
  if (input.most_trials > input.trials) {
    return fmt::format("{} to {} trials each", least, grouped_text(input.most_trials));
  }
  return least + (input.trials == 1 ? " trial each" : " trials each");
}

std::string sureness_card(const ReportInput& input) {
  if (input.misread.empty()) return {};
  std::vector<std::string> texts;
  std::string value;
  if (all_computed(input.misread)) {
    double bound = 0.0;
    for (const MisreadPoint& point : input.misread) {
      bound = std::max(bound, point.upper - point.rate);
    }
    value = bound > 0.0 ? fmt::format("arithmetic error at most {} (computed, not sampled)",
                                      limit_text(bound, 1))
                        : "exact (computed, not sampled)";
    texts.push_back(
        "Of each probability on this page. It says nothing about how well the configuration "
        "describes the macro.");
  } else {
    value = percent_text(input.confidence, 0) + " intervals";
    texts.push_back(
        fmt::format("{}{}.", input.intervals, input.trials > 0 ? "; " + trials_text(input) : ""));
    const auto unseen = static_cast<std::uint64_t>(
        std::count_if(input.misread.begin(), input.misread.end(), is_upper_limit));
    if (unseen > 0) {
      texts.push_back(
          fmt::format("{} of {} never seen misread: only an upper limit is known.", unseen,
                      counted(input.misread.size(), "MAC value was", "MAC values were")));
    }
  }
  if (!input.how_sure.empty()) texts.push_back(fmt::format("Method: {}.", input.how_sure));
  return card("How sure", value, texts);
}

}  // namespace

std::string card(std::string_view title, std::string_view value,
                 const std::vector<std::string>& texts) {
  std::string result = fmt::format("<div class=\"card\"><h2>{}</h2>\n", escaped(title));
  constexpr std::size_t kLettersOfANumber = 18;
  if (!value.empty()) {
    const std::string_view style = letters_of(value) > kLettersOfANumber ? " class=\"words\"" : "";
    result += fmt::format("<b{}>{}</b>\n", style, escaped(value));
  }
  for (const std::string& text : texts) result += fmt::format("<p>{}</p>\n", escaped(text));
  return result + "</div>\n";
}

std::string summary(const ReportInput& input, const CurrentUnit& unit) {
  std::string lead = "Read margin and misreads of an analog compute-in-memory column";
  if (input.active_rows > 0) {
    lead += input.rows > 0
                ? fmt::format(", {} of {} active", input.active_rows, counted(input.rows, "row"))
                : " with " + counted(input.active_rows, "active row");
  }
  std::string cards = modelled_card(input) + misread_card(input) + margin_card(input, unit) +
                      accuracy_card(input) + sureness_card(input);
  if (!cards.empty()) {
    cards = fmt::format("<div class=\"summary\" role=\"group\" aria-label=\"Summary\">\n{}</div>\n",
                        cards);
  }
  return fmt::format("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n{}", escaped(input.title), lead,
                     cards);
}

}  // namespace cimstat::experiments::report
