#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "circuits/rare/sample_tile.h"
#include "circuits/rare/sum_modes.h"

namespace cimstat::circuits {

/// Proposal for the variables of a SumFailure: a mixture of normals around modes, each spread
/// evenly over the permutations of equal cells, and of the variables' own law. The density of an
/// orbit comes from elementary symmetric sums, not from enumeration.
///
/// Variables stand in the order: cells of part 0, of part 1, .., then the sum's own (where sum_sd >
/// 0), then the offset's (where offset_sd > 0).
class OrbitMixture {
 public:
  struct Component {
    SumMode mode;
    bool spread = true;  ///< over the orbit; else only the permutation with the raised cells first
  };

  /// Shares of the samples: the plain law's, then the components'; they sum to 1.
  OrbitMixture(const SumFailure& failure, std::vector<Component> components,
               std::vector<double> shares);

  std::size_t dimensions() const { return dimensions_; }
  const std::vector<Component>& components() const { return components_; }
  const std::vector<double>& shares() const { return shares_; }
  void set_shares(std::vector<double> shares) { shares_ = std::move(shares); }

  /// The same places and shares, nothing inflated.
  OrbitMixture with_unit_sd() const;

  /// How many uniforms a sample takes: one picks the component, the others who is raised.
  std::size_t uniforms() const;
  /// One sample of a filled tile.
  void draw(const SampleTile& tile, std::size_t sample, std::span<double> z) const;

  /// ln of each component's density at z over that of the variables' own law.
  void log_ratios(std::span<const double> z, std::span<double> log_ratio) const;
  /// The same of the mixture, from these.
  double log_ratio(std::span<const double> component_log_ratios) const;

 private:
  struct Block {  ///< equal variables
    std::size_t first = 0;
    std::uint32_t count = 0;
  };
  PartPosition position(const Component& component, std::size_t block) const;

  std::vector<Block> blocks_;  ///< parts, then the sum's own and the offset's variable
  std::size_t parts_ = 0;
  bool has_sum_ = false;
  std::size_t dimensions_ = 0;
  std::vector<Component> components_;
  std::vector<double> shares_;
};

}  // namespace cimstat::circuits
