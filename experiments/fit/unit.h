#pragma once

#include <string>
#include <string_view>

#include "core/config/config.h"

/// Units of columns of measured numbers.
namespace cimstat::experiments {

struct Unit {
  core::Quantity quantity = core::Quantity::conductance;
  double factor = 1.0;  ///< SI units in one of it
  std::string name = "S";
};

/// "uS", "kohm", "nA"; throws UsageError that points at `option` where it is no unit of a
/// conductance, resistance or current.
Unit read_unit(std::string_view text, std::string_view option);

}  // namespace cimstat::experiments
