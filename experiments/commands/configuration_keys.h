#pragma once

#include <string>
#include <vector>

#include "core/config/parameter.h"

namespace cimstat::experiments {

/// Every key that may stand below `section`, dotted ("cell.lrs.sigma"), those of all variants
/// included, sorted, each once.
std::vector<std::string> configuration_keys(const core::Section& section);

}  // namespace cimstat::experiments
