#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/file/provenance.h"

#include "circuits/column.h"

namespace cimstat::experiments {

/// SHA-256 over what doesn't depend on the machine: configuration, classes, and all integers.
/// experiments/formats/sweep.md says which bytes.
class SweepContent {
 public:
  explicit SweepContent(std::vector<std::string> integer_fields);
  /// The next values of a field, in C order.
  void add(std::size_t field, std::span<const std::uint64_t> values);
  /// Once, at the end.
  std::string sha256(const std::string& config_toml,
                     const std::vector<circuits::ColumnClass>& classes);

 private:
  std::vector<std::string> names_;
  std::vector<core::Sha256> hashes_;
  std::vector<std::byte> bytes_;
};

}  // namespace cimstat::experiments
