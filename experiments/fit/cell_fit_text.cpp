#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/file/json.h"

#include "experiments/fit/cell_fit.h"

namespace cimstat::experiments {

namespace {

using core::Json;

constexpr double doubtful = 0.01;  // a p-value below it: the law does not describe the cells

std::string siemens(double value, int digits = 4) {
  return core::format_quantity(value, core::Quantity::conductance, digits);
}

std::string_view family_name(core::Family family) {
  return family == core::Family::normal ? "normal" : "lognormal";
}

std::string upper_case(std::string text) {
  for (char& letter : text) letter = static_cast<char>(letter - 'a' + 'A');
  return text;
}

/// "median 40.14 uS +- 102 nS".
std::string parameter_text(const core::FittedParameter& parameter) {
  if (parameter.name == "sigma") {
    return fmt::format("sigma {:.4g} +- {:.2g}", parameter.value, parameter.standard_error);
  }
  return fmt::format("{} {} +- {}", parameter.name, siemens(parameter.value, 5),
                     siemens(parameter.standard_error, 2));
}

std::string candidate_text(const CandidateFit& candidate) {
  std::string text = fmt::format("  {:<10}", family_name(candidate.family));
  const auto& fit = candidate.result.fit;
  if (!fit) return text + "none: " + candidate.result.obstacle + "\n";
  const std::string parameters =
      parameter_text(fit->parameters[0]) + ", " + parameter_text(fit->parameters[1]);
  return text + fmt::format("{:<54} {:>10.2f} {:>10.2f} {:>10.2f} {:>8.3f} {:>7}\n", parameters,
                            fit->log_likelihood, fit->aic(), fit->bic(),
                            candidate.goodness.statistic,
                            fmt::format("{:.3g}", candidate.goodness.p_value));
}

/// Models whose AIC differs by less than 2 are about as good (Burnham and Anderson 2002, 2.6).
std::string closeness(const CellFit& fit) {
  const auto& first = fit.candidates[0].result.fit;
  const auto& second = fit.candidates[1].result.fit;
  if (!first || !second || std::abs(first->aic() - second->aic()) >= 2.0) return {};
  return " (both are about as good)";
}

std::string verdict(const CellFit& fit, const CellFitOptions& options) {
  if (!fit.chosen) return "the cells as they are: an empirical law\n";
  const CandidateFit& chosen = fit.candidates[*fit.chosen];
  std::string text = std::string(family_name(chosen.family));
  if (options.law == LawChoice::best) text += ", which has the lower AIC" + closeness(fit);
  if (chosen.goodness.p_value < doubtful) {
    text += "; but A^2 says that it does not describe the cells: look at --law empirical";
  }
  return text + "\n";
}

void append_law(std::string& text, const CellFit& fit, const CellFitOptions& options) {
  if (!fit.chosen) {
    text += "distribution = \"empirical\"\n";
    const auto list = [&](std::string_view key, const std::vector<double>& numbers, int digits) {
      text += fmt::format("{} = [", key);
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        text += i == 0 ? "" : i % 8 == 0 ? ",\n    " : ", ";
        text += fmt::format("{:.{}g}", numbers[i], digits);
      }
      text += "]\n";
    };
    list("values", fit.empirical.value, 6);
    if (fit.empirical.value.size() < fit.cells)
      list("probabilities", fit.empirical.probability, 17);
    return;
  }
  const CandidateFit& chosen = fit.candidates[*fit.chosen];
  text += fmt::format("distribution = \"{}\"\n", family_name(chosen.family));
  for (const core::FittedParameter& parameter : chosen.result.fit->parameters) {
    if (parameter.name == "sigma") {
      text += fmt::format("sigma = {:.6g}\n", parameter.value);
    } else {
      text += fmt::format("{} = \"{}\"\n", parameter.name, siemens(parameter.value, 6));
    }
  }
  if (options.cut.low > 0.0) text += fmt::format("low = \"{}\"\n", siemens(options.cut.low, 17));
  if (std::isfinite(options.cut.high)) {
    text += fmt::format("high = \"{}\"\n", siemens(options.cut.high, 17));
  }
}

}  // namespace

std::string cell_fit_as_text(const CellFitReport& report) {
  std::string text;
  for (const CellFit& fit : report.fits) {
    text += fmt::format("{} ({}, column {}): {} cells, mean {}, sd {}, from {} to {}\n",
                        upper_case(fit.level), report.file.filename().string(), fit.column,
                        fit.cells, siemens(fit.mean), siemens(fit.sd), siemens(fit.smallest),
                        siemens(fit.largest));
    text += fmt::format("  {:<10}{:<54} {:>10} {:>10} {:>10} {:>8} {:>7}\n", "law",
                        "likeliest (+- standard error)", "ln L", "AIC", "BIC", "A^2", "p");
    for (const CandidateFit& candidate : fit.candidates) text += candidate_text(candidate);
    text += "  chosen: " + verdict(fit, report.options);
  }
  return text + fmt::format(
                    "p: Anderson-Darling with fitted parameters, by parametric bootstrap ({} "
                    "samples, seed {})\n",
                    report.options.replicates, report.options.seed);
}

std::string cell_fit_as_toml(const CellFitReport& report) {
  std::string text;
  for (const CellFit& fit : report.fits) {
    if (!text.empty()) text += "\n";
    text += fmt::format("[cell.{}]\n", fit.level);
    append_law(text, fit, report.options);
  }
  return text;
}

std::string cell_fit_as_json(const CellFitReport& report) {
  Json fits = Json::array();
  for (const CellFit& fit : report.fits) {
    Json candidates = Json::array();
    for (const CandidateFit& candidate : fit.candidates) {
      Json one = {{"distribution", family_name(candidate.family)}};
      if (const auto& found = candidate.result.fit) {
        for (const core::FittedParameter& parameter : found->parameters) {
          const std::string name(parameter.name);
          const std::string unit = name == "sigma" ? "" : "_S";
          one[name + unit] = parameter.value;
          one[name + "_standard_error" + unit] = parameter.standard_error;
        }
        one["log_likelihood"] = found->log_likelihood;
        one["aic"] = found->aic();
        one["bic"] = found->bic();
        one["anderson_darling"] = candidate.goodness.statistic;
        one["p_value"] = candidate.goodness.p_value;
        one["bootstrap_samples"] = candidate.goodness.replicates;
      } else {
        one["obstacle"] = candidate.result.obstacle;
      }
      candidates.push_back(one);
    }
    fits.push_back({{"level", fit.level},
                    {"column", fit.column},
                    {"cells", fit.cells},
                    {"mean_S", fit.mean},
                    {"sd_S", fit.sd},
                    {"smallest_S", fit.smallest},
                    {"largest_S", fit.largest},
                    {"candidates", candidates},
                    {"chosen", fit.chosen ? Json(family_name(fit.candidates[*fit.chosen].family))
                                          : Json("empirical")}});
  }
  return core::json_text({{"file", report.file.string()},
                          {"seed", report.options.seed},
                          {"cells", fits},
                          {"toml", cell_fit_as_toml(report)}});
}

}  // namespace cimstat::experiments
