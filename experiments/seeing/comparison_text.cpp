#include "experiments/seeing/comparison_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/utf8.h"

#include "experiments/seeing/text_bar.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t listed_without_difference = 3;

std::string p_text(double p_value) {
  return p_value >= 0.001 ? fmt::format("{:.3f}", p_value) : fmt::format("{:.1e}", p_value);
}

std::string signed_text(double value) { return fmt::format("{:+.2e}", value); }

std::string how_compared(const TableComparison& comparison, const ComparisonSettings& settings) {
  if (comparison.basis == ComparisonBasis::exact) {
    return "both exact: a class differs where a probability differs by more than the sum of the "
           "error bounds\n";
  }
  const bool sampled = comparison.basis == ComparisonBasis::sampled;
  const std::size_t tests = comparison.classes.size() * (comparison.same_codes ? 2 : 1) + 1;
  return fmt::format(
      "{}: for each class {}{} of the misreads, and Hoeffding's bound for all misreads together;\n"
      "p-values adjusted by Holm over {} tests, family-wise level {:g}; intervals at {:g} % each\n",
      sampled ? "both sampled" : "exact against sampled",
      comparison.same_codes
          ? fmt::format("the G test of all codes (those expected fewer than {:g} times taken "
                        "together) and ",
                        smallest_expectation)
          : "",
      sampled ? "Fisher's exact test" : "the exact binomial test", tests, settings.level,
      100.0 * settings.confidence);
}

std::string warnings(const TableRecord& a, const TableRecord& b,
                     const TableComparison& comparison) {
  std::string text;
  if (!comparison.same_codes) {
    text += fmt::format(
        "the codes are not the same ({} and {}, or other MAC values behind them): only the "
        "misreads "
        "are compared\n",
        a.table.codes, b.table.codes);
  }
  if (comparison.basis == ComparisonBasis::sampled && a.seed == b.seed) {
    text +=
        "both have the same seed, so their draws are not independent: a small difference may be "
        "missed\n";
  }
  return text;
}

/// Of binary columns the LRS count, else the MAC value, with the rows in each state where several
/// classes have it.
std::size_t label_width(const TableComparison& comparison) {
  std::size_t width = comparison.state_values.empty() ? 4 : 9;
  for (const ClassComparison& item : comparison.classes) {
    width = std::max(width, item.label.size());
  }
  return width;
}

std::string class_line(const ClassComparison& item, ComparisonBasis basis, std::size_t width) {
  const core::Interval& misread = item.misread_difference.interval;
  const core::Interval& variation = item.total_variation.interval;
  std::string line = fmt::format(
      "  {:>{}} {:>6}  {:<10} {:<10} {:>9}", item.label, width, item.column_class.active_rows,
      probability_text(item.misread_a.value), probability_text(item.misread_b.value),
      signed_text(item.misread_difference.value));
  if (basis == ComparisonBasis::exact) {
    return line +
           fmt::format("  {:.2e}  {:>8.3g}\n", item.total_variation.value, item.beyond_bounds);
  }
  return line + fmt::format(" [{}, {}]  {:.1e} [{:.1e}, {:.1e}]  {:>7} {:>7}\n",
                            signed_text(misread.lower), signed_text(misread.upper),
                            item.total_variation.value, variation.lower, variation.upper,
                            p_text(item.codes_p_value), p_text(item.misread_p_value));
}

std::string class_list(const TableComparison& comparison, const ComparisonSettings& settings) {
  const std::size_t wanted = comparison.differing > 0
                                 ? std::min(settings.listed, comparison.differing)
                                 : std::min(settings.listed, listed_without_difference);
  const std::vector<std::size_t> order = comparison.by_difference();
  const std::size_t shown = std::min(wanted, order.size());
  if (shown == 0) return {};
  const std::size_t width = label_width(comparison);
  std::string text = fmt::format("  {:>{}} {:>6}  {:<10} {:<10} ",
                                 comparison.state_values.empty() ? "LRS" : "MAC value", width,
                                 "active", "misread a", "misread b");
  text += comparison.basis == ComparisonBasis::exact
              ? "    b - a  variation  x bounds\n"
              : fmt::format("{:<32}  {:<27}  {:>7} {:>7}\n", "    b - a [interval]",
                            "variation [interval]", "p codes", "misread");
  for (std::size_t i = 0; i < shown; ++i) {
    text += class_line(comparison.classes[order[i]], comparison.basis, width);
  }
  if (comparison.differing > shown) {
    text +=
        fmt::format("  ... and {} more (--classes N lists more)\n", comparison.differing - shown);
  }
  return text;
}

/// " (4 classes are only in a, 2 only in b: not compared)", or nothing.
std::string not_compared(const TableComparison& comparison) {
  std::vector<std::string> parts;
  const auto add = [&](std::size_t classes, std::string_view table) {
    if (classes == 0) return;
    parts.push_back(parts.empty() ? fmt::format("{} class{} only in {}", classes,
                                                classes == 1 ? " is" : "es are", table)
                                  : fmt::format("{} only in {}", classes, table));
  };
  add(comparison.only_in_a.size(), "a");
  add(comparison.only_in_b.size(), "b");
  return parts.empty() ? "" : fmt::format(" ({}: not compared)", fmt::join(parts, ", "));
}

std::string verdict(const TableComparison& comparison) {
  const std::string found =
      comparison.differ()
          ? fmt::format("the tables differ: {} of {} classes{}{}", comparison.differing,
                        comparison.classes.size(),
                        comparison.pooled.differs ? ", and the misreads of all together" : "",
                        comparison.same_codes ? "" : ", and the codes are not the same")
      : comparison.basis == ComparisonBasis::exact ? "no difference beyond the error bounds"
                                                   : "no significant difference";
  return found + not_compared(comparison) + "\n";
}

core::Json json_of(const Estimate& estimate) {
  return core::Json::array({estimate.value, estimate.interval.lower, estimate.interval.upper});
}

core::Json json_of(const circuits::ColumnClass& one,
                   const std::vector<std::int32_t>& state_values) {
  if (state_values.empty()) {
    return {{"lrs_count", one.lrs_count}, {"active_rows", one.active_rows}};
  }
  std::int64_t value = 0;
  core::Json rows = core::Json::array();
  for (std::size_t state = 0; state < state_values.size(); ++state) {
    value += std::int64_t{state_values[state]} * one.states[state];
    rows.push_back(one.states[state]);
  }
  return {{"mac_value", value}, {"active_rows", one.active_rows}, {"rows_in_states", rows}};
}

core::Json json_of(const std::vector<circuits::ColumnClass>& classes,
                   const std::vector<std::int32_t>& state_values) {
  core::Json array = core::Json::array();
  for (const circuits::ColumnClass& one : classes) array.push_back(json_of(one, state_values));
  return array;
}

}  // namespace

std::string format_keys(const std::vector<KeyDifference>& keys) {
  const bool other_macro =
      std::any_of(keys.begin(), keys.end(), [](const KeyDifference& key) { return key.of_macro; });
  std::string text = other_macro ? "other macros" : "the same macro";
  text += keys.empty() ? ", the same configuration\n"
                       : fmt::format("; {} key{} of the configurations differ{}\n", keys.size(),
                                     keys.size() == 1 ? "" : "s", keys.size() == 1 ? "s" : "");
  std::size_t widest_key = 0;
  std::size_t widest_a = 0;
  for (const KeyDifference& key : keys) {
    widest_key = std::max(widest_key, key.key.size());
    widest_a = std::max(widest_a, key.a.empty() ? std::size_t{3} : key.a.size());
  }
  for (const KeyDifference& key : keys) {
    text += fmt::format("  {:<{}}  {:<{}} | {}\n", core::one_line(key.key), widest_key,
                        key.a.empty() ? "(-)" : core::one_line(key.a),
                        std::min(widest_a, std::size_t{40}),
                        key.b.empty() ? "(-)" : core::one_line(key.b));
  }
  return text;
}

core::Json keys_as_json(const std::vector<KeyDifference>& keys) {
  core::Json array = core::Json::array();
  for (const KeyDifference& key : keys) {
    array.push_back({{"key", key.key}, {"a", key.a}, {"b", key.b}, {"of_macro", key.of_macro}});
  }
  return array;
}

std::string format_comparison(const TableRecord& a, const TableRecord& b,
                              const TableComparison& comparison,
                              const ComparisonSettings& settings) {
  std::string text = fmt::format("{} classes in both tables", comparison.classes.size());
  if (!comparison.only_in_a.empty()) {
    text += fmt::format(", {} only in a", comparison.only_in_a.size());
  }
  if (!comparison.only_in_b.empty()) {
    text += fmt::format(", {} only in b", comparison.only_in_b.size());
  }
  text += "\n" + how_compared(comparison, settings) + warnings(a, b, comparison) + "\n";
  text += class_list(comparison, settings);
  const auto largest =
      std::max_element(comparison.classes.begin(), comparison.classes.end(),
                       [](const ClassComparison& x, const ClassComparison& y) {
                         return x.total_variation.interval.upper < y.total_variation.interval.upper;
                       });
  text += fmt::format("mean misread over the classes: a {}, b {}, b - a {}",
                      probability_text(comparison.pooled.a), probability_text(comparison.pooled.b),
                      signed_text(comparison.pooled.b - comparison.pooled.a));
  if (comparison.basis != ComparisonBasis::exact) {
    text += fmt::format(", p {}", p_text(comparison.pooled.p_value));
  }
  text += "\n";
  if (comparison.same_codes) {
    text += fmt::format("total variation of a class at most {:.2e} ({} {}, active {})\n",
                        largest->total_variation.interval.upper,
                        comparison.state_values.empty() ? "LRS" : "MAC value", largest->label,
                        largest->column_class.active_rows);
  }
  return text + verdict(comparison);
}

core::Json comparison_as_json(const TableComparison& comparison,
                              const ComparisonSettings& settings) {
  core::Json classes = core::Json::array();
  for (const std::size_t i : comparison.by_difference()) {
    const ClassComparison& item = comparison.classes[i];
    core::Json object = json_of(item.column_class, comparison.state_values);
    object["misread_a"] = json_of(item.misread_a);
    object["misread_b"] = json_of(item.misread_b);
    object["misread_difference"] = json_of(item.misread_difference);
    if (comparison.same_codes) object["total_variation"] = json_of(item.total_variation);
    if (comparison.basis == ComparisonBasis::exact) {
      object["beyond_bounds"] = item.beyond_bounds;
    } else {
      object["codes_p_value"] = item.codes_p_value;
      object["misread_p_value"] = item.misread_p_value;
    }
    object["differs"] = item.differs;
    classes.push_back(object);
  }
  constexpr std::string_view bases[] = {"exact", "exact_and_sampled", "sampled"};
  return {{"differ", comparison.differ()},
          {"basis", bases[static_cast<std::size_t>(comparison.basis)]},
          {"level", settings.level},
          {"confidence", settings.confidence},
          {"same_codes", comparison.same_codes},
          {"differing", comparison.differing},
          {"mean_misread_a", comparison.pooled.a},
          {"mean_misread_b", comparison.pooled.b},
          {"mean_misread_p_value", comparison.pooled.p_value},
          {"only_in_a", json_of(comparison.only_in_a, comparison.state_values)},
          {"only_in_b", json_of(comparison.only_in_b, comparison.state_values)},
          {"classes", classes}};
}

std::string format_comparison(const AccuracyComparison& comparison,
                              const ComparisonSettings& settings) {
  const auto percent = [](const Estimate& e) {
    return fmt::format("{:7.2f} %  [{:.2f}, {:.2f}]", 100.0 * e.value, 100.0 * e.interval.lower,
                       100.0 * e.interval.upper);
  };
  std::string text =
      comparison.paired
          ? fmt::format("paired: the same network on the same {} images, {} read{} of each\n",
                        comparison.images, comparison.reads, comparison.reads == 1 ? "" : "s")
          : "not paired: other networks or images\n";
  text += fmt::format("  accuracy a         {}\n  accuracy b         {}\n  difference b - a   {}\n",
                      percent(comparison.a), percent(comparison.b), percent(comparison.difference));
  if (comparison.paired) {
    text += fmt::format("  images read right more often by a {}, by b {}\n", comparison.better_a,
                        comparison.better_b);
  }
  text += fmt::format("{}: p {}, level {:g}\n",
                      comparison.paired ? "exact sign test over these images"
                                        : "Fisher's exact test on the first read of each",
                      p_text(comparison.p_value), settings.level);
  return text + (comparison.p_value <= settings.level ? "the accuracies differ\n"
                                                      : "no significant difference\n");
}

core::Json comparison_as_json(const AccuracyComparison& comparison,
                              const ComparisonSettings& settings) {
  core::Json object{{"differ", comparison.p_value <= settings.level},
                    {"paired", comparison.paired},
                    {"a", json_of(comparison.a)},
                    {"b", json_of(comparison.b)},
                    {"difference", json_of(comparison.difference)},
                    {"p_value", comparison.p_value},
                    {"level", settings.level},
                    {"confidence", settings.confidence}};
  if (comparison.paired) {
    object["images"] = comparison.images;
    object["reads"] = comparison.reads;
    object["better_a"] = comparison.better_a;
    object["better_b"] = comparison.better_b;
  }
  return object;
}

}  // namespace cimstat::experiments
