#include "experiments/fit/unit.h"

#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {

Unit read_unit(std::string_view text, std::string_view option) {
  using core::Quantity;
  const std::string one = fmt::format("1 {}", text);
  for (const Quantity quantity : {Quantity::conductance, Quantity::resistance, Quantity::current}) {
    try {
      return {quantity, core::parse_quantity(one, quantity), std::string(text)};
    } catch (const std::invalid_argument&) {
      continue;
    }
  }
  throw core::UsageError(core::error_line(
      option, fmt::format("\"{}\" is no unit of a conductance, resistance or current", text), {},
      "write one such as uS, kohm or nA"));
}

}  // namespace cimstat::experiments
