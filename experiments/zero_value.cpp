#include "experiments/zero_value.h"

namespace cimstat::experiments {

std::variant<double, ZeroObstacle> zero_value(const Macro& macro, WeightMapping weights,
                                              DummySubtraction subtraction) {
  const double half = 0.5 * macro.reference_rows;
  const bool has_dummy = macro.design.dummy.has_value();
  const bool follows = macro.design.ladder.follows_active_rows;
  const bool takes_half_off = has_dummy && !follows;
  switch (weights) {
    case WeightMapping::native:
      return half;
    // Behind a dummy column fixed references see agreements less disagreements.
    case WeightMapping::xnor:
      return takes_half_off ? half : 0.0;
    case WeightMapping::biased:
      if (takes_half_off) return ZeroObstacle::biased_beside_dummy;
      return 0.0;
    case WeightMapping::offset: {
      const bool is_digital = subtraction == DummySubtraction::digital;
      if (is_digital && has_dummy) return ZeroObstacle::offset_beside_dummy;
      if (!is_digital && !has_dummy) return ZeroObstacle::offset_without_dummy;
      if (follows) return ZeroObstacle::offset_follows_rows;
      return half;
    }
    case WeightMapping::twos_complement:
    case WeightMapping::differential:
      break;
  }
  return 0.0;
}

}  // namespace cimstat::experiments
