#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/file/json.h"

#include "experiments/selfcheck/selfcheck.h"

namespace cimstat::experiments {

namespace {

using core::Json;

std::string_view side_text(core::Tail side) {
  return side == core::Tail::upper ? "above" : "below";
}

std::string exact_text(const CheckedTail& check) {
  if (!check.exact) return "none";
  if (!(*check.exact > check.exact_bound)) return fmt::format("< {:.2g}", check.exact_bound);
  return fmt::format("{:.4g}", *check.exact);
}

std::string monte_carlo_text(const CheckedTail& check) {
  if (check.misread == 0) return "none seen";
  return fmt::format("{:.4g}", double(check.misread) / double(check.trials));
}

std::string importance_text(const CheckedTail& check) {
  const auto p = check.importance.probability();
  if (!p) return "refused";
  return fmt::format("{:.4g} +-{:.1f} %", *p, 100.0 * check.importance.sums().relative_error());
}

std::string smoothed_text(const CheckedTail& check) {
  const auto p = check.smoothed.probability();
  if (!p) return "out of reach";
  const double error = *p > 0.0 ? check.smoothed.standard_error() / *p : 0.0;
  return error > 0.0 ? fmt::format("{:.4g} +-{:.1g} %", *p, 100.0 * error)
                     : fmt::format("{:.4g}", *p);
}

std::string agreement_text(const Agreement& agreement) {
  return agreement ? fmt::format("{:+.2f}", *agreement) : "-";
}

std::string samples_text(const SelfCheckOptions& options) {
  if (!options.relative_error) return fmt::format("{} samples", options.samples);
  return fmt::format("batches until +-{:g} % at 95 %, at most {} samples",
                     100.0 * *options.relative_error, options.samples);
}

Json number_or_null(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

std::string self_check_as_text(const SelfCheckResult& result, const SelfCheckOptions& options) {
  std::string text = fmt::format(
      "Misread tails by the exact engine, by Monte Carlo ({} trials a class), by importance "
      "sampling ({})\nand by quasi-Monte Carlo on scrambled Sobol points, noise "
      "integrated (QMC, {} points, where these reach);\nagreement in standard errors (IS - MC and "
      "QMC - IS where the exact engine can't).\n",
      options.trials, samples_text(options),
      circuits::SmoothedOptions{}.scramblings << circuits::SmoothedOptions{}.log2_points);
  std::string column;
  for (const CheckedTail& check : result.tails) {
    if (check.column != column) {
      column = check.column;
      text += fmt::format("\n{}\n  {:>9} {:>6} {:>11} {:>11} {:>18} {:>18} {:>9} {:>9} {:>9}\n",
                          column, "class", "read", "exact", "MC", "IS", "QMC", "MC-exact",
                          "IS-exact", "QMC-exact");
    }
    const auto [k, n, states] = check.tail.column_class;
    text +=
        fmt::format("  {:>9} {:>6} {:>11} {:>11} {:>18} {:>18} {:>9} {:>9} {:>9}",
                    fmt::format("{} of {}", k, n), side_text(check.tail.side), exact_text(check),
                    monte_carlo_text(check), importance_text(check), smoothed_text(check),
                    agreement_text(check.monte_carlo_exact), agreement_text(check.importance_exact),
                    agreement_text(check.smoothed_exact));
    if (check.importance_monte_carlo) {
      text += fmt::format("  IS-MC {}", agreement_text(check.importance_monte_carlo));
    }
    if (check.smoothed_importance) {
      text += fmt::format("  QMC-IS {}", agreement_text(check.smoothed_importance));
    }
    text += '\n';
    if (!check.importance.trustworthy()) {
      text += fmt::format("            no number: {}\n", check.importance.refusal);
    } else if (!check.importance.shortfall.empty()) {
      text += fmt::format("            samples spent: {}\n", check.importance.shortfall);
    }
  }
  if (result.comparisons == 0) return text + "\nNothing could be compared.\n";
  return text +
         fmt::format("\n{} comparisons, the worst {:.2f} standard errors: {} (limit {:g}).\n",
                     result.comparisons, result.worst, result.agrees ? "agreement" : "DISAGREEMENT",
                     options.limit);
}

std::string self_check_as_json(const SelfCheckResult& result, const SelfCheckOptions& options) {
  Json tails = Json::array();
  for (const CheckedTail& check : result.tails) {
    const core::WeightedSums sums = check.importance.sums();
    Json importance = {{"probability", number_or_null(check.importance.probability())}};
    if (check.importance.trustworthy()) {
      importance["standard_error"] = sums.standard_error();
    } else {
      importance["refusal"] = check.importance.refusal;
    }
    if (options.relative_error) importance["shortfall"] = check.importance.shortfall;
    importance["samples"] = sums.n;
    importance["hits"] = sums.hits;
    importance["sum"] = sums.sum;
    importance["sum_of_squares"] = sums.sum_of_squares;
    importance["sum_of_cubes"] = sums.sum_of_cubes;
    importance["largest"] = sums.largest;
    importance["effective_samples"] = sums.effective_samples();
    importance["largest_share"] = sums.largest_share();
    Json smoothed = {{"probability", number_or_null(check.smoothed.probability())}};
    if (check.smoothed.trustworthy()) {
      smoothed["standard_error"] = check.smoothed.standard_error();
    } else {
      smoothed["refusal"] = check.smoothed.refusal;
    }
    smoothed["points"] = check.smoothed.points;
    smoothed["scramblings"] = check.smoothed.means.size();
    tails.push_back(
        {{"column", check.column},
         {"lrs_count", check.tail.column_class.lrs_count},
         {"active_rows", check.tail.column_class.active_rows},
         {"side", side_text(check.tail.side)},
         {"reference_A", check.tail.reference},
         {"exact", number_or_null(check.exact)},
         {"exact_error_bound", check.exact_bound},
         {"monte_carlo_misread", check.misread},
         {"monte_carlo_trials", check.trials},
         {"importance", importance},
         {"smoothed", smoothed},
         {"monte_carlo_exact_standard_errors", number_or_null(check.monte_carlo_exact)},
         {"importance_exact_standard_errors", number_or_null(check.importance_exact)},
         {"importance_monte_carlo_standard_errors", number_or_null(check.importance_monte_carlo)},
         {"smoothed_exact_standard_errors", number_or_null(check.smoothed_exact)},
         {"smoothed_importance_standard_errors", number_or_null(check.smoothed_importance)}});
  }
  return core::json_text({{"agrees", result.agrees},
                          {"comparisons", result.comparisons},
                          {"worst_standard_errors", result.worst},
                          {"limit_standard_errors", options.limit},
                          {"tails", tails}});
}

}  // namespace cimstat::experiments
