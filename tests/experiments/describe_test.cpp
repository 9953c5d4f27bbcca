#include <algorithm>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/describe/description.h"
#include "experiments/experiment.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string sound = R"([cell]
model = "rram"
[cell.lrs]
distribution = "point"
value = "1 mS"
[cell.hrs]
distribution = "point"
value = "1 nS"
[column]
rows = 128
read_voltage = "0.2 V"
)";

std::set<std::string> listed_keys() {
  std::set<std::string> keys;
  for (const PlacedSection& placed : placed_sections(experiment_file())) {
    const auto add = [&](std::string_view key) {
      keys.insert(placed.path.empty() ? std::string(key) : fmt::format("{}.{}", placed.path, key));
    };
    if (!placed.section->selector.empty()) add(placed.section->selector);
    for (const core::Parameter& parameter : placed.section->parameters) add(parameter.key);
    for (const core::Variant& variant : placed.section->variants) {
      for (const core::Parameter& parameter : variant.parameters) add(parameter.key);
    }
  }
  return keys;
}

/// Every "section.key" of a canonical configuration.
std::set<std::string> keys_of(const std::string& toml) {
  std::set<std::string> keys;
  std::string section;
  for (std::size_t at = 0; at < toml.size();) {
    const std::size_t end = toml.find('\n', at);
    const std::string line = toml.substr(at, end - at);
    at = end + 1;
    if (line.starts_with('[')) section = line.substr(1, line.size() - 2) + '.';
    if (line.find(" = ") != line.npos) keys.insert(section + line.substr(0, line.find(" = ")));
  }
  return keys;
}

/// A value that the parameter takes, as TOML.
std::string value_of(const core::Parameter& parameter) {
  return parameter.example.empty() ? default_words(parameter) : std::string(parameter.example);
}

/// The section as an inline table that holds `parameter` and what must stand beside it.
std::string table_with(const core::Section& section, const core::Variant* variant,
                       const core::Parameter& parameter) {
  std::set<std::string_view> keys = {parameter.key};
  for (const core::Parameter& other : section.parameters) {
    if (core::is_required(other)) keys.insert(other.key);
  }
  if (variant != nullptr && !variant->ways.empty()) {
    const auto has_it = [&](const auto& way) {
      return std::find(way.begin(), way.end(), parameter.key) != way.end();
    };
    auto way = std::find_if(variant->ways.begin(), variant->ways.end(), has_it);
    if (way == variant->ways.end()) way = variant->ways.begin();
    keys.insert(way->begin(), way->end());
  }
  std::string table;
  if (variant != nullptr) table = fmt::format("{} = \"{}\"", section.selector, variant->name);
  // Only the steps of a ramp share noise.
  if (parameter.key == "noise_correlation") table = "kind = \"ramp\"";
  for (const std::string_view key : keys) {
    const core::Parameter* one = core::find(section.parameters, key);
    if (one == nullptr) one = core::find(variant->parameters, key);
    std::string value = value_of(*one);
    if (value == "column.rows") value = "100";
    table += fmt::format("{}{} = {}", table.empty() ? "" : ", ", key, value);
  }
  return "{" + table + "}";
}

void expect_accepted(const PlacedSection& placed, const core::Variant* variant,
                     const core::Parameter& parameter) {
  std::vector<std::string> overrides;
  const std::string table = table_with(*placed.section, variant, parameter);
  if (placed.path.empty()) {
    overrides = {fmt::format("{}={}", parameter.key, value_of(parameter))};
  } else if (placed.path == "cell") {
    // Its sub-sections stand in the file: key by key.
    overrides = {fmt::format("cell.{}={}", parameter.key, value_of(parameter))};
  } else {
    overrides = {fmt::format("{}={}", placed.path, table)};
  }
  try {
    const Experiment experiment =
        read_experiment(core::Config::from_text(sound, "sound.toml", overrides));
    const std::string path = placed.path.empty() ? std::string(parameter.key)
                                                 : placed.path + "." + std::string(parameter.key);
    EXPECT_TRUE(keys_of(experiment.config_toml).contains(path)) << path << "\n"
                                                                << experiment.config_toml;
  } catch (const core::UsageError& error) {
    ADD_FAILURE() << overrides.front() << ": " << error.what();
  }
}

TEST(ParameterList, HoldsOnlyKeysThatTheParserAcceptsAndRecords) {
  std::size_t tried = 0;
  for (const PlacedSection& placed : placed_sections(experiment_file())) {
    // Stays out of what an experiment records; sweep_plan_test reads all of it.
    if (placed.path.starts_with("sweep")) continue;
    for (const core::Parameter& parameter : placed.section->parameters) {
      expect_accepted(placed, nullptr, parameter);
      ++tried;
    }
    for (const core::Variant& variant : placed.section->variants) {
      for (const core::Parameter& parameter : variant.parameters) {
        expect_accepted(placed, &variant, parameter);
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 60U);
}

TEST(ParameterList, HoldsEveryKeyThatTheParserReads) {
  const std::set<std::string> listed = listed_keys();
  for (const char* name : {"chen2018_9rows", "dlrsim_9rows", "rram_128rows"}) {
    const Experiment experiment = read_experiment(core::Config::from_file(
        std::filesystem::path(CIMSTAT_CONFIGS) / (std::string(name) + ".toml")));
    for (const std::string& key : keys_of(experiment.config_toml)) {
      EXPECT_TRUE(listed.contains(key)) << key;
    }
  }
}

TEST(ParameterList, SaysSomethingOfEveryKey) {
  for (const PlacedSection& placed : placed_sections(experiment_file())) {
    EXPECT_FALSE(placed.section->meaning.empty()) << placed.path;
    const auto check = [&](const core::Parameter& parameter) {
      EXPECT_FALSE(parameter.meaning.empty()) << placed.path << "." << parameter.key;
      EXPECT_FALSE(value_of(parameter).empty()) << placed.path << "." << parameter.key;
    };
    for (const core::Parameter& parameter : placed.section->parameters) check(parameter);
    for (const core::Variant& variant : placed.section->variants) {
      EXPECT_FALSE(variant.meaning.empty()) << variant.name;
      for (const core::Parameter& parameter : variant.parameters) check(parameter);
    }
  }
}

TEST(Describe, NamesEverySection) {
  const std::string text = sections_as_text(experiment_file());
  for (const PlacedSection& placed : placed_sections(experiment_file())) {
    if (placed.path.empty()) continue;
    EXPECT_THAT(text, HasSubstr("[" + placed.path + "]"));
  }
}

TEST(Describe, ShowsASectionWithUnitsRangesAndDefaults) {
  EXPECT_THAT(
      described(experiment_file(), "cell.lrs"),
      AllOf(HasSubstr("[cell.lrs]  required, with cell.model = \"rram\""),
            HasSubstr("With distribution = \"lognormal\":"),
            HasSubstr("given by median and sigma, median_resistance and sigma, mean and sd, "
                      "or mean_resistance"),
            HasSubstr("conductance, 1 fS to 1 kS; such as \"40 uS\"")));
  EXPECT_THAT(described(experiment_file(), "sense_amplifier"),
              HasSubstr("current, 0 to 1 A; default: 0; such as \"0.5 uA\""));
}

TEST(Describe, ShowsASingleKey) {
  EXPECT_EQ(described(experiment_file(), "column.rows"),
            "[column]\n"
            "  rows                whole number, 1 to 1024; required; such as 128\n"
            "                      word lines, and so cells in the column\n");
}

TEST(Describe, KeepsItsLinesShort) {
  for (const PlacedSection& placed : placed_sections(experiment_file())) {
    if (placed.path.empty()) continue;
    const std::string text = described(experiment_file(), placed.path);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      EXPECT_LE(text.find('\n', at) - at, 100U) << text.substr(at, 110);
    }
  }
}

TEST(Describe, RefusesWhatIsNotThereWithTheNearestName) {
  try {
    described(experiment_file(), "colunm.rows");
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "colunm.rows: is no section or key of an experiment file; did you mean "
                 "column.rows?");
  }
}

TEST(QuantityPattern, StandsInTheSchema) {
  EXPECT_EQ(core::quantity_pattern(core::Quantity::ratio),
            "^[ \\t]*[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?[ \\t]*(|%)[ \\t]*$");
  EXPECT_THAT(json_schema(experiment_file()),
              HasSubstr("(a|f|p|n|u|\\u00b5|\\u03bc|m|k|M|G|T)?S)"));
}

}  // namespace
}  // namespace cimstat::experiments
