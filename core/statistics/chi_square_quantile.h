#pragma once

namespace cimstat::core {

/// The x with P(chi^2 with `degrees` degrees of freedom > x) = tail, 0 < tail < 1.
double chi_square_quantile(double tail, double degrees);

}  // namespace cimstat::core
