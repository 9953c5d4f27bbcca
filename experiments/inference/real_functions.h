#pragma once

/// exp and erf of the layers between weights, from additions, multiplications and divisions alone:
/// the same bits on every machine, which a library's functions, chosen by the CPU, don't promise.
namespace cimstat::experiments {

/// e^x, to 1e-15 of it for |x| <= 700; 0 below, e^700 above.
double exponential(double x);

/// The error function, to 2e-15; -1 and 1 beyond 6, where it is nearer to them than a double tells.
double error_function(double x);

}  // namespace cimstat::experiments
