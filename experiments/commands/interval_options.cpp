#include "experiments/commands/interval_options.h"

namespace cimstat::experiments {

void IntervalOptions::add_to(CLI::App& command) {
  command
      .add_option("--interval", method,
                  "of counts: clopper-pearson never covers less than promised, jeffreys is shorter "
                  "and covers about as promised, goodman (Wilson's form) is approximate")
      ->type_name("METHOD")
      ->check(CLI::IsMember({"clopper-pearson", "jeffreys", "goodman"}))
      ->capture_default_str();
  command
      .add_option("--simultaneous", simultaneous,
                  "the intervals of all codes of a class (row), or of all codes of all classes "
                  "(table), hold together (default: each by itself)")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"row", "table"}));
}

IntervalChoice IntervalOptions::choice(double confidence) const {
  IntervalChoice choice{.confidence = confidence};
  if (method == "jeffreys") choice.method = core::IntervalMethod::jeffreys;
  if (method == "goodman") choice.method = core::IntervalMethod::goodman;
  if (simultaneous == "row") choice.scope = IntervalScope::row;
  if (simultaneous == "table") choice.scope = IntervalScope::table;
  return choice;
}

}  // namespace cimstat::experiments
