#include "experiments/macro/macro_text.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/experiment.h"
#include "experiments/margin/margin.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Experiment macro_of(std::string_view cell, std::string_view rest) {
  return read_experiment(core::Config::from_text(
      fmt::format("name = \"small\"\n[cell]\nmodel = \"rram\"\n{}[cell.lrs]\ndistribution = "
                  "\"lognormal\"\nmedian = \"40 uS\"\nsigma = 0.06\n[cell.hrs]\ndistribution = "
                  "\"point\"\nvalue = \"1 uS\"\n[column]\nrows = 4\nread_voltage = \"0.2 V\"\n{}",
                  cell, rest),
      "small.toml"));
}

std::string line_of(const Macro& macro, std::string_view part) {
  for (const MacroLine& line : macro_lines(macro)) {
    if (line.part == part) return line.text;
  }
  return {};
}

TEST(MacroText, StatesEveryEffectThatIsInForceWithItsUnit) {
  const Experiment experiment = macro_of(
      "access_resistance = \"5 kohm\"\nread_noise = 0.01\nstuck_at_lrs = 0.001\nstuck_at_hrs = "
      "0.002\n",
      "dummy_column = true\n[column.leakage]\ndistribution = \"point\"\nvalue = \"2 nS\"\n"
      "[sense_amplifier]\noffset_sd = \"2 uA\"\nnoise_sd = \"1 uA\"\nnoise_shape = \"logistic\"\n"
      "noise_knee = \"100 uA\"\n[converter]\nreferences = \"uniform\"\ncodes = 3\n"
      "reference_rows = 2\n");
  const Macro& macro = experiment.macro;
  EXPECT_EQ(line_of(macro, "LRS"),
            "lognormal: median 40 uS, sigma 0.06 (mean 40.07 uS, sd 2.406 uS)");
  EXPECT_EQ(line_of(macro, "cell"),
            "access 5 kohm, read noise 1 %, stuck at LRS 0.1 %, stuck at HRS 0.2 %");
  EXPECT_EQ(line_of(macro, "column"), "4 rows, read at 200 mV, less a dummy column");
  EXPECT_EQ(line_of(macro, "leakage"),
            "of each unselected row, " + devices::describe(*macro.leakage));
  EXPECT_EQ(line_of(macro, "sense amplifier"),
            "offset 2 uA (frozen per column), noise 1 uA logistic times sqrt(1 + I / 100 uA) "
            "(fresh at each read)");
  EXPECT_EQ(line_of(macro, "converter"), "flash, 3 codes, uniform references for 2 active rows");
}

TEST(MacroText, NamesTheNoiseOfDecisionsAndTheCommonFactor) {
  const Experiment ramp = macro_of("",
                                   "common_factor_sd = 0.02\n[converter]\nkind = \"ramp\"\n"
                                   "comparator_noise = \"0.5 uA\"\nnoise_correlation = 0.25\n");
  EXPECT_EQ(line_of(ramp.macro, "column"),
            "4 rows, read at 200 mV, common factor of sd 2 % (frozen per die or column)");
  EXPECT_EQ(
      line_of(ramp.macro, "converter"),
      "ramp, 5 codes, midpoint references, comparator noise 500 nA, correlation 0.25 (fresh at "
      "each decision)");
  const Experiment sar = macro_of("", "[converter]\nkind = \"sar\"\n");
  EXPECT_EQ(line_of(sar.macro, "converter"), "SAR, 5 codes, midpoint references");
}

TEST(MacroText, IsSilentAboutWhatIsSwitchedOff) {
  const Experiment experiment = macro_of("", "[converter]\nreferences = \"replica\"\n");
  const Macro& macro = experiment.macro;
  EXPECT_EQ(line_of(macro, "cell"), "");
  EXPECT_EQ(line_of(macro, "column"), "4 rows, read at 200 mV");
  EXPECT_EQ(line_of(macro, "sense amplifier"), "ideal: no offset, no noise");
  EXPECT_EQ(line_of(macro, "converter"),
            "flash, 5 codes, replica references, which follow the number of active rows");
  EXPECT_EQ(
      line_of(macro_of("", "[sense_amplifier]\noffset_sd = \"2 uA\"\n").macro, "sense amplifier"),
      "offset 2 uA (frozen per column)");
}

TEST(MarginText, HoldsEveryLineOfTheMacroAndNoTrailingBlanks) {
  const Experiment experiment =
      macro_of("read_noise = 0.02\n", "[sense_amplifier]\nnoise_sd = \"0.4 uA\"\n");
  const std::string text = format_margins(experiment, measure_margins(experiment, {1}));
  for (const MacroLine& line : macro_lines(experiment.macro)) {
    EXPECT_THAT(text, HasSubstr("  " + line.text + "\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr(" \n")));
}

}  // namespace
}  // namespace cimstat::experiments
