#pragma once

namespace cimstat::circuits {

/// ln P(N(0,1) > z), for any z.
double log_normal_tail(double z);
double log_logistic_tail(double z);  ///< ln P(L > z), L logistic with mean 0 and scale 1

}  // namespace cimstat::circuits
