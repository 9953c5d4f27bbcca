#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/parallel.h"

#include "circuits/references/reference_search.h"

#include "experiments/experiment.h"

/// What `cimstat references` finds: ladders by many rules, and what each costs.
namespace cimstat::experiments {

enum class ReferenceRule {
  midpoint,
  dual,
  replica,
  uniform,
  clipped,
  equal_error,
  likelihood,
  posterior,
  squared_cost,
  lloyd_max,
  lloyd_max_current
};

struct RuleName {
  ReferenceRule rule;
  std::string_view name;
  std::string_view meaning;
};

std::span<const RuleName> reference_rules();
std::string_view name_of(ReferenceRule rule);

/// A ladder and its error over the classes.
struct PlacedReferences {
  std::string name;
  circuits::Ladder ladder;
  /// What the codes stand for where that is not evenly spaced, which no table can hold (Lloyd-Max);
  /// empty else.
  std::vector<double> values;
  circuits::ReadingCost cost;

  bool fits_a_table() const { return values.empty(); }
  double value(std::uint32_t code) const;
};

struct ReferenceRequest {
  std::vector<ReferenceRule> rules;    ///< empty: all that go with the number of codes
  std::optional<std::uint32_t> codes;  ///< those of the configured converter where left out
  std::vector<circuits::WeightedClass> classes;
  std::string classes_text;  ///< what the classes are, in words
};

struct ReferenceResult {
  PlacedReferences before;  ///< as configured
  std::vector<PlacedReferences> found;
  std::size_t chosen = 0;  ///< of found: the only one, or that of least mean square error that fits
                           ///< a table
  std::vector<circuits::WeightedClass> classes;
  std::string classes_text;
};

/// Throws UsageError for a rule that does not go with the number of codes or the classes;
/// ExactObstacle where the exact engine can't do the design. `progress` counts rules.
ReferenceResult find_references(const Experiment& experiment, const ReferenceRequest& request,
                                core::Threads threads, const core::Progress& progress = {});

/// Throws what find_references would for the number of codes, before any work.
void check_rules(const Experiment& experiment, const ReferenceRequest& request);

/// The resolved configuration with these references in its converter, as TOML that reads back to
/// the same ladder to the last bit. Throws UsageError where the ladder does not fit a table, or the
/// text would be longer than a configuration may be.
std::string config_with_references(const Experiment& experiment, const PlacedReferences& references,
                                   std::string_view classes_text);

std::string references_as_text(const Experiment& experiment, const ReferenceResult& result);
std::string references_as_json(const Experiment& experiment, const ReferenceResult& result);

}  // namespace cimstat::experiments
