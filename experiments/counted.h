#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cimstat::experiments {

/// "1 image", "2 images"; where the plural is more than an s, both are given: "1 class", "2
/// classes".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many = {});

}  // namespace cimstat::experiments
