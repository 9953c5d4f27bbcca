#include "core/simd.h"

#include <cstdint>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cimstat::core::HWY_NAMESPACE {

std::int64_t this_target() { return HWY_TARGET; }

}  // namespace cimstat::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::core {

HWY_EXPORT(this_target);

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    names.emplace_back(hwy::TargetName(target));
  }
  return names;
}

std::string simd_target() { return hwy::TargetName(HWY_DYNAMIC_DISPATCH(this_target)()); }

void use_simd_target(std::string_view name) {
  const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  if (name.empty()) {
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return;
  }
  for (const std::int64_t target : targets) {
    if (name == hwy::TargetName(target)) {
      hwy::GetChosenTarget().Update(target);
      return;
    }
  }
  throw UsageError(error_line(fmt::format("--simd {}", name), "is not available",
                              fmt::format("this CPU runs {}", fmt::join(simd_targets(), ", ")),
                              "use one of those"));
}

}  // namespace cimstat::core
#endif
