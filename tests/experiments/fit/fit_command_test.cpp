// cimstat fit as a user meets it.

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/law/law.h"
#include "core/random/random.h"

#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::Outcome;

const std::string measured = CIMSTAT_MEASURED;

Outcome fit(const std::string& arguments) {
  return tests::run_program(std::string(CIMSTAT_BINARY) + " fit " + arguments + " 2>&1");
}

class FitCommand : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  /// The rest of an experiment file behind what `fit` printed.
  Outcome validated(const std::string& toml) const {
    const std::string file = write("macro.toml", toml + R"(
[cell]
model = "rram"
[column]
rows = 8
read_voltage = "0.2 V"
)");
    return tests::run_program(std::string(CIMSTAT_BINARY) + " validate " + file + " 2>&1");
  }
  tests::TemporaryFolder folder_;
};

TEST_F(FitCommand, PrintsSectionsThatAnExperimentFileTakes) {
  const Outcome outcome =
      fit("cells " + measured + " --lrs lrs_ohm --hrs hrs_ohm --unit ohm --law lognormal");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("[cell.lrs]\ndistribution = \"lognormal\"\nmedian"),
                                    HasSubstr("[cell.hrs]\n"), HasSubstr("# LRS (measured.csv")));
  const Outcome valid = validated(outcome.output);
  EXPECT_EQ(valid.exit_code, 0) << valid.output;
  EXPECT_THAT(valid.output, HasSubstr("LRS              lognormal: median 40.05"));
}

TEST_F(FitCommand, SaysThatNoLawDescribesCellsOfTwoKinds) {
  const Outcome outcome = fit("cells " + measured + " --hrs hrs_ohm --unit ohm");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("look at --law empirical"), HasSubstr(" 0.001\n")));
}

TEST_F(FitCommand, PrintsCellsAsTheyAre) {
  const Outcome outcome =
      fit("cells " + measured + " --lrs lrs_ohm --hrs hrs_ohm --unit ohm --law empirical");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("distribution = \"empirical\"\nvalues = ["),
                                    Not(HasSubstr("probabilities"))));
  const Outcome valid = validated(outcome.output);
  EXPECT_EQ(valid.exit_code, 0) << valid.output;
  EXPECT_THAT(valid.output, HasSubstr("empirical: 512 quantiles"));
}

TEST_F(FitCommand, KeepsTheTailsOfManyCells) {
  std::string text = "g\n";
  for (int i = 0; i < 5000; ++i) text += std::to_string(1.0 + i * 1e-3) + "\n";
  const Outcome outcome =
      fit("cells " + write("many.csv", text) + " --lrs g --unit uS --law empirical --samples 99");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("values = [1e-06, 1.001e-06"), HasSubstr("5.998e-06, 5.999e-06]"),
                    HasSubstr("probabilities = [0, ")));
  const std::string point = "[cell.hrs]\ndistribution = \"point\"\nvalue = \"0 S\"\n";
  const Outcome valid = validated(outcome.output + point);
  EXPECT_EQ(valid.exit_code, 0) << valid.output;
}

TEST_F(FitCommand, ReadsAMeasureFileOfHspice) {
  std::string text =
      "$DATA1 SOURCE='HSPICE' VERSION='J-2014.09'\n.TITLE '* monte carlo'\n index  i_lrs\n "
      "temper  alter#\n";
  core::TrialRandom random({.seed = 3}, core::Domain::test, 0);
  const core::Law law = core::Law::normal(8e-6, 0.4e-6);
  for (int i = 1; i <= 200; ++i) {
    const double current = law.quantile(core::Tail::lower, random.uniform());
    text += " " + std::to_string(i) + "  " + std::to_string(current * 1e6) + "e-06\n 25.0  1\n";
  }
  const Outcome outcome = fit("cells " + write("mc.mt0", text) +
                              " --lrs i_lrs --unit A --read-voltage '0.2 V' --law normal");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("200 cells"), HasSubstr("mean = \"40."),
                                    HasSubstr("distribution = \"normal\"")));
}

TEST_F(FitCommand, CutsLawsOff) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::to_string(30.0 + 0.1 * i) + "\n";
  const std::string file = write("verified.csv", text);
  const Outcome outcome =
      fit("cells " + file + " --lrs 1 --unit uS --law lognormal --low '25 uS' --high '45 uS'");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("low = \"25 uS\""), HasSubstr("high = \"45 uS\"")));
  const Outcome outside = fit("cells " + file + " --lrs 1 --unit uS --low '31 uS'");
  EXPECT_EQ(outside.exit_code, 2);
  EXPECT_EQ(outside.output,
            "cimstat: --lrs 1: 10 of 100 cells lie outside of --low and --high (the law is cut off "
            "there, so that none could); widen them, or leave the rows out\n");
}

/// 10,000 vectors of 16 rows: LRS 40 uS +- 2 uS, HRS 2 uS +- 0.6 uS at 0.2 V, noise 0.5 uA.
std::string vectors(bool masks, double factor) {
  const core::Law lrs = core::Law::normal(8.0, 0.4);
  const core::Law hrs = core::Law::normal(0.4, 0.12);
  const core::Law noise = core::Law::normal(0.0, 0.5);
  std::string text = masks ? "inputs,weights,current\n" : "k,n,current\n";
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    core::TrialRandom random({.seed = 21}, core::Domain::test, i);
    std::string inputs;
    std::string weights;
    int k = 0;
    int n = 0;
    double current = noise.quantile(core::Tail::lower, random.uniform());
    for (int row = 0; row < 16; ++row) {
      const std::uint32_t bits = random();
      const bool active = (bits & 1U) != 0;
      const bool is_lrs = (bits & 2U) != 0;
      inputs += active ? '1' : '0';
      weights += is_lrs ? '1' : '0';
      if (!active) continue;
      ++n;
      if (is_lrs) ++k;
      current += (is_lrs ? lrs : hrs).quantile(core::Tail::lower, random.uniform());
    }
    text += masks ? inputs + "," + weights : std::to_string(k) + "," + std::to_string(n);
    text += "," + std::to_string(current * factor) + "\n";
  }
  return text;
}

struct Truth {
  const char* name;
  double value;
};

/// The largest distance from the truth in standard errors.
double worst_pull(const nlohmann::json& json, double factor) {
  double worst = 0.0;
  for (const auto& [name, value] :
       {Truth{"lrs_mean_A", 8e-6}, Truth{"hrs_mean_A", 0.4e-6}, Truth{"lrs_variance_A2", 0.16e-12},
        Truth{"hrs_variance_A2", 0.0144e-12}, Truth{"noise_variance_A2", 0.25e-12}}) {
    const double scale = std::string_view(name).ends_with("A2") ? factor * factor : factor;
    const double off = json[name]["value"].get<double>() - value * scale;
    worst = std::max(worst, std::abs(off) / json[name]["standard_error"].get<double>());
  }
  return worst;
}

TEST_F(FitCommand, RecoversCellsFromTheCurrentsOf10000Vectors) {
  const std::string counts = write("currents.csv", vectors(false, 1.0));
  const std::string masks = write("masks.csv", vectors(true, 1.0));
  const Outcome outcome = fit("currents " + counts + " --unit uA --read-voltage 0.2 --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_LT(worst_pull(json, 1.0), 3.0) << outcome.output;
  const auto from_masks = nlohmann::json::parse(
      fit("currents " + masks + " --unit uA --read-voltage 0.2 --json").output);
  EXPECT_EQ(from_masks["lrs_mean_A"], json["lrs_mean_A"]);
  EXPECT_EQ(from_masks["noise_variance_A2"], json["noise_variance_A2"]);
  // The twin: a gain that is 1 % off.
  const auto biased = nlohmann::json::parse(
      fit("currents " + write("biased.csv", vectors(false, 1.01)) + " --unit uA --json").output);
  EXPECT_GT(worst_pull(biased, 1.0), 3.0);

  const Outcome text = fit("currents " + counts + " --unit uA --read-voltage 0.2");
  EXPECT_THAT(text.output, AllOf(HasSubstr("# currents.csv: 10000 vectors"),
                                 HasSubstr("[cell.hrs]\ndistribution = \"normal\""),
                                 HasSubstr("[sense_amplifier]\nnoise_sd = ")));
  const Outcome valid = validated(text.output);
  EXPECT_EQ(valid.exit_code, 0) << valid.output;
}

TEST_F(FitCommand, WritesAFileThatIsWholeOrNotThere) {
  const std::string target = path("cells.toml");
  const std::string source = " --lrs lrs_ohm --unit ohm -o " + target;
  const Outcome outcome = fit("cells " + measured + source);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("LRS (measured.csv"), HasSubstr("written " + target)));
  const std::vector<char> before = tests::bytes_of(target);
  EXPECT_THAT(std::string(before.begin(), before.end()), HasSubstr("\n[cell.lrs]\n"));
  const Outcome failed = fit("cells " + write("bad.csv", "lrs_ohm\n1\n2\nx\n") + source);
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_EQ(failed.output, "cimstat: " + path("bad.csv") +
                               ":4:1: \"x\" is not a number; write a plain number such as 4.01e-5, "
                               "or leave the row out\n");
  EXPECT_EQ(tests::bytes_of(target), before);
  EXPECT_EQ(fit("cells " + target + " --lrs 1 -o " + target).exit_code, 2);
}

TEST_F(FitCommand, RefusesWhatItCannotUseInOneLine) {
  const std::string good = write("good.csv", vectors(false, 1.0));
  const std::string equal = write("equal.csv", "g\n1\n1\n1\n1\n1\n1\n1\n1\n1\n");
  const std::string few = write("few.csv", "g\n1\n2\n");
  const std::string negative = write("negative.csv", "g\n-1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  const std::string same = write("same.csv", "k,n,current\n1,4,1\n2,4,2\n3,4,3\n");
  const std::string part = write("part.csv", "k,n,current\n5,4,1\n");
  const std::string digits = write("digits.csv", "inputs,weights,current\n0101,01,1\n");
  const std::string letters = write("letters.csv", "inputs,weights,current\n0121,0101,1\n");
  struct Case {
    std::string arguments;
    int exit_code;
    std::string text;
  };
  for (const Case& wrong : {
           Case{"cells " + path("none.csv") + " --lrs 1", 2, "none.csv: can't be read"},
           Case{"cells " + measured, 2, "which column holds which level?"},
           Case{"cells " + measured + " --lrs lrs_omh", 2, "did you mean lrs_ohm?"},
           Case{"cells " + measured + " --lrs lrs_ohm --unit furlong", 2, "--unit furlong"},
           Case{"cells " + measured + " --lrs lrs_ohm --unit uA", 2, "--read-voltage"},
           Case{"cells " + measured + " --lrs lrs_ohm", 3, ":2:3: 26220 S is no conductance"},
           Case{"cells " + measured + " --lrs lrs_ohm --law cauchy", 2, "--law"},
           Case{"cells " + measured + " --lrs lrs_ohm --noise-sd 1", 2, "changes nothing"},
           Case{"cells " + measured + " --lrs lrs_ohm --hrs hrs_ohm --unit ohm --low 0", 2,
                "fit them one at a time"},
           Case{"cells " + measured + " --lrs lrs_ohm --low '5 kg'", 2, "--low 5 kg"},
           Case{"cells " + equal + " --lrs g --unit uS", 2, "all values are equal"},
           Case{"cells " + few + " --lrs g --unit uS", 2, "2 cells are too few"},
           Case{"cells " + negative + " --lrs g --unit uS --law lognormal", 2, "not positive"},
           Case{"cells " + negative + " --lrs g --unit uS --law empirical", 2, "negative"},
           Case{"cells " + negative + " --lrs g --unit ohm", 3, ":2:1: -1 ohm is no resistance"},
           Case{"currents " + measured, 2, "which column holds the currents?"},
           Case{"currents " + good + " --unit uS", 2, "is no unit of a current"},
           Case{"currents " + good + " --unit uA -o " + path("x.toml"), 2, "--read-voltage"},
           Case{"currents " + same + " --unit uA", 3, "can't be told apart"},
           Case{"currents " + part, 3, ":2:1: 5 LRS cells among 4 active rows"},
           Case{"currents " + digits, 3, ":2:6: 2 weights for 4 inputs"},
           Case{"currents " + letters, 3, ":2:1: is no row of 0 and 1"},
           Case{"volts " + good, 2, "volts"},
       }) {
    const Outcome outcome = fit(wrong.arguments);
    EXPECT_EQ(outcome.exit_code, wrong.exit_code) << wrong.arguments << '\n' << outcome.output;
    EXPECT_THAT(outcome.output, AllOf(testing::StartsWith("cimstat: "), HasSubstr(wrong.text)))
        << wrong.arguments;
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1) << outcome.output;
  }
}

TEST_F(FitCommand, PrintsTheSameForAnyNumberOfThreads) {
  const std::string arguments = "cells " + measured + " --lrs lrs_ohm --unit ohm --json --threads ";
  const Outcome one = fit(arguments + "1");
  ASSERT_EQ(one.exit_code, 0) << one.output;
  EXPECT_EQ(fit(arguments + "3").output, one.output);
  const auto json = nlohmann::json::parse(one.output);
  EXPECT_EQ(json["cells"][0]["chosen"], "normal");
  EXPECT_GT(json["cells"][0]["candidates"][1]["p_value"].get<double>(), 0.01);
}

TEST_F(FitCommand, HelpsItself) {
  const Outcome help = fit("--help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("Example:"), HasSubstr("--read-voltage"),
                                 HasSubstr("parametric bootstrap")));
}

}  // namespace
}  // namespace cimstat::experiments
