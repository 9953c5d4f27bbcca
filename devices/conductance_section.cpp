#include "devices/conductance.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Parameter;
using core::Quantity;
using core::Range;

// What any memory cell could have, and then some: a mistyped exponent must not pass.
constexpr Range conductances{1e-15, 1e3};        // [S]
constexpr Range conductances_or_none{0.0, 1e3};  // [S]
constexpr Range resistances{1e-3, 1e15};         // [ohm]
constexpr Range resistances_or_none{0.0, 1e15};  // [ohm]
constexpr double largest_sigma = 5.0;

Parameter conductance(std::string_view key, Range range, std::string_view meaning,
                      std::string_view example, std::string_view absent = {}) {
  return {.key = key,
          .rule = NumberRule{Quantity::conductance, range, {}},
          .meaning = meaning,
          .example = example,
          .absent = absent};
}

Parameter resistance(std::string_view key, Range range, std::string_view meaning,
                     std::string_view example) {
  return {.key = key,
          .rule = NumberRule{Quantity::resistance, range, {}},
          .meaning = meaning,
          .example = example};
}

Parameter low() {
  return conductance("low", conductances_or_none,
                     "lower end of the law; `beyond` says what becomes of cells below it",
                     "\"10 uS\"", "0 where high or beyond is given, else none");
}

Parameter high() {
  return conductance("high", conductances, "upper end of the law; as low", "\"90 uS\"",
                     "not cut off");
}

Parameter beyond() {
  return {.key = "beyond",
          .rule = core::option_rule(beyond_options, {}),
          .meaning = "what becomes of cells beyond low and high",
          .example = "\"clamped\"",
          .absent = "cut_off"};
}

core::Variant lognormal() {
  return {.name = "lognormal",
          .meaning =
              "the logarithm is normal; so is that of the resistance, with the same sigma. "
              "mean = median exp(sigma^2 / 2), sd = mean sqrt(exp(sigma^2) - 1)",
          .parameters =
              {conductance("median", conductances, "half of the cells lie below it", "\"40 uS\""),
               resistance("median_resistance", resistances, "the same as a resistance: 1 / median",
                          "\"25 kohm\""),
               {.key = "sigma",
                .rule = NumberRule{Quantity::ratio, Range{0.0, largest_sigma}, {}},
                .meaning = "standard deviation of the natural logarithm",
                .example = "0.05"},
               conductance("mean", conductances, "mean conductance, with sd", "\"40 uS\""),
               conductance("sd", conductances_or_none, "standard deviation, with mean", "\"2 uS\""),
               resistance("mean_resistance", resistances, "mean resistance, with sd_resistance",
                          "\"25 kohm\""),
               resistance("sd_resistance", resistances_or_none,
                          "standard deviation of the resistance", "\"1 kohm\""),
               low(),
               high(),
               beyond()},
          .ways = {{"median", "sigma"},
                   {"median_resistance", "sigma"},
                   {"mean", "sd"},
                   {"mean_resistance", "sd_resistance"}}};
}

core::Variant normal() {
  return {.name = "normal",
          .meaning = "normal in the conductance; a wide one reaches below 0 unless low = 0",
          .parameters = {conductance("mean", conductances_or_none,
                                     "mean conductance, before any cut", "\"40 uS\""),
                         conductance("sd", conductances_or_none,
                                     "standard deviation, before any cut", "\"2 uS\""),
                         low(), high(), beyond()},
          .ways = {{"mean", "sd"}}};
}

core::Variant empirical() {
  return {
      .name = "empirical",
      .meaning = "measured: the quantile function is linear between the points given",
      .parameters = {{.key = "values",
                      .rule = core::NumbersRule{Quantity::conductance, conductances_or_none},
                      .meaning = "conductances, ascending, two or more",
                      .example = "[38e-6, 40e-6, 43e-6]"},
                     {.key = "probabilities",
                      .rule = core::NumbersRule{Quantity::ratio, Range::fraction()},
                      .meaning =
                          "cumulative probability at each of the values: the share of cells that "
                          "lie at or below it; from 0 to 1, strictly ascending",
                      .example = "[0, 0.5, 1]",
                      .absent = "evenly spaced from 0 to 1"}},
      .ways = {{"values", "probabilities"}}};
}

core::Variant point() {
  return {.name = "point",
          .meaning = "every cell has the same conductance",
          .parameters = {conductance("value", conductances_or_none,
                                     "the conductance; 0 is a perfect off state", "\"1 uS\""),
                         resistance("value_resistance", resistances, "the same as a resistance",
                                    "\"1 Mohm\"")},
          .ways = {{"value"}, {"value_resistance"}}};
}

}  // namespace

core::Section conductance_section(std::string_view key, core::Need need, std::string_view meaning) {
  return {.key = key,
          .need = need,
          .meaning = meaning,
          .selector = "distribution",
          .selector_meaning = "the law of the conductance over cells",
          .variants = {lognormal(), normal(), empirical(), point()}};
}

}  // namespace cimstat::devices
