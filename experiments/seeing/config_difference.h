#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Which keys two resolved configurations differ in.
namespace cimstat::experiments {

struct KeyDifference {
  std::string key;  ///< dotted
  std::string a;    ///< value as TOML; empty where the key is only in the other
  std::string b;
  bool of_macro = false;  ///< in [cell], [column], [sense_amplifier] or [converter]
};

/// Both in the canonical form of core::Config: one `key = value` a line below `[table]` headers.
/// In the order of the first, then what only the second has.
std::vector<KeyDifference> differing_keys(std::string_view canonical_a,
                                          std::string_view canonical_b);

}  // namespace cimstat::experiments
