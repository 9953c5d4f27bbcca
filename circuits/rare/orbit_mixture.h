#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"

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
    double share = 0.0;  ///< of the samples
    SumMode mode;
    double sd = 1.0;         ///< of everything that is not raised
    double raised_sd = 1.0;  ///< of what is
    bool spread = true;  ///< over the orbit; else only the permutation with the raised cells first
  };

  /// Shares of the components sum to 1 - plain_share.
  OrbitMixture(const SumFailure& failure, std::vector<Component> components, double plain_share);

  std::size_t dimensions() const { return dimensions_; }
  const std::vector<Component>& components() const { return components_; }
  void set_share(std::size_t component, double share) { components_[component].share = share; }

  /// One sample; `fraction` (0 .. 1) picks the component.
  void draw(core::TrialRandom& random, double fraction, std::span<double> z) const;

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
  double plain_share_;
};

}  // namespace cimstat::circuits
