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
  if (variant != nullptr) {
    for (const core::Parameter& other : variant->parameters) {
      if (variant->ways.empty() && core::is_required(other)) keys.insert(other.key);
    }
  }
  // Thermal and shot noise need a current.
  if (parameter.key == "bandwidth") keys.insert("bias_current");
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
  // Keys of one kind of converter: only the steps of a ramp share noise.
  if (parameter.key == "noise_correlation") table = "kind = \"ramp\"";
  if (parameter.key == "split_bits" || parameter.key == "radix") {
    table = "kind = \"sar\", references = \"uniform\", codes = 256";
  }
  if (parameter.key == "amplifier_gain") {
    table = "kind = \"pipeline\", references = \"uniform\", codes = 256";
  }
  if (parameter.key == "subtraction") table = "weights = \"differential\"";
  for (const std::string_view key : keys) {
    const core::Parameter* one = core::find(section.parameters, key);
    if (one == nullptr) one = core::find(variant->parameters, key);
    std::string value = value_of(*one);
    if (value == "column.rows") value = "100";
    if (key == "bias_current") value = "\"10 uA\"";
    table += fmt::format("{}{} = {}", table.empty() ? "" : ", ", key, value);
  }
  return "{" + table + "}";
}

/// A column whose line delivers volts.
const std::string discharging = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "normal"
mean = "2.5 uS"
sd = "0.1 uS"
[cell.hrs]
distribution = "point"
value = "5 nS"
[column]
rows = 3
read_voltage = "0.8 V"
[bit_line]
kind = "discharge"
cells = "saturated"
precharge = "0.8 V"
capacitance = "80 fF"
time = "1 ns"
)";

/// A sound file whose cell is of this model, for a test of `key`.
std::string file_with(const core::Variant& model, std::string_view key) {
  if (model.name == "rram") return sound;
  std::string cell;
  if (model.name == "analog_rram") {
    cell = fmt::format("preset = \"{}\"\n", key == "variation"             ? "neurosim"
                                            : key == "low_frequency_noise" ? "neurram_1d"
                                                                           : "neurram");
  }
  if (model.name == "sram") {
    cell =
        "on_current = \"10 uA\"\noff_current = \"1 nA\"\ngate_voltage = \"0.9 V\"\nread_voltage = "
        "\"0.2 V\"\n";
    if (key != "threshold") cell += "threshold = \"0.35 V\"\n";
    if (key != "node" && key != "width" && key != "length") cell += "threshold_sd = \"30 mV\"\n";
  }
  // These state by default at which voltage they are read.
  const bool is_at_default = model.name == "sonos" || model.name == "fefet" || model.name == "mram";
  std::string voltage = is_at_default ? "\"0.1 V\"" : "\"0.2 V\"";
  // A key that says the read voltage says that of the column.
  const bool says_voltage = key == "voltage" || key == "drain_voltage" || key == "read_voltage";
  if (says_voltage) voltage = value_of(*core::find(model.parameters, key));
  return fmt::format(
      "[cell]\nmodel = \"{}\"\n{}[column]\nrows = 128\nread_voltage = {}\n{}", model.name, cell,
      voltage, model.name == "unit_capacitor" ? "[bit_line]\nkind = \"charge_sharing\"\n" : "");
}

/// Keys that are given together.
const std::vector<std::vector<std::string_view>> companies = {
    {"drift_targets", "drift_means", "drift_sds"},
    {"voltage", "sinh_scale"},
    {"telegraph_probability", "telegraph_amplitude"},
    {"telegraph_capture_time", "telegraph_emission_time", "telegraph_amplitude"},
    {"verify_window", "pulse_sd", "verify_noise"},
    {"retention_loss", "retention_time", "retention_energy"},
    {"retention_exponent", "retention_start", "retention_target"},
    {"reads", "disturb_reads", "disturb_exponent"},
    {"cycles", "lifetime_cycles", "lifetime_shape"},
    {"node", "width", "length"}};

/// A sound file whose cell knows this condition.
std::string file_that_knows(std::string_view condition) {
  if (condition == "time") {
    return "[cell]\nmodel = \"pcm\"\n[column]\nrows = 128\nread_voltage = \"0.2 V\"\n";
  }
  return "[cell]\nmodel = \"fefet\"\n[column]\nrows = 128\nread_voltage = \"0.1 V\"\n"
         "common_factor_sd = 0.01\n";
}

/// What must stand beside a key of this model.
std::vector<const core::Parameter*> company_of(const core::Variant& model, std::string_view key) {
  for (const auto& company : companies) {
    if (std::find(company.begin(), company.end(), key) == company.end()) continue;
    std::vector<const core::Parameter*> others;
    for (const std::string_view other : company) {
      const core::Parameter* parameter = core::find(model.parameters, other);
      if (parameter != nullptr && other != key) others.push_back(parameter);
    }
    return others;
  }
  return {};
}

void expect_accepted(const PlacedSection& placed, const core::Variant* variant,
                     const core::Parameter& parameter) {
  std::vector<std::string> overrides;
  std::string file = sound;
  const std::string table = table_with(*placed.section, variant, parameter);
  if (placed.path.empty()) {
    overrides = {fmt::format("{}={}", parameter.key, value_of(parameter))};
  } else if (placed.path == "cell") {
    // Its sub-sections stand in the file: key by key.
    overrides = {fmt::format("cell.{}={}", parameter.key, value_of(parameter))};
    if (variant != nullptr) {
      file = file_with(*variant, parameter.key);
      for (const core::Parameter* other : company_of(*variant, parameter.key)) {
        overrides.push_back(fmt::format("cell.{}={}", other->key, value_of(*other)));
      }
    }
  } else {
    overrides = {fmt::format("{}={}", placed.path, table)};
    if (parameter.key == "chips") overrides.emplace_back("accuracy.noise=\"frozen\"");
    const bool votes = parameter.key == "votes" || parameter.key == "vote";
    if (votes || parameter.key == "protection") {
      overrides.emplace_back("accuracy.protected_diagonals=2");
    }
    if (votes) overrides.emplace_back("accuracy.protection=\"vote\"");
    const bool of_levels = parameter.key.starts_with("cell_") || parameter.key == "subtraction" ||
                           parameter.key.starts_with("converter_");
    if (placed.path == "accuracy" && of_levels) {
      overrides.emplace_back("accuracy.noise=\"frozen\"");
      overrides.emplace_back("accuracy.weights=\"offset\"");
      overrides.push_back(fmt::format("column.dummy_column={}", parameter.key != "subtraction"));
    }
    const bool of_a_range = parameter.key == "cell_spread" || parameter.key == "converter_values";
    if (of_a_range || parameter.key == "converter_range") {
      overrides.emplace_back("accuracy.converter_batch=10");
    }
    if (of_a_range || parameter.key == "converter_batch") {
      overrides.emplace_back("accuracy.converter_range=\"observed\"");
    }
    if (parameter.key == "layers" && placed.path.starts_with("accuracy.layer_tables")) {
      overrides.push_back(placed.path + ".table=\"fine.table.h5\"");
    }
    if (placed.path == "conditions") file = file_that_knows(parameter.key);
    if (parameter.key == "input_bits_per_cycle" || parameter.key == "ties") {
      file =
          "[cell]\nmodel = \"unit_capacitor\"\n[column]\nrows = 128\nread_voltage = \"0.9 V\"\n"
          "[bit_line]\nkind = \"asim\"\n";
    }
    const bool in_volts = parameter.key.ends_with("voltage_sd") ||
                          parameter.key.ends_with("noise_voltage") ||
                          parameter.key.ends_with("offset_voltage") || parameter.key == "voltages";
    if (in_volts || (variant != nullptr && variant->name == "discharge")) file = discharging;
    if (variant != nullptr && (variant->name == "charge_sharing" || variant->name == "asim")) {
      file = "[cell]\nmodel = \"unit_capacitor\"\n[column]\nrows = 128\nread_voltage = \"0.9 V\"\n";
    }
  }
  try {
    const Experiment experiment =
        read_experiment(core::Config::from_text(file, "sound.toml", overrides));
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
    // They stay out of what an experiment records; sweep_plan_test and wires_command_test read
    // them.
    if (placed.path.starts_with("sweep") || placed.path == "wires") continue;
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
  for (const char* name : {"chen2018_9rows", "dlrsim_9rows", "rram_128rows", "pcm_8rows"}) {
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
