#include "devices/conductance.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "core/error.h"
#include "core/law/shape.h"

namespace cimstat::devices {

namespace {

using core::Quantity;
using core::SectionReader;

/// Beyond so many sd a tail is 0 in double: a law cut off there is one that is not cut off.
constexpr double no_tail = 40.0;
constexpr double largest_sigma = 5.0;  // as the section states it

struct Ends {
  double low;
  double high;
  Beyond beyond;
};

/// The ends of a law cut off by `low` or `high`, nothing where neither is given. `endless` stands
/// for an upper end that cuts nothing off.
std::optional<Ends> read_ends(const SectionReader& law, double endless) {
  const auto low = law.optional_number("low");
  const auto high = law.optional_number("high");
  const bool states_beyond = law.has("beyond");
  if (!low && !high && !states_beyond) return std::nullopt;
  const Ends ends{
      low.value_or(0.0), high.value_or(std::max(endless, 2.0 * low.value_or(0.0))),
      states_beyond ? core::read_option(law, "beyond", beyond_options) : Beyond::cut_off};
  if (ends.low >= ends.high) law.fail("low", "is not below high", {}, "lower it, or raise high");
  return ends;
}

/// What the four ways to give a lognormal come to: its median [S] and sigma.
core::LogNormal read_parent(const SectionReader& law) {
  const bool by_mean = law.has("mean") || law.has("sd");
  const bool by_mean_resistance = law.has("mean_resistance") || law.has("sd_resistance");
  const bool by_median_resistance = law.has("median_resistance");
  Spread spread;
  if (by_mean) {
    const double mean = law.number("mean");
    spread = lognormal_from_mean(mean, law.number("sd"));
  } else if (by_mean_resistance) {
    const double mean = law.number("mean_resistance");
    spread = lognormal_from_mean(mean, law.number("sd_resistance"));
  } else {
    const double median = law.number(by_median_resistance ? "median_resistance" : "median");
    spread = lognormal_from_median(median, law.number("sigma"));
  }
  if (spread.sigma > largest_sigma) {
    law.fail(by_mean ? "sd" : "sd_resistance",
             fmt::format("is {:.4g} times the mean", spread.sd / spread.mean),
             fmt::format("a lognormal of sigma {:.4g}, where {:g} is the largest", spread.sigma,
                         largest_sigma),
             "lower it");
  }
  // A lognormal resistance is a lognormal conductance of the same sigma; the median inverts.
  const bool inverted = by_mean_resistance || by_median_resistance;
  return {inverted ? 1.0 / spread.median : spread.median, spread.sigma};
}

core::Shape read_lognormal(const SectionReader& law) {
  const core::LogNormal parent = read_parent(law);
  const double endless = parent.median * std::exp(no_tail * parent.sigma);
  if (const auto ends = read_ends(law, endless)) {
    if (ends->beyond == Beyond::clamped) {
      return core::ClampedLogNormal{parent.median, parent.sigma, ends->low, ends->high};
    }
    return core::TruncatedLogNormal{parent.median, parent.sigma, ends->low, ends->high};
  }
  return parent;
}

core::Shape read_normal(const SectionReader& law) {
  if (law.has("mean_resistance")) {
    law.fail("mean_resistance", "a normal law is one of the conductance here",
             "1/R of a normal is not normal",
             "give mean and sd as conductances, or use a lognormal");
  }
  const double mean = law.number("mean");
  const double sd = law.number("sd");
  if (const auto ends = read_ends(law, mean + no_tail * sd)) {
    if (ends->beyond == Beyond::clamped) {
      return core::ClampedNormal{mean, sd, ends->low, ends->high};
    }
    return core::TruncatedNormal{mean, sd, ends->low, ends->high};
  }
  return core::Normal{mean, sd};
}

core::Shape read_empirical(const SectionReader& law) {
  core::Empirical empirical;
  empirical.value = law.numbers("values");
  const std::vector<double>& value = empirical.value;
  if (value.size() < 2) {
    law.fail("values", fmt::format("{} given", value.size()), "two or more are needed",
             "list conductances in ascending order, or use distribution = \"point\"");
  }
  if (!std::is_sorted(value.begin(), value.end())) {
    law.fail("values", "do not ascend", {}, "sort them");
  }
  std::vector<double>& p = empirical.probability;
  if (!law.has("probabilities")) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      p.push_back(static_cast<double>(i) / static_cast<double>(value.size() - 1));
    }
    return empirical;
  }
  constexpr std::string_view cumulative =
      "they are cumulative: the share of cells at or below each value";
  p = law.numbers("probabilities");
  if (p.size() != value.size()) {
    law.fail("probabilities", fmt::format("{} given for {} values", p.size(), value.size()),
             cumulative, "give one for each value");
  }
  if (std::adjacent_find(p.begin(), p.end(), std::greater_equal<>()) != p.end()) {
    law.fail("probabilities", "do not ascend strictly", cumulative,
             "add up the shares of single values, or join equal ones");
  }
  if (p.front() != 0.0 || p.back() != 1.0) {
    law.fail("probabilities", fmt::format("run from {} to {}", p.front(), p.back()), cumulative,
             "make the first 0 and the last 1");
  }
  return empirical;
}

core::Shape read_shape(const SectionReader& law) {
  if (law.variant() == "normal") return read_normal(law);
  if (law.variant() == "empirical") return read_empirical(law);
  if (law.variant() == "lognormal") return read_lognormal(law);
  return core::Point{law.has("value_resistance") ? 1.0 / law.number("value_resistance")
                                                 : law.number("value")};
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

core::Shape read_conductance(const SectionReader& law) {
  core::Shape shape = read_shape(law);
  try {
    core::check(shape);
    core::Law({{.base = shape}});
  } catch (const core::LawError& error) {
    const bool cut = law.has("low") || law.has("high");
    const std::string_view key = !cut ? "" : law.has("low") ? "low" : "high";
    law.fail(key, error.problem(), error.why(), error.remedy());
  }
  return shape;
}

std::optional<std::string> negative_warning(const SectionReader& law,
                                            const core::Shape& conductance) {
  constexpr double noticeable = 1e-9;
  const auto* normal = std::get_if<core::Normal>(&conductance);
  if (normal == nullptr || normal->sd == 0.0) return std::nullopt;
  const double share = core::tail_probability(conductance, core::Tail::lower, 0.0);
  if (share < noticeable) return std::nullopt;
  return core::error_line(
      law.place("sd"), fmt::format("{:.3g} of the cells have a negative conductance", share),
      "the normal law is that wide", "cut it off with low = 0, or use a lognormal");
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
  const auto ends = [&](double low, double high, double endless, Beyond beyond) {
    const bool clamped = beyond == Beyond::clamped;
    return high >= endless
               ? fmt::format(" {} below {}", clamped ? "clamped" : "cut off", siemens(low))
               : fmt::format(" {} to {} .. {}", clamped ? "clamped" : "truncated", siemens(low),
                             siemens(high));
  };
  struct Visitor {
    decltype(siemens)& in_siemens;
    decltype(both)& in_both;
    decltype(ends)& in_ends;
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
      return fmt::format(
          "normal: mean {}, sd {}{}", in_siemens(normal.mean), in_siemens(normal.sd),
          in_ends(normal.low, normal.high, normal.mean + no_tail * normal.sd, Beyond::cut_off));
    }
    std::string operator()(const core::ClampedNormal& normal) const {
      return fmt::format(
          "normal: mean {}, sd {}{}", in_siemens(normal.mean), in_siemens(normal.sd),
          in_ends(normal.low, normal.high, normal.mean + no_tail * normal.sd, Beyond::clamped));
    }
    std::string operator()(const core::TruncatedLogNormal& law) const {
      return in_both(
          "lognormal", lognormal_from_median(law.median, law.sigma),
          in_ends(law.low, law.high, law.median * std::exp(no_tail * law.sigma), Beyond::cut_off));
    }
    std::string operator()(const core::ClampedLogNormal& law) const {
      return in_both(
          "lognormal", lognormal_from_median(law.median, law.sigma),
          in_ends(law.low, law.high, law.median * std::exp(no_tail * law.sigma), Beyond::clamped));
    }
    std::string operator()(const core::QuantileCurve& law) const {
      const core::Law whole({{.base = law}});
      return fmt::format("by quantiles: mean {}, sd {}", in_siemens(whole.mean()),
                         in_siemens(whole.sd()));
    }
    std::string operator()(const core::Empirical& law) const {
      return fmt::format("empirical: {} quantiles, {} .. {}", law.value.size(),
                         in_siemens(law.value.front()), in_siemens(law.value.back()));
    }
  };
  return std::visit(Visitor{siemens, both, ends}, conductance);
}

}  // namespace cimstat::devices
