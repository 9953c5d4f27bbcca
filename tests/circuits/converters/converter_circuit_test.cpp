#include "circuits/converters/converter_circuit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "circuits/converters/linearity.h"
#include "circuits/converters/mismatch_formulas.h"

namespace cimstat::circuits {
namespace {

constexpr core::StreamKey key{.seed = 20};
constexpr double step = 1e-6;  // [A]

std::vector<double> even_references(std::uint32_t count) {
  std::vector<double> references;
  for (std::uint32_t j = 1; j <= count; ++j) references.push_back(step * (0.5 + j));
  return references;
}

ConverterCircuit circuit(ConverterKind kind, std::uint32_t references, ConverterMismatch mismatch,
                         double noise_sd = 0.0) {
  return {{.kind = kind, .noise_sd = noise_sd, .mismatch = mismatch}, even_references(references)};
}

constexpr ConverterKind all_kinds[] = {ConverterKind::flash,    ConverterKind::flash_lowest_zero,
                                       ConverterKind::sar,      ConverterKind::ramp,
                                       ConverterKind::pipeline, ConverterKind::cyclic};

/// Sum of squares of `value` over converters 0 .. count - 1, over that of its sd squared: near
/// `count`, within 5 standard errors sqrt(2 count).
struct Spread {
  double squares = 0.0;
  int count = 0;
  void add(double value) {
    squares += value * value;
    ++count;
  }
  /// How many standard errors the variance is away from sd^2.
  double errors(double sd) const { return (squares / (sd * sd) - count) / std::sqrt(2.0 * count); }
};

void for_converters(const ConverterCircuit& circuit, int count,
                    const std::function<void(const std::vector<double>&)>& body) {
  for (int number = 0; number < count; ++number) {
    const auto values = converter(circuit, key, static_cast<std::uint64_t>(number));
    body(transitions(circuit.pieces(values), circuit.references()));
  }
}

TEST(ConverterCircuit, WithoutMismatchEveryKindCountsReferences) {
  for (const ConverterKind kind : all_kinds) {
    for (const std::uint32_t references : {2U, 3U, 9U, 15U, 128U, 255U}) {
      const ConverterCircuit ideal = circuit(kind, references, {});
      EXPECT_EQ(ideal.frozen_draws(), 0U);
      const auto values = ideal.freeze(std::vector<float>{});
      for (double x = -1.25; x < references + 3.0; x += 0.5) {
        const double expected = std::clamp(std::floor(x), 0.0, double(references));
        EXPECT_EQ(ideal.code(values, x, {}), expected) << x << " of " << references;
      }
      const auto levels = transitions(ideal.pieces(values), references);
      for (std::uint32_t j = 0; j < references; ++j) EXPECT_NEAR(levels[j], j + 1, 1e-9);
    }
  }
}

TEST(ConverterCircuit, PiecesAreTheCodesOfEveryPosition) {
  const ConverterMismatch mismatch{.offset_sd = 0.4 * step, .element_sd = 0.1};
  for (const ConverterKind kind : all_kinds) {
    ConverterMismatch here = mismatch;
    if (kind == ConverterKind::pipeline) here.amplifier_gain = 50.0;
    const ConverterCircuit converters = circuit(kind, 60, here);
    for (std::uint64_t number = 0; number < 20; ++number) {
      const auto values = converter(converters, key, number);
      const auto pieces = converters.pieces(values);
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        const double from = std::max(pieces[i].from, -50.0);
        const double to = i + 1 < pieces.size() ? pieces[i + 1].from : 120.0;
        if (to - from < 1e-9) continue;
        for (const double share : {1e-3, 0.5, 0.999}) {
          EXPECT_EQ(converters.code(values, from + share * (to - from), {}), pieces[i].code);
        }
      }
    }
  }
}

TEST(ConverterCircuit, OneSeedAndNumberIsOneConverterAndOthersDiffer) {
  for (const ConverterKind kind : all_kinds) {
    const ConverterCircuit converters =
        circuit(kind, 15, {.offset_sd = 0.1 * step, .element_sd = 0.02});
    std::set<std::vector<double>> curves;
    for (std::uint64_t number = 0; number < 50; ++number) {
      const auto values = converter(converters, key, number);
      EXPECT_EQ(values, converter(converters, key, number));
      curves.insert(transitions(converters.pieces(values), 15));
    }
    EXPECT_EQ(curves.size(), 50U);
    EXPECT_NE(converter(converters, key, 0), converter(converters, {.seed = 21}, 0));
    EXPECT_NE(converter(converters, key, 0), converter(converters, {.seed = 20, .point = 1}, 0));
  }
}

TEST(ConverterCircuit, BinaryCapacitorsHaveTheSpreadOfTheClosedForms) {
  for (const std::uint32_t bits : {4U, 8U}) {
    const double sd = 0.01;
    const ConverterCircuit sar = circuit(ConverterKind::sar, (1U << bits) - 1, {.element_sd = sd});
    const std::size_t middle = std::size_t{1} << (bits - 1);
    Spread dnl;
    Spread inl;
    for_converters(sar, 20'000, [&](const std::vector<double>& levels) {
      const Linearity ideal = linearity(levels, sar.positions(), Line::ideal);
      inl.add(ideal.inl[middle - 1]);
      // Widths of steps back are lost to the neighbours' codes: levels, not transitions, carry the
      // closed form; at this mismatch there are none.
      dnl.add(ideal.dnl[middle - 2]);
    });
    EXPECT_LT(std::abs(dnl.errors(carry_dnl_sd(sd, bits))), 5.0);
    EXPECT_LT(std::abs(inl.errors(middle_inl_sd(sd, bits))), 5.0);
    EXPECT_GT(std::abs(dnl.errors(1.04 * carry_dnl_sd(sd, bits))), 5.0);  // the twins
    EXPECT_GT(std::abs(inl.errors(1.04 * middle_inl_sd(sd, bits))), 5.0);
  }
}

TEST(ConverterCircuit, GoldenNumbersOfCapacitorArrays) {
  EXPECT_DOUBLE_EQ(carry_dnl_sd(0.01, 8), 0.01 * std::sqrt(255.0));
  EXPECT_DOUBLE_EQ(middle_inl_sd(0.01, 8), 0.08);
  EXPECT_DOUBLE_EQ(resistor_string_sd(0.02, 64, 128), 0.02 * std::sqrt(32.0));
  EXPECT_DOUBLE_EQ(flash_threshold_sd(0.3, 0.02, 64, 128), std::sqrt(0.09 + 32.0 * 4e-4));
  EXPECT_DOUBLE_EQ(ramp_level_sd(0.02, 25), 0.1);
}

TEST(ConverterCircuit, SplitCapacitorsHaveTheSpreadOfTheClosedForm) {
  const double sd = 0.004;
  for (const std::uint32_t split : {1U, 3U, 4U}) {
    const ConverterCircuit sar =
        circuit(ConverterKind::sar, 255, {.element_sd = sd, .split_bits = split});
    Spread dnl;
    for_converters(sar, 20'000, [&](const std::vector<double>& levels) {
      dnl.add(levels[127] - levels[126] - 1.0);
    });
    EXPECT_LT(std::abs(dnl.errors(split_carry_dnl_sd(sd, 8, split))), 5.0) << split;
    EXPECT_GT(std::abs(dnl.errors(1.04 * split_carry_dnl_sd(sd, 8, split))), 5.0);
    EXPECT_GT(split_carry_dnl_sd(sd, 8, split), carry_dnl_sd(sd, 8));
  }
}

TEST(ConverterCircuit, FlashThresholdsSpreadByOffsetAndResistors) {
  const double offset = 0.05;
  const double resistor = 0.02;
  const std::uint32_t references = 15;
  const ConverterCircuit flash = circuit(ConverterKind::flash, references,
                                         {.offset_sd = offset * step, .element_sd = resistor});
  std::vector<Spread> spreads(references);
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    const auto values = converter(flash, key, number);  // thresholds in the order of their taps
    for (std::uint32_t j = 0; j < references; ++j) spreads[j].add(values[j] - (j + 1.0));
  }
  for (std::uint32_t j = 0; j < references; ++j) {
    const double sd = flash_threshold_sd(offset, resistor, j + 1, references + 1);
    EXPECT_LT(std::abs(spreads[j].errors(sd)), 5.0) << j;
    EXPECT_GT(std::abs(spreads[j].errors(1.04 * sd)), 4.0);
  }
}

TEST(ConverterCircuit, RampGathersTheSpreadOfItsSteps) {
  const ConverterCircuit ramp = circuit(ConverterKind::ramp, 25, {.element_sd = 0.02});
  Spread first;
  Spread last;
  for_converters(ramp, 20'000, [&](const std::vector<double>& levels) {
    first.add(levels[0] - 1.0);
    last.add(levels[24] - 25.0);
  });
  EXPECT_LT(std::abs(first.errors(0.02)), 5.0);
  EXPECT_LT(std::abs(last.errors(ramp_level_sd(0.02, 25))), 5.0);
}

TEST(ConverterCircuit, WeightsOfASearchReachEveryCode) {
  EXPECT_EQ(search_weights(15, 2.0), (std::vector<std::uint32_t>{8, 4, 2, 1}));
  EXPECT_EQ(search_weights(9, 2.0), (std::vector<std::uint32_t>{8, 4, 2, 1}));
  for (const double radix : {1.2, 1.5, 1.8, 1.9, 2.0}) {
    for (const std::uint32_t references : {2U, 15U, 200U, 4095U}) {
      const auto weights = search_weights(references, radix);
      EXPECT_EQ(weights.back(), 1U);
      std::uint32_t rest = 0;
      for (std::size_t k = weights.size(); k-- > 0;) {
        EXPECT_LE(weights[k], rest + 1);
        rest += weights[k];
      }
      EXPECT_GE(rest, references);
    }
  }
}

TEST(ConverterCircuit, OverlappingWeightsMakeGoodAWrongDecision) {
  // A shift of the first decision by 8 steps, as if the comparator were disturbed.
  const ConverterCircuit binary = circuit(ConverterKind::sar, 255, {}, step);
  const ConverterCircuit overlapping = circuit(ConverterKind::sar, 255, {.radix = 1.8}, step);
  const auto worst = [](const ConverterCircuit& sar, float shift) {
    const auto values = sar.freeze(std::vector<float>{});
    std::vector<float> noise(sar.fresh_draws(), 0.0f);
    noise[0] = shift;
    double largest = 0.0;
    for (double x = 0.5; x < 256.0; x += 1.0) {
      const double code = sar.code(values, x, NormalDraws{noise.data()});
      largest = std::max(largest, std::abs(code - std::floor(x)));
    }
    return largest;
  };
  EXPECT_EQ(worst(binary, 8.0f), 8.0);
  EXPECT_EQ(worst(overlapping, 8.0f), 0.0);
  EXPECT_EQ(worst(overlapping, -8.0f), 0.0);
  EXPECT_GT(worst(overlapping, 40.0f), 0.0);
}

TEST(ConverterCircuit, StagesMakeGoodOffsetsBelowAQuarterOfTheirRange) {
  // The last comparator's offset is one of the converter; here all are equal, as one draw of 1 sd.
  const std::uint32_t references = 63;
  const double range = 32.0;  // half of it, in steps
  for (const ConverterKind kind : {ConverterKind::pipeline, ConverterKind::cyclic}) {
    const ConverterCircuit stages = circuit(kind, references, {.offset_sd = 0.2 * range * step});
    std::vector<float> draws(stages.frozen_draws(), 1.0f);
    draws.back() = 0.0f;
    const auto values = stages.freeze(draws);
    for (double x = 0.5; x < 64.0; x += 0.25) EXPECT_EQ(stages.code(values, x, {}), std::floor(x));
    std::fill(draws.begin(), draws.end() - 1, 1.6f);  // 0.32
    const auto beyond = stages.freeze(draws);
    double worst = 0.0;
    for (double x = 0.5; x < 64.0; x += 0.25) {
      worst = std::max(worst, std::abs(stages.code(beyond, x, {}) - std::floor(x)));
    }
    EXPECT_GE(worst, 1.0);
  }
}

TEST(ConverterCircuit, FiniteGainOfTheFirstStageJumpsAtItsThresholds) {
  // Residue of the first stage at v = 1/4 falls by 2 / (1 + 2 / A) less... in steps at the input
  // the lost width is half_range / 2 * (1 - 1 / (1 + 2 / A)) to first order of all later stages'
  // gain, so the converter compresses its range by a factor known from its stages.
  const double gain = 1000.0;
  const ConverterCircuit pipeline = circuit(ConverterKind::pipeline, 255, {.amplifier_gain = gain});
  EXPECT_EQ(pipeline.frozen_draws(), 0U);
  const auto values = pipeline.freeze(std::vector<float>{});
  const double loss = 1.0 / (1.0 + 2.0 / gain);
  EXPECT_DOUBLE_EQ(values[0], 2.0 * loss);
  EXPECT_DOUBLE_EQ(values[1], loss);
  // Independent recursion of residues against the pieces.
  for (double x = 0.3; x < 256.0; x += 0.7) {
    double v = x / 128.0 - 1.0;
    int code = 128;
    for (int weight = 64; weight >= 1; weight /= 2) {
      const int digit = v >= 0.25 ? 1 : v < -0.25 ? -1 : 0;
      code += digit * weight;
      v = (2.0 * v - digit) / (1.0 + 1.0 / (gain * 0.5));
    }
    code -= v < 0.0 ? 1 : 0;
    EXPECT_EQ(pipeline.code(values, x, {}), std::clamp(code, 0, 255));
  }
}

TEST(ConverterCircuit, LinearityAgainstHandWorkedLevels) {
  const std::vector<double> positions{1, 2, 3, 4};
  const std::vector<double> levels{1.0, 2.2, 2.9, 4.3};
  const Linearity ideal = linearity(levels, positions, Line::ideal);
  EXPECT_NEAR(ideal.inl[1], 0.2, 1e-15);
  EXPECT_NEAR(ideal.dnl[0], 0.2, 1e-15);
  EXPECT_NEAR(ideal.dnl[1], -0.3, 1e-15);
  const Linearity ends = linearity(levels, positions, Line::end_point);
  EXPECT_NEAR(ends.inl[0], 0.0, 1e-15);
  EXPECT_NEAR(ends.inl[1], (2.2 - 2.1) / 1.1, 1e-14);
  EXPECT_NEAR(ends.inl[3], 0.0, 1e-14);
  EXPECT_NEAR(ends.dnl[2], 1.4 / 1.1 - 1.0, 1e-14);
  const Linearity fit = linearity(levels, positions, Line::best_fit);
  double sum = 0.0;
  double moment = 0.0;
  for (std::size_t j = 0; j < 4; ++j) {
    sum += fit.inl[j];
    moment += fit.inl[j] * positions[j];
  }
  EXPECT_NEAR(sum, 0.0, 1e-13);
  EXPECT_NEAR(moment, 0.0, 1e-13);
  EXPECT_NEAR(ends.worst_dnl(), 1.0 - 0.7 / 1.1, 1e-14);
}

TEST(ConverterCircuit, MissingCodesAndStepsBack) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::vector<CodePiece> clean{{-infinity, 0}, {1.0, 1}, {2.0, 2}, {3.0, 3}};
  EXPECT_EQ(missing_codes(clean, 3), 0U);
  EXPECT_FALSE(steps_back(clean));
  const std::vector<CodePiece> missing{{-infinity, 0}, {1.0, 1}, {3.0, 3}};
  EXPECT_EQ(missing_codes(missing, 3), 1U);
  EXPECT_EQ(transitions(missing, 3), (std::vector<double>{1.0, 3.0, 3.0}));
  const std::vector<CodePiece> back{{-infinity, 0}, {1.0, 2}, {1.5, 1}, {2.5, 2}, {3.0, 3}};
  EXPECT_TRUE(steps_back(back));
  const auto levels = transitions(back, 3);
  EXPECT_NEAR(levels[0], 1.0, 1e-12);
  EXPECT_NEAR(levels[1], 2.0, 1e-12);  // one step of code 1, then one and a half of code 2
  EXPECT_NEAR(levels[2], 3.0, 1e-12);
}

TEST(ConverterCircuit, UndecidedLatches) {
  const Regeneration latch{.logic_voltage = 0.5, .gain = 10.0, .time = 1e-9, .constant = 50e-12};
  EXPECT_NEAR(undecided_probability(latch, 5e-3), 2.0 * 0.5 / (10.0 * 5e-3) * std::exp(-20.0),
              1e-22);
  EXPECT_EQ(undecided_probability({.logic_voltage = 1.0, .gain = 1.0, .time = 0.0, .constant = 1.0},
                                  1e-3),
            1.0);
}

TEST(ConverterCircuit, RefusesWhatCanNotBe) {
  const auto problem = [](ConverterKind kind, ConverterMismatch mismatch,
                          const std::vector<double>& references) {
    const auto found = circuit_problem({.kind = kind, .mismatch = mismatch}, references);
    return found ? found->what : "";
  };
  const auto even = even_references(15);
  const std::vector<double> uneven{1e-6, 2e-6, 4e-6};
  EXPECT_EQ(problem(ConverterKind::sar, {.element_sd = 0.01}, even), "");
  EXPECT_EQ(problem(ConverterKind::sar, {.element_sd = 0.01}, uneven),
            "unevenly spaced references");
  EXPECT_EQ(problem(ConverterKind::flash, {.element_sd = 0.01}, uneven), "");
  EXPECT_EQ(problem(ConverterKind::flash, {.element_sd = 0.2}, even),
            "elements that differ by 0.2");
  EXPECT_EQ(problem(ConverterKind::flash, {.offset_sd = -1.0}, even), "a mismatch of -1");
  EXPECT_EQ(problem(ConverterKind::flash, {.radix = 1.9}, even), "a capacitor array");
  EXPECT_EQ(problem(ConverterKind::sar, {.radix = 1.1}, even), "a radix of 1.1");
  EXPECT_EQ(problem(ConverterKind::sar, {.amplifier_gain = 100.0}, even), "amplifiers");
  EXPECT_EQ(problem(ConverterKind::sar, {.split_bits = 4}, even), "4 of 4 bits behind a bridge");
  EXPECT_EQ(problem(ConverterKind::sar, {.split_bits = 2, .radix = 1.9}, even),
            "a split array with overlapping weights");
  EXPECT_EQ(problem(ConverterKind::pipeline, {}, even_references(1)), "2 codes");
  EXPECT_EQ(problem(ConverterKind::pipeline, {.amplifier_gain = 0.5}, even),
            "an amplifier gain of 0.5");
}

}  // namespace
}  // namespace cimstat::circuits
