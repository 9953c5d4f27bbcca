#include "devices/rram.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace cimstat::devices {

namespace {

using core::Quantity;
using core::Range;

constexpr std::array<std::string_view, 4> distributions = {"lognormal", "normal", "empirical",
                                                           "point"};

constexpr std::array<Parameter, 4> parameters = {{
    {"access_resistance", Quantity::resistance, Range::not_negative(), 0.0,
     "series resistance of the access transistor"},
    {"read_noise", Quantity::ratio, Range{0.0, 1.0, false, false}, 0.0,
     "fresh noise of a read, sd relative to the conductance"},
    {"stuck_at_lrs", Quantity::ratio, Range::fraction(), 0.0, "fraction of cells stuck in LRS"},
    {"stuck_at_hrs", Quantity::ratio, Range::fraction(), 0.0, "fraction of cells stuck in HRS"},
}};

double median_of(const core::Shape& shape) {
  if (const auto* point = std::get_if<core::Point>(&shape)) return point->value;
  return core::Law({{.base = shape}}).quantile(core::Tail::lower, 0.5);
}

core::Component cell_component(const RramCell& cell, double weight, core::Shape base) {
  return {.weight = weight,
          .base = std::move(base),
          .compression = cell.access_resistance,
          .relative_noise = cell.read_noise};
}

core::Law mixture(const RramCell& cell, Level level) {
  std::vector<core::Component> components;
  const double stuck = cell.stuck_at_lrs + cell.stuck_at_hrs;
  if (stuck < 1.0) {
    components.push_back(
        cell_component(cell, 1.0 - stuck, level == Level::lrs ? cell.lrs : cell.hrs));
  }
  if (cell.stuck_at_lrs > 0.0) {
    components.push_back(cell_component(cell, cell.stuck_at_lrs, core::Point{median_of(cell.lrs)}));
  }
  if (cell.stuck_at_hrs > 0.0) {
    components.push_back(cell_component(cell, cell.stuck_at_hrs, core::Point{median_of(cell.hrs)}));
  }
  return core::Law(std::move(components));
}

// `stem` as a conductance, or `stem`_resistance as a resistance; which one was written.
struct Given {
  double value = 0.0;
  bool is_resistance = false;
};

Given read_either(const core::ConfigTable& law, std::string_view stem) {
  const std::string resistance_key = fmt::format("{}_resistance", stem);
  if (!law.has(resistance_key)) {
    return {.value = law.number(stem, Quantity::conductance, Range::positive())};
  }
  if (law.has(stem)) {
    law.fail(resistance_key, fmt::format("given together with {}", stem), {},
             "keep one of the two");
  }
  return {.value = law.number(resistance_key, Quantity::resistance, Range::positive()),
          .is_resistance = true};
}

core::Shape read_lognormal(const core::ConfigTable& law) {
  const bool by_mean = law.has("mean") || law.has("mean_resistance");
  if (by_mean && (law.has("median") || law.has("median_resistance") || law.has("sigma"))) {
    law.fail(law.has("sigma") ? "sigma" : "median", "given together with a mean",
             "mean = median exp(sigma^2 / 2), they are not the same",
             "give median and sigma, or mean and sd");
  }
  Spread spread;
  bool is_resistance = false;
  if (by_mean) {
    const Given mean = read_either(law, "mean");
    is_resistance = mean.is_resistance;
    const double sd = is_resistance
                          ? law.number("sd_resistance", Quantity::resistance, Range::not_negative())
                          : law.number("sd", Quantity::conductance, Range::not_negative());
    spread = lognormal_from_mean(mean.value, sd);
  } else {
    const Given median = read_either(law, "median");
    is_resistance = median.is_resistance;
    spread =
        lognormal_from_median(median.value, law.number("sigma", Quantity::ratio, Range{0.0, 5.0}));
  }
  // A lognormal resistance is a lognormal conductance of the same sigma; the median inverts.
  const double median = is_resistance ? 1.0 / spread.median : spread.median;
  if (law.has("low") || law.has("high")) {
    const double low = law.number_or("low", Quantity::conductance, Range::not_negative(), 0.0);
    const double high = law.number_or("high", Quantity::conductance, Range::positive(), 1.0);
    if (low >= high) law.fail("low", "not below high", {}, "swap the two");
    return core::TruncatedLogNormal{median, spread.sigma, low, high};
  }
  return core::LogNormal{median, spread.sigma};
}

core::Shape read_normal(const core::ConfigTable& law) {
  if (law.has("mean_resistance")) {
    law.fail("mean_resistance", "a normal law is one of the conductance here",
             "1/R of a normal is not normal",
             "give mean and sd as conductances, or use a lognormal");
  }
  const double mean = law.number("mean", Quantity::conductance, Range::not_negative());
  const double sd = law.number("sd", Quantity::conductance, Range::not_negative());
  if (law.has("low") || law.has("high")) {
    const double low = law.number_or("low", Quantity::conductance, Range::not_negative(), 0.0);
    const double high = law.number_or("high", Quantity::conductance, Range::positive(), 1.0);
    if (low >= high) law.fail("low", "not below high", {}, "swap the two");
    return core::TruncatedNormal{mean, sd, low, high};
  }
  return core::Normal{mean, sd};
}

core::Shape read_empirical(const core::ConfigTable& law) {
  core::Empirical empirical;
  empirical.value = law.numbers("values", Quantity::conductance, Range::not_negative());
  if (empirical.value.size() < 2) {
    law.fail("values", "fewer than 2 quantiles", {}, "list conductances in ascending order");
  }
  if (law.has("probabilities")) {
    empirical.probability = law.numbers("probabilities", Quantity::ratio, Range::fraction());
    if (empirical.probability.size() != empirical.value.size()) {
      law.fail("probabilities",
               fmt::format("{} probabilities for {} values", empirical.probability.size(),
                           empirical.value.size()),
               {}, "give one for each value, from 0 to 1");
    }
  } else {
    const double last = double(empirical.value.size() - 1);
    for (std::size_t i = 0; i < empirical.value.size(); ++i)
      empirical.probability.push_back(double(i) / last);
  }
  const auto& p = empirical.probability;
  for (std::size_t i = 1; i < p.size(); ++i) {
    if (p[i] <= p[i - 1]) law.fail("probabilities", "not strictly ascending", {}, "sort them");
    if (empirical.value[i] < empirical.value[i - 1])
      law.fail("values", "not ascending", {}, "sort them");
  }
  if (p.front() != 0.0 || p.back() != 1.0) {
    law.fail("probabilities", "do not run from 0 to 1", {}, "make the first 0 and the last 1");
  }
  return empirical;
}

}  // namespace

Spread lognormal_from_mean(double mean, double sd) {
  const double ratio = sd / mean;
  const double sigma = std::sqrt(std::log1p(ratio * ratio));
  return {.median = mean * std::exp(-0.5 * sigma * sigma), .sigma = sigma, .mean = mean, .sd = sd};
}

Spread lognormal_from_median(double median, double sigma) {
  const double mean = median * std::exp(0.5 * sigma * sigma);
  return {.median = median,
          .sigma = sigma,
          .mean = mean,
          .sd = mean * std::sqrt(std::expm1(sigma * sigma))};
}

core::Law RramCell::programmed(Level level) const {
  RramCell quiet = *this;
  quiet.read_noise = 0.0;
  return mixture(quiet, level);
}

core::Law RramCell::read(Level level) const { return mixture(*this, level); }

core::Law RramCell::middle() const {
  RramCell whole = *this;
  whole.stuck_at_lrs = 0.0;
  whole.stuck_at_hrs = 0.0;
  const core::Law on = whole.read(Level::lrs);
  return on.scaled(0.5 * (on.mean() + whole.read(Level::hrs).mean()) / on.mean());
}

std::span<const Parameter> rram_parameters() { return parameters; }

core::Shape read_conductance(const core::ConfigTable& law) {
  const std::string distribution = law.choice("distribution", distributions);
  if (distribution == "normal") return read_normal(law);
  if (distribution == "empirical") return read_empirical(law);
  if (distribution == "point") {
    const Given value = read_either(law, "value");
    return core::Point{value.is_resistance ? 1.0 / value.value : value.value};
  }
  return read_lognormal(law);
}

RramCell read_rram(const core::ConfigTable& cell) {
  constexpr std::array<std::string_view, 1> models = {"rram"};
  cell.choice("model", models);
  if (cell.has("levels")) {
    cell.fail("levels", "an RRAM cell has two levels in error tables",
              "LRS and HRS; a table's classes are keyed by the LRS count",
              "describe them in [cell.lrs] and [cell.hrs]");
  }
  RramCell result{.lrs = read_conductance(cell.table("lrs")),
                  .hrs = read_conductance(cell.table("hrs"))};
  double RramCell::*const members[] = {&RramCell::access_resistance, &RramCell::read_noise,
                                       &RramCell::stuck_at_lrs, &RramCell::stuck_at_hrs};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    result.*members[i] =
        cell.number_or(parameter.key, parameter.quantity, parameter.range, parameter.fallback);
  }
  if (result.stuck_at_lrs + result.stuck_at_hrs > 1.0) {
    cell.fail("stuck_at_lrs", "stuck_at_lrs + stuck_at_hrs exceeds 1",
              "they are fractions of all cells", "lower one of them");
  }
  if (result.access_resistance > 0.0) {
    for (const auto& [name, shape] :
         {std::pair("lrs", &result.lrs), std::pair("hrs", &result.hrs)}) {
      const auto* normal = std::get_if<core::Normal>(shape);
      if (normal != nullptr && normal->mean < 9.0 * normal->sd) {
        cell.table(name).fail("sd", "a normal law this wide reaches negative conductances",
                              "they have no meaning behind access_resistance",
                              "truncate it with low = 0, or use a lognormal");
      }
    }
  }
  return result;
}

std::string describe(const core::Shape& conductance) {
  const auto siemens = [](double value) {
    return core::format_quantity(value, Quantity::conductance);
  };
  const auto both = [&](std::string_view name, const Spread& spread, std::string_view tail) {
    return fmt::format("{}: median {}, sigma {:.4g}{} (mean {}, sd {})", name,
                       siemens(spread.median), spread.sigma, tail, siemens(spread.mean),
                       siemens(spread.sd));
  };
  struct Visitor {
    decltype(siemens)& in_siemens;
    decltype(both)& in_both;
    std::string operator()(const core::Point& point) const {
      return fmt::format("point: {}", in_siemens(point.value));
    }
    std::string operator()(const core::Normal& normal) const {
      return fmt::format("normal: mean {}, sd {}", in_siemens(normal.mean), in_siemens(normal.sd));
    }
    std::string operator()(const core::LogNormal& law) const {
      return in_both("lognormal", lognormal_from_median(law.median, law.sigma), "");
    }
    std::string operator()(const core::TruncatedNormal& normal) const {
      return fmt::format("normal: mean {}, sd {} truncated to {} .. {}", in_siemens(normal.mean),
                         in_siemens(normal.sd), in_siemens(normal.low), in_siemens(normal.high));
    }
    std::string operator()(const core::TruncatedLogNormal& law) const {
      return in_both(
          "lognormal", lognormal_from_median(law.median, law.sigma),
          fmt::format(" truncated to {} .. {}", in_siemens(law.low), in_siemens(law.high)));
    }
    std::string operator()(const core::Empirical& law) const {
      return fmt::format("empirical: {} quantiles, {} .. {}", law.value.size(),
                         in_siemens(law.value.front()), in_siemens(law.value.back()));
    }
  };
  return std::visit(Visitor{siemens, both}, conductance);
}

}  // namespace cimstat::devices
