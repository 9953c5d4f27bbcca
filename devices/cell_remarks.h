#pragma once

#include <vector>

#include "devices/any_cell.h"

namespace cimstat::devices {

/// What describe() says of a cell besides its levels, whose laws may cost tens of milliseconds
/// each.
std::vector<CellLine> remarks(const AnyCell& cell);

}  // namespace cimstat::devices
