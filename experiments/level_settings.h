#pragma once

#include <string_view>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "experiments/inference/level_options.h"

/// Keys of [accuracy] about cells of several levels and converters with an observed range.
namespace cimstat::experiments {

std::vector<core::Parameter> level_parameters();

/// Throws UsageError.
LevelOptions read_level_options(const core::SectionReader& section);

/// Where one of these keys stands, the first of them; else empty.
std::string_view level_key(const core::SectionReader& section);

}  // namespace cimstat::experiments
