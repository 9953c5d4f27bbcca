#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/config/config.h"

#include "experiments/experiment.h"
#include "tests/fuzz/fuzz_target.h"

namespace cimstat::fuzz {
namespace {

constexpr std::string_view macro = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.06
[cell.hrs]
distribution = "normal"
mean = "1 uS"
sd = "100 nS"
[column]
rows = 4
read_voltage = "0.2 V"
)";

/// A text as each quantity: a number that is written and read again as itself, or a reason.
void check_quantities(std::string_view text) {
  using core::Quantity;
  for (const Quantity quantity :
       {Quantity::ratio, Quantity::voltage, Quantity::current, Quantity::resistance,
        Quantity::conductance, Quantity::time, Quantity::temperature}) {
    try {
      const double value = core::parse_quantity(text, quantity);
      if (!std::isfinite(value)) finding(fmt::format("\"{}\" is read as {}", text, value));
      const std::string written = core::format_quantity(value, quantity, 17);
      const double again = core::parse_quantity(written, quantity);
      const double apart = std::abs(again - value);
      // Degrees are written from kelvins: what is lost there is relative to the offset.
      if (apart > 1e-12 * (quantity == Quantity::temperature ? 300.0 : 0.0) +
                      1e-14 * std::abs(value) + 1e-322) {
        finding(
            fmt::format("\"{}\" is {}, written as {}, which is {}", text, value, written, again));
      }
    } catch (const std::invalid_argument&) {
      continue;
    }
  }
}

}  // namespace
}  // namespace cimstat::fuzz

/// Each line is one --set on a fixed configuration; the first one is also read as each quantity.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  std::string_view rest = fuzz::text_of({data, size});
  std::vector<std::string> overrides;
  while (!rest.empty() && overrides.size() < 8) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    overrides.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!overrides.empty()) fuzz::check_quantities(overrides.front());
  fuzz::refusal_of([&] {
    const experiments::Experiment experiment =
        experiments::read_experiment(core::Config::from_text(fuzz::macro, "input.toml", overrides));
    const experiments::Experiment again = experiments::read_experiment(
        core::Config::from_text(experiment.config_toml, "canonical.toml"));
    if (again.config_toml != experiment.config_toml) {
      fuzz::finding(fmt::format("another canonical form:\n{}\n{}", experiment.config_toml,
                                again.config_toml));
    }
  });
  return 0;
}
