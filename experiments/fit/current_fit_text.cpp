#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/file/json.h"

#include "experiments/fit/current_fit.h"

namespace cimstat::experiments {

namespace {

using core::Json;
using core::Quantity;

std::string amperes(double value, int digits = 4) {
  return core::format_quantity(value, Quantity::current, digits);
}

std::string siemens(double value, int digits = 6) {
  return core::format_quantity(value, Quantity::conductance, digits);
}

/// Of a variance, by the delta method.
FittedValue spread_of(const FittedValue& variance) {
  const double sd = std::sqrt(variance.value);
  if (!(sd > 0.0)) return {};
  return {sd, 0.5 * variance.standard_error / sd, 0.5 * variance.robust_error / sd};
}

std::string estimate_text(const FittedValue& estimate) {
  if (estimate.value == 0.0 && estimate.standard_error == 0.0) return "0 (likeliest there)";
  return fmt::format("{} +- {} ({})", amperes(estimate.value), amperes(estimate.standard_error, 2),
                     amperes(estimate.robust_error, 2));
}

std::string line(std::string_view name, const std::string& mean, const std::string& sd) {
  return fmt::format("  {:<10}{:<36} {}\n", name, mean, sd);
}

std::string chi_square_text(std::string_view name, const ChiSquare& test, std::string_view what) {
  if (test.degrees < 1.0) return fmt::format("  {}: too few groups to tell\n", name);
  return fmt::format("  {}: chi-square {:.1f} at {:g} degrees of freedom, p = {:.3g} ({})\n", name,
                     test.statistic, test.degrees, test.p_value, what);
}

Json json_of(const FittedValue& estimate) {
  return {{"value", estimate.value},
          {"standard_error", estimate.standard_error},
          {"robust_standard_error", estimate.robust_error}};
}

Json json_of(const ChiSquare& test) {
  return {{"chi_square", test.statistic}, {"degrees", test.degrees}, {"p_value", test.p_value}};
}

}  // namespace

std::string current_fit_as_text(const CurrentFitReport& report) {
  const SumFit& fit = report.fit;
  std::string text = fmt::format("{}: {} vectors, {} different (LRS, HRS) counts\n",
                                 report.file.filename().string(), fit.vectors, fit.groups);
  text += line("", "mean +- standard error (any shape)", "sd +- standard error (any shape)");
  text += line("LRS cell", estimate_text(fit.lrs_mean), estimate_text(spread_of(fit.lrs_variance)));
  text += line("HRS cell", estimate_text(fit.hrs_mean), estimate_text(spread_of(fit.hrs_variance)));
  if (fit.constant || fit.noise_variance) {
    text += line("each read", fit.constant ? estimate_text(*fit.constant) : "0",
                 fit.noise_variance ? estimate_text(spread_of(*fit.noise_variance))
                                    : amperes(std::sqrt(*report.model.noise_variance)) + ", given");
  } else {
    text += line("each read", "0",
                 amperes(std::sqrt(report.model.noise_variance.value_or(0.0))) + ", given");
  }
  text +=
      "  By restricted maximum likelihood for independent cells, drawn afresh for each vector; the "
      "first error is\n  that of normal sums, the one in parentheses holds for any shape.\n";
  text += chi_square_text("means", fit.means, "small p: the current is not such a sum");
  text += chi_square_text("spreads", fit.spreads, "small p: the variance is not such a sum");
  text +=
      fmt::format("  residuals: skewness {:+.3f} +- {:.3f}, excess kurtosis {:+.3f} +- {:.3f}\n",
                  fit.skewness, std::sqrt(6.0 / double(fit.vectors)), fit.excess_kurtosis,
                  std::sqrt(24.0 / double(fit.vectors)));
  if (!report.read_voltage) text += "  --read-voltage makes conductances and a section of these.\n";
  return text;
}

std::string current_fit_as_toml(const CurrentFitReport& report) {
  if (!report.read_voltage) return {};
  const double volts = *report.read_voltage;
  const SumFit& fit = report.fit;
  const auto cell = [&](std::string_view level, const FittedValue& mean,
                        const FittedValue& variance) {
    return fmt::format("[cell.{}]\ndistribution = \"normal\"\nmean = \"{}\"\nsd = \"{}\"\n\n",
                       level, siemens(mean.value / volts),
                       siemens(std::sqrt(variance.value) / volts));
  };
  std::string text =
      cell("lrs", fit.lrs_mean, fit.lrs_variance) + cell("hrs", fit.hrs_mean, fit.hrs_variance);
  if (fit.noise_variance) {
    text += fmt::format("[sense_amplifier]\nnoise_sd = \"{}\"\n",
                        amperes(std::sqrt(fit.noise_variance->value), 6));
  } else {
    text.pop_back();
  }
  return text;
}

std::string current_fit_as_json(const CurrentFitReport& report) {
  const SumFit& fit = report.fit;
  Json json = {{"file", report.file.string()},
               {"vectors", fit.vectors},
               {"groups", fit.groups},
               {"lrs_mean_A", json_of(fit.lrs_mean)},
               {"hrs_mean_A", json_of(fit.hrs_mean)},
               {"lrs_variance_A2", json_of(fit.lrs_variance)},
               {"hrs_variance_A2", json_of(fit.hrs_variance)}};
  if (fit.constant) json["constant_A"] = json_of(*fit.constant);
  if (fit.noise_variance) json["noise_variance_A2"] = json_of(*fit.noise_variance);
  if (report.model.noise_variance) json["given_noise_variance_A2"] = *report.model.noise_variance;
  json["log_likelihood"] = fit.log_likelihood;
  json["means_test"] = json_of(fit.means);
  json["spreads_test"] = json_of(fit.spreads);
  json["skewness"] = fit.skewness;
  json["excess_kurtosis"] = fit.excess_kurtosis;
  json["toml"] = current_fit_as_toml(report);
  return core::json_text(json);
}

}  // namespace cimstat::experiments
