#include "experiments/references/placed_references.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/references/lloyd_max.h"
#include "circuits/references/reference_mixture.h"
#include "circuits/references/references.h"

namespace cimstat::experiments {

namespace {

using circuits::Ladder;

constexpr RuleName rules[] = {
    {ReferenceRule::midpoint, "midpoint", "half way between mean currents"},
    {ReferenceRule::dual, "dual", "between highest and lowest nominal currents"},
    {ReferenceRule::replica, "replica", "midpoints that follow the number of active rows"},
    {ReferenceRule::uniform, "uniform", "evenly spaced over all MAC values"},
    {ReferenceRule::clipped, "clipped", "evenly spaced over the best range of MAC values"},
    {ReferenceRule::equal_error, "equal_error", "both neighbours misread equally often"},
    {ReferenceRule::likelihood, "likelihood", "maximum likelihood, whatever the classes' weights"},
    {ReferenceRule::posterior, "posterior", "fewest misreads"},
    {ReferenceRule::squared_cost, "squared_cost", "least mean square error of evenly spaced codes"},
    {ReferenceRule::lloyd_max, "lloyd_max", "least mean square error, codes stand for any value"},
    {ReferenceRule::lloyd_max_current, "lloyd_max_current",
     "least mean square error of the current"}};

/// Rules that come with a code for each MAC value up to reference_rows.
bool has_its_codes(ReferenceRule rule) {
  return rule == ReferenceRule::midpoint || rule == ReferenceRule::dual ||
         rule == ReferenceRule::replica;
}

std::uint32_t codes_of(const Experiment& experiment, const ReferenceRequest& request) {
  return request.codes.value_or(experiment.macro.design.ladder.codes);
}

/// Finds ladders one by one; what several rules need is made once.
class Finder {
 public:
  Finder(const Experiment& experiment, const ReferenceRequest& request, core::Threads threads)
      : macro_(experiment.macro),
        codes_(codes_of(experiment, request)),
        search_(macro_.design, request.classes, threads) {}

  const circuits::ReferenceSearch& search() const { return search_; }

  PlacedReferences find(ReferenceRule rule) {
    PlacedReferences found{
        .name = std::string(name_of(rule)), .ladder = {}, .values = {}, .cost = {}};
    const bool any_values =
        rule == ReferenceRule::lloyd_max || rule == ReferenceRule::lloyd_max_current;
    if (any_values) {
      const auto quantised = rule == ReferenceRule::lloyd_max ? circuits::Quantised::mac_value
                                                              : circuits::Quantised::current;
      circuits::LloydMax best = circuits::lloyd_max(mixture(), quantised, codes_);
      found.ladder = {.codes = codes_, .references = std::move(best.thresholds)};
      found.values = std::move(best.values);
      found.cost = search_.cost(found.ladder, found.values);
    } else {
      found.ladder = ladder(rule);
      found.cost = search_.cost(found.ladder);
    }
    return found;
  }

 private:
  const circuits::ReferenceMixture& mixture() {
    if (!mixture_) mixture_.emplace(search_);
    return *mixture_;
  }

  /// What a rule without a ladder of its own begins with.
  Ladder given() const {
    return codes_ == macro_.design.ladder.codes
               ? macro_.design.ladder
               : circuits::whole_ladder(search_, macro_.design, codes_);
  }

  Ladder clipped() {
    return circuits::best_clipped_ladder(
        search_, mixture(), macro_.design,
        circuits::uniform_ladder(macro_.design, macro_.reference_rows, codes_));
  }

  Ladder ladder(ReferenceRule rule) {
    switch (rule) {
      case ReferenceRule::midpoint:
        return circuits::midpoint_ladder(macro_.design, macro_.reference_rows);
      case ReferenceRule::dual:
        return circuits::dual_ladder(macro_.design, macro_.reference_rows);
      case ReferenceRule::replica:
        return circuits::replica_ladder(macro_.design, macro_.reference_rows);
      case ReferenceRule::uniform:
        return circuits::uniform_ladder(macro_.design, macro_.reference_rows, codes_);
      case ReferenceRule::clipped:
        return clipped();
      case ReferenceRule::equal_error:
        return search_.improved(given(), circuits::Criterion::equal_error);
      case ReferenceRule::likelihood:
        return search_.improved(given(), circuits::Criterion::likelihood);
      case ReferenceRule::posterior:
        return search_.improved(given(), circuits::Criterion::posterior);
      default:
        break;
    }
    // The codes may stand for what they do now, or for the values of the clipped ladder.
    Ladder found = search_.improved(given(), circuits::Criterion::squared_cost);
    Ladder from_clipped = search_.improved(clipped(), circuits::Criterion::squared_cost);
    return search_.cost(from_clipped).squared < search_.cost(found).squared ? from_clipped : found;
  }

  const Macro& macro_;
  std::uint32_t codes_;
  circuits::ReferenceSearch search_;
  std::optional<circuits::ReferenceMixture> mixture_;
};

/// Where several cost the same but for rounding, squared_cost or the first.
std::size_t best_for_a_table(const std::vector<PlacedReferences>& found) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].name == name_of(ReferenceRule::squared_cost)) best = i;
  }
  constexpr double rounding = 1e-9;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool better = !found[best].fits_a_table() ||
                        found[i].cost.squared < found[best].cost.squared * (1.0 - rounding);
    if (found[i].fits_a_table() && better) best = i;
  }
  return best;
}

}  // namespace

std::span<const RuleName> reference_rules() { return rules; }

std::string_view name_of(ReferenceRule rule) {
  return std::find_if(std::begin(rules), std::end(rules),
                      [&](const RuleName& item) { return item.rule == rule; })
      ->name;
}

double PlacedReferences::value(std::uint32_t code) const {
  return values.empty() ? ladder.code_origin + ladder.code_step * code : values[code];
}

void check_rules(const Experiment& experiment, const ReferenceRequest& request) {
  const std::uint32_t codes = codes_of(experiment, request);
  const std::uint32_t own = experiment.macro.reference_rows + 1;
  for (const ReferenceRule rule : request.rules) {
    if (has_its_codes(rule) && codes != own) {
      throw core::UsageError(core::error_line(
          fmt::format("--criterion {}", name_of(rule)), fmt::format("has no {} codes", codes),
          fmt::format("it has one for each MAC value up to reference_rows, {}", own),
          "leave --codes or this criterion out"));
    }
  }
}

ReferenceResult find_references(const Experiment& experiment, const ReferenceRequest& request,
                                core::Threads threads, const core::Progress& progress) {
  check_rules(experiment, request);
  std::vector<ReferenceRule> wanted = request.rules;
  if (wanted.empty()) {
    const bool own_codes = codes_of(experiment, request) == experiment.macro.reference_rows + 1;
    for (const RuleName& item : rules) {
      if (own_codes || !has_its_codes(item.rule)) wanted.push_back(item.rule);
    }
  }
  Finder finder(experiment, request, threads);
  ReferenceResult result;
  result.classes = finder.search().classes();
  result.classes_text = request.classes_text;
  result.before = {.name = "as configured",
                   .ladder = experiment.macro.design.ladder,
                   .values = {},
                   .cost = finder.search().cost(experiment.macro.design.ladder)};
  for (const ReferenceRule rule : wanted) {
    result.found.push_back(finder.find(rule));
    if (progress) progress(result.found.size(), wanted.size());
  }
  result.chosen = best_for_a_table(result.found);
  return result;
}

}  // namespace cimstat::experiments
