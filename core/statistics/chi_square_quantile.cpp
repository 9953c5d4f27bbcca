#include "core/statistics/chi_square_quantile.h"

#include <boost/math/distributions/chi_squared.hpp>

namespace cimstat::core {

double chi_square_quantile(double tail, double degrees) {
  return boost::math::quantile(boost::math::complement(boost::math::chi_squared(degrees), tail));
}

}  // namespace cimstat::core
