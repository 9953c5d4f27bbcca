#include "experiments/table/table_stopping.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "circuits/sampled/stopped_column.h"

#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

using circuits::ErrorTable;
using circuits::GuaranteedMisreads;
using circuits::StopReason;

constexpr double tolerance = 1e-9;  // of another machine's mathematics
constexpr std::string_view again = "make the table again";
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// A dataset of numbers that follow from the trial of a class's last misread.
struct DerivedNumbers {
  std::string_view path;
  std::string_view long_name;
  double (*of)(const core::GammaBernoulli& found, double confidence);
};

constexpr std::array<DerivedNumbers, 4> derived = {
    {{"/guaranteed_time", "R, Gamma-distributed time of guaranteed_trial trials",
      [](const core::GammaBernoulli& found, double) { return found.time; }},
     {"/guaranteed_misread", "misread rate, (target_misreads - 1) / guaranteed_time",
      [](const core::GammaBernoulli& found, double) { return found.probability(); }},
     {"/guaranteed_lower", "lower end of the exact interval of the misread rate",
      [](const core::GammaBernoulli& found, double confidence) {
        return found.interval(confidence).lower;
      }},
     {"/guaranteed_upper", "upper end of the exact interval of the misread rate",
      [](const core::GammaBernoulli& found, double confidence) {
        return found.interval(confidence).upper;
      }}}};
constexpr std::string_view reasons =
    "0: target met; 1: trials spent before it was; 2: trials spent without a misread";
constexpr std::string_view not_met = "NaN where stop_reason is not 0";

std::vector<double> values_of(const DerivedNumbers& numbers, const GuaranteedMisreads& guaranteed) {
  std::vector<double> values;
  for (const core::GammaBernoulli& found : guaranteed.classes) {
    values.push_back(found.trials == 0 ? missing : numbers.of(found, guaranteed.confidence));
  }
  return values;
}

bool is_close(double found, double expected) {
  if (std::isnan(expected)) return std::isnan(found);
  return std::abs(found - expected) <= tolerance * std::abs(expected);
}

void require_class_axis(const core::Hdf5Input& file, std::string_view path, std::size_t size) {
  if (file.shape(path) == core::Shape64{size}) return;
  file.fail(path, "its length is not that of the class axis",
            fmt::format("{} instead of {}", core::shape_text(file.shape(path)), size), again);
}

void check_forms(const core::Hdf5Input& file, const ResultHeader& header, std::size_t size) {
  require_form(file, header, {"/stop_reason", "uint32", "1", {"comment"}});
  require_form(file, header, {"/guaranteed_trial", "uint64", "1", {"comment"}});
  file.text_attribute("/stop_reason", "comment");
  file.text_attribute("/guaranteed_trial", "comment");
  require_class_axis(file, "/stop_reason", size);
  require_class_axis(file, "/guaranteed_trial", size);
  for (const DerivedNumbers& numbers : derived) {
    require_form(file, header, {std::string(numbers.path), "float64", "1", {"comment"}});
    file.text_attribute(numbers.path, "comment");
    require_class_axis(file, numbers.path, size);
  }
}

/// What the configuration asks for must stand in the attributes.
GuaranteedMisreads read_target(const core::Hdf5Input& file, const TableSettings& settings) {
  GuaranteedMisreads target;
  target.relative_error = file.number_attribute("/", "target_relative_error");
  target.confidence = settings.confidence;
  target.misreads =
      core::gamma_bernoulli_successes(*settings.target_relative_error, settings.confidence);
  if (target.relative_error != *settings.target_relative_error) {
    file.fail(
        "/", "attribute 'target_relative_error' contradicts config_toml",
        fmt::format("{} instead of {}", target.relative_error, *settings.target_relative_error),
        again);
  }
  const std::int64_t misreads = file.integer_attribute("/", "target_misreads");
  if (misreads != static_cast<std::int64_t>(target.misreads)) {
    file.fail("/", fmt::format("attribute 'target_misreads' is {}", misreads),
              fmt::format("{:g} % at {:g} % take {}", 100.0 * target.relative_error,
                          100.0 * target.confidence, target.misreads),
              again);
  }
  return target;
}

/// The trial of the last misread against the counts: those beyond it are less than a chunk.
void check_last(const core::Hdf5Input& file, const ErrorTable& table, std::size_t row,
                std::uint64_t last, std::uint64_t target, std::uint64_t most) {
  const std::uint64_t trials = table.trials(row);
  const std::uint64_t misreads = table.misreads(row);
  const auto refuse = [&](const std::string& why) {
    file.fail("/guaranteed_trial", "contradicts /counts", fmt::format("class {}: {}", row, why),
              again);
  };
  if (trials != circuits::trials_until(last, most)) {
    refuse(fmt::format("{} trials instead of {}", trials, circuits::trials_until(last, most)));
  }
  if ((last > 0) != (misreads >= target)) {
    const std::string claim = last > 0 ? fmt::format("misread {} in trial {}", target, last)
                                       : fmt::format("no trial of misread {}", target);
    refuse(fmt::format("{}, but {} in all", claim, misreads));
  }
  if (last == 0) return;
  if (last < target || misreads - target > trials - last) {
    refuse(fmt::format("misread {} in trial {}, but {} in {}", target, last, misreads, trials));
  }
}

}  // namespace

std::vector<std::string> stopping_datasets() {
  std::vector<std::string> names = {"stop_reason", "guaranteed_trial"};
  for (const DerivedNumbers& numbers : derived) names.emplace_back(numbers.path.substr(1));
  return names;
}

std::vector<std::string> stopping_attributes() {
  return {"target_relative_error", "target_misreads"};
}

void write_stopping(core::Hdf5Output& file, const ErrorTable& table) {
  const GuaranteedMisreads& guaranteed = *table.guaranteed;
  file.attribute("/", "target_relative_error", guaranteed.relative_error);
  file.attribute("/", "target_misreads", static_cast<std::int64_t>(guaranteed.misreads));
  std::vector<std::uint32_t> reason;
  std::vector<std::uint64_t> last;
  for (std::size_t row = 0; row < table.size(); ++row) {
    reason.push_back(static_cast<std::uint32_t>(table.stop_reason(row)));
    last.push_back(guaranteed.classes[row].trials);
  }
  const auto write = [&](std::string_view path, const auto& values, std::string_view long_name,
                         std::string_view comment) {
    file.dataset(path, values, {table.size()});
    file.attribute(path, "units", "1");
    file.attribute(path, "long_name", long_name);
    file.attribute(path, "comment", comment);
    file.attach_scale(path, "/class", 0);
  };
  write("/stop_reason", reason, "why the sampling of the class ended", reasons);
  write("/guaranteed_trial", last, "trial in which misread number target_misreads came",
        "counted from 1; 0 where stop_reason is not 0");
  for (const DerivedNumbers& numbers : derived) {
    write(numbers.path, values_of(numbers, guaranteed), numbers.long_name, not_met);
  }
}

void read_stopping(const core::Hdf5Input& file, const ResultHeader& header, ErrorTable& table) {
  const TableSettings& settings = header.experiment.table;
  check_forms(file, header, table.size());
  GuaranteedMisreads guaranteed = read_target(file, settings);
  const std::vector<std::uint64_t> last = file.unsigneds("/guaranteed_trial", table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    check_last(file, table, row, last[row], guaranteed.misreads, settings.trials);
    guaranteed.classes.push_back(
        last[row] == 0 ? core::GammaBernoulli{}
                       : circuits::guaranteed_misread({.seed = header.seed}, table.classes[row],
                                                      guaranteed.misreads, last[row],
                                                      table.state_values.size()));
  }
  table.guaranteed = std::move(guaranteed);
  const std::vector<std::uint64_t> found = file.unsigneds("/stop_reason", table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto expected = static_cast<std::uint64_t>(table.stop_reason(row));
    if (found[row] == expected) continue;
    file.fail("/stop_reason", "contradicts /counts and /guaranteed_trial",
              fmt::format("class {}: {} instead of {}", row, found[row], expected), again);
  }
  for (const DerivedNumbers& numbers : derived) {
    const std::vector<double> values = file.doubles(numbers.path, table.size());
    const std::vector<double> expected = values_of(numbers, *table.guaranteed);
    for (std::size_t row = 0; row < table.size(); ++row) {
      if (is_close(values[row], expected[row])) continue;
      file.fail(numbers.path, "contradicts /guaranteed_trial, seed and confidence_level",
                fmt::format("class {}: {} instead of {}", row, values[row], expected[row]), again);
    }
  }
}

std::string stop_text(StopReason reason) {
  switch (reason) {
    case StopReason::target_met:
      return "target met";
    case StopReason::trials_spent:
      return "trials spent";
    case StopReason::none_seen:
      break;
  }
  return "none seen";
}

std::string stopping_summary(const ErrorTable& table) {
  std::array<std::uint64_t, 3> classes{};
  std::uint64_t most = 0;
  for (std::size_t row = 0; row < table.size(); ++row) {
    ++classes[static_cast<std::size_t>(table.stop_reason(row))];
    most = std::max(most, table.trials(row));
  }
  const GuaranteedMisreads& guaranteed = *table.guaranteed;
  const std::uint64_t open = classes[1] + classes[2];
  std::string text =
      fmt::format("{} of {}: misread rate known to {:g} % at {:g} % ({} misreads each)", classes[0],
                  counted(table.size(), "class", "classes"), 100.0 * guaranteed.relative_error,
                  100.0 * guaranteed.confidence, guaranteed.misreads);
  if (open > 0) {
    text +=
        fmt::format("; {} not within {}{}", open, counted(most, "trial"),
                    classes[2] > 0 ? fmt::format(", {} of them never misread", classes[2]) : "");
    text += "; raise table.trials for these";
  }
  return text;
}

}  // namespace cimstat::experiments
