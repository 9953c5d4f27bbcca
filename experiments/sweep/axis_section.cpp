#include "experiments/sweep/axis_section.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/config/option.h"

#include "experiments/sweep/sweep_fields.h"

namespace cimstat::experiments {

namespace {

using core::ConfigScalar;
using core::CountRule;
using core::Option;
using core::SectionReader;
using core::ValueRule;
using core::ValuesRule;

constexpr std::size_t longest_name = 60;
constexpr std::size_t longest_label = 100;
constexpr std::size_t longest_key = 100;

constexpr Option<Spacing> spacings[] = {{Spacing::linear, {"linear", "equal differences"}},
                                        {Spacing::log, {"log", "equal ratios"}}};

core::Section vary_section() {
  return {.key = "vary",
          .need = core::Need::optional,
          .meaning = "what the cases set: dotted keys in quotes, a value for each case",
          .entries = {{.key = "KEY",
                       .rule = ValuesRule{},
                       .meaning = "values of the key of the configuration that it is called by",
                       .example = "\"cell.lrs.sigma\" = [0.12, 0.1, 0.08]",
                       .absent = "the cases leave the key alone"}}};
}

}  // namespace

core::Section axis_section() {
  return {
      .key = "NAME",
      .need = core::Need::optional,
      .meaning =
          "one axis, called NAME in the result: listed (values; from, to and count; cases) "
          "or with a value for each sample (from and to; a column of points_file)",
      .parameters = {{.key = "key",
                      .rule = core::TextRule{longest_key, ""},
                      .meaning = "the key that it sets",
                      .example = "\"cell.lrs.sigma\"",
                      .absent = "`cases` and `vary` are given"},
                     {.key = "also",
                      .rule = core::TextsRule{longest_key},
                      .meaning = "other keys that are set to the same values",
                      .example = "[\"cell.hrs.sigma\"]",
                      .absent = "`key` alone is set"},
                     {.key = "values",
                      .rule = ValuesRule{},
                      .meaning = "the values, in this order",
                      .example = "[0.05, 0.1, 0.2]",
                      .absent = "`from` and `to`, `cases`, or points_file give them"},
                     {.key = "from",
                      .rule = ValueRule{},
                      .meaning = "lowest value",
                      .example = "2",
                      .absent = "`values`, `cases`, or points_file are given"},
                     {.key = "to",
                      .rule = ValueRule{},
                      .meaning = "highest value",
                      .example = "100",
                      .absent = "`values`, `cases`, or points_file are given"},
                     {.key = "count",
                      .rule = CountRule{2, most_axis_values, std::nullopt, {}},
                      .meaning = "values of a grid with both ends; whole numbers are rounded to",
                      .example = "12",
                      .absent = "the axis is sampled"},
                     {.key = "spacing",
                      .rule = core::option_rule(spacings, "linear"),
                      .meaning = "how values lie between the ends, or how they are distributed"},
                     {.key = "cases",
                      .rule = core::TextsRule{longest_label},
                      .meaning =
                          "names of cases that set several keys at once, such as process corners",
                      .example = "[\"slow\", \"typical\", \"fast\"]",
                      .absent = "`key` is given"}},
      .sections = {vary_section()}};
}

std::string_view word_of(Spacing spacing) { return core::word_of(spacing, spacings); }

namespace {

void check_name(const std::string& name, const SectionReader& axes) {
  if (name.size() > longest_name) {
    axes.fail(name, "is too long a name", fmt::format("{} letters are allowed", longest_name),
              "shorten it");
  }
  if (is_result_name(name)) {
    axes.fail(name, "can't be the name of an axis", "the result has a dataset of that name",
              fmt::format("call it {}_axis, for example", name));
  }
}

/// The first of these keys that stands there, or empty.
std::string_view first_given(const SectionReader& section,
                             std::initializer_list<std::string_view> keys) {
  const auto* found = std::find_if(keys.begin(), keys.end(),
                                   [&](std::string_view key) { return section.has(key); });
  return found == keys.end() ? std::string_view() : *found;
}

AxisForm form_of(const SectionReader& section) {
  const auto refuse_beside = [&](std::string_view main,
                                 std::initializer_list<std::string_view> others) {
    const std::string_view other = first_given(section, others);
    if (other.empty()) return;
    section.fail(other, fmt::format("has no place beside {}", main),
                 "an axis gets its values in one way", fmt::format("keep {} or {}", main, other));
  };
  if (section.has("cases") || section.has("vary")) {
    for (const std::string_view key : {"cases", "vary"}) {
      if (section.has(key)) continue;
      section.fail(key, "is missing", "cases have names and what they set",
                   key == "cases" ? "add names such as [\"slow\", \"fast\"]"
                                  : "add a section that lists values for each key");
    }
    refuse_beside("cases", {"key", "also", "values", "from", "to", "count", "spacing"});
    return AxisForm::cases;
  }
  if (!section.has("key")) {
    section.fail("key", "is missing", "an axis sets a key of the configuration",
                 "add one such as key = \"cell.lrs.sigma\"");
  }
  if (section.has("values")) {
    refuse_beside("values", {"from", "to", "count", "spacing"});
    return AxisForm::values;
  }
  if (const std::string_view given = first_given(section, {"from", "to", "count", "spacing"});
      !given.empty()) {
    for (const std::string_view key : {"from", "to"}) {
      if (section.has(key)) continue;
      section.fail(key, "is missing", fmt::format("{} is there", given),
                   "add the other end of the range");
    }
    return section.has("count") ? AxisForm::grid : AxisForm::sampled;
  }
  return AxisForm::column;
}

void check_whole(const SectionReader& section, std::string_view at,
                 const std::vector<ConfigScalar>& values) {
  constexpr std::uint64_t most = std::uint64_t{1} << 53;
  for (const ConfigScalar& value : values) {
    const auto* count = std::get_if<std::uint64_t>(&value);
    if (count == nullptr || *count <= most) continue;
    section.fail(at, fmt::format("{} is out of range", *count),
                 "coordinates are whole numbers up to 2^53", "write a smaller number");
  }
}

double number_of(const ConfigScalar& value) {
  const auto* count = std::get_if<std::uint64_t>(&value);
  return count == nullptr ? std::get<double>(value) : static_cast<double>(*count);
}

void read_range(const SectionReader& section, AxisSetting& axis) {
  const SweptKey& key = axis.keys.front();
  if (!key.is_numeric()) {
    section.fail("from", "has no use here", fmt::format("{} takes words", key.name),
                 "list them as values");
  }
  axis.values = {{section.value("from", key.rule), section.value("to", key.rule)}};
  axis.key_places = {section.place("from")};
  axis.spacing = core::read_option(section, "spacing", spacings);
  if (axis.form == AxisForm::grid) axis.count = section.count("count");
  check_whole(section, "to", axis.values.front());
  const double from = number_of(axis.values.front()[0]);
  const double to = number_of(axis.values.front()[1]);
  if (!(from < to)) {
    section.fail("from", "is not below `to`", "a range runs upwards", "swap them, or use values");
  }
  if (axis.spacing == Spacing::log && !(from > 0.0)) {
    section.fail("from", "is not positive", "spacing = \"log\" needs positive ends",
                 "raise it, or write spacing = \"linear\"");
  }
  if (key.is_count() && axis.form == AxisForm::grid &&
      static_cast<double>(axis.count - 1) > to - from) {
    section.fail("count", fmt::format("asks for {} values", axis.count),
                 fmt::format("there are {} whole numbers from {} to {}", to - from + 1, from, to),
                 "lower it");
  }
}

/// They take the values of the first key, so they must mean the same.
void read_other_keys(const SectionReader& section, AxisSetting& axis) {
  const SweptKey first = axis.keys.front();
  for (const std::string& name : section.texts("also")) {
    const SweptKey other = swept_key(name, section, "also");
    const bool is_alike = first.is_number() == other.is_number() &&
                          first.is_count() == other.is_count() &&
                          first.quantity() == other.quantity() &&
                          (first.is_numeric() || first.rule.index() == other.rule.index());
    if (!is_alike) {
      section.fail("also", fmt::format("{} can't take the values of {}", name, first.name),
                   "they are of different kinds", "use cases, which have a list for each key");
    }
    axis.keys.push_back(other);
  }
}

void refuse_repeated(const SectionReader& section, const std::vector<std::string>& cases) {
  for (std::size_t i = 1; i < cases.size(); ++i) {
    if (std::find(cases.begin(), cases.begin() + static_cast<std::ptrdiff_t>(i), cases[i]) ==
        cases.begin() + static_cast<std::ptrdiff_t>(i)) {
      continue;
    }
    section.fail("cases", fmt::format("names \"{}\" twice", cases[i]), {}, "rename one");
  }
}

void read_cases(const SectionReader& section, AxisSetting& axis) {
  axis.cases = section.texts("cases");
  if (axis.cases.empty()) section.fail("cases", "is empty", "an axis has values", "name some");
  refuse_repeated(section, axis.cases);
  const SectionReader vary = section.section("vary");
  for (const std::string& name : vary.keys()) {
    if (vary.kind_of(name) == "table") {
      vary.fail(name, "is a table", "keys of a configuration are written in quotes here",
                fmt::format("write \"{}.KEY\" = [...]", name));
    }
    axis.keys.push_back(swept_key(name, vary, name));
    axis.values.push_back(vary.values(name, axis.keys.back().rule));
    axis.key_places.push_back(vary.place(name));
    check_whole(vary, name, axis.values.back());
    if (axis.values.back().size() != axis.cases.size()) {
      vary.fail(name, fmt::format("lists {} values", axis.values.back().size()),
                fmt::format("there are {} cases", axis.cases.size()), "list one for each case");
    }
  }
  if (axis.keys.empty()) {
    section.fail("vary", "is empty", "the cases set nothing",
                 "add a line such as \"cell.lrs.sigma\" = [...]");
  }
}

}  // namespace

AxisSetting read_axis(const SectionReader& section, const std::string& name,
                      const SectionReader& axes) {
  check_name(name, axes);
  AxisSetting axis{.name = name, .place = axes.place(name), .form = form_of(section)};
  if (axis.form == AxisForm::cases) {
    read_cases(section, axis);
    return axis;
  }
  axis.keys = {swept_key(section.text("key"), section, "key")};
  axis.key_places = {section.place("key")};
  if (section.has("also")) read_other_keys(section, axis);
  if (axis.form == AxisForm::grid || axis.form == AxisForm::sampled) {
    read_range(section, axis);
  } else if (axis.form == AxisForm::values) {
    axis.values = {section.values("values", axis.keys.front().rule)};
    axis.key_places = {section.place("values")};
    check_whole(section, "values", axis.values.front());
    if (axis.values.front().empty()) {
      section.fail("values", "is empty", "an axis has values", "list some");
    }
  }
  const bool sets_seed = std::any_of(axis.keys.begin(), axis.keys.end(),
                                     [](const SweptKey& key) { return key.name == "seed"; });
  if (axis.form == AxisForm::sampled && sets_seed) {
    section.fail("key", "can't be sampled", "the seed decides the samples",
                 "add `count`, or list values");
  }
  return axis;
}

}  // namespace cimstat::experiments
