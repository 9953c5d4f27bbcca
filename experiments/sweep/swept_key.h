#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

namespace cimstat::experiments {

/// A key of the configuration that an axis of a sweep sets.
struct SweptKey {
  std::string name;               ///< "cell.lrs.sigma"
  std::vector<std::string> path;  ///< its parts
  /// Of one value of it: number, count, choice, text or flag. Where several variants of a section
  /// have the key, the widest range: each point is checked again as it is read.
  core::Rule rule;
  std::string_view meaning;

  bool is_number() const;
  bool is_count() const;
  bool is_numeric() const { return is_number() || is_count(); }
  core::Quantity quantity() const;  ///< ratio for what has none
};

/// The key of that name in experiment_file(). Throws UsageError at `section`'s key `at` where there
/// is none or where it can't be swept.
SweptKey swept_key(const std::string& name, const core::SectionReader& section,
                   std::string_view at);

}  // namespace cimstat::experiments
