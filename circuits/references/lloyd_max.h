#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "circuits/references/reference_mixture.h"

/// Quantisers of least mean square error (Lloyd 1982, Max 1960).
namespace cimstat::circuits {

struct LloydMax {
  std::vector<double> thresholds;  ///< codes - 1, ascending
  std::vector<double> values;      ///< what each code stands for
  double mean_square_error = 0.0;
};

/// Of a density on [low, high], each value the mean of its cell: from evenly spaced cells by turns
/// of both conditions, until no threshold moves by more than 1e-12 of the range; integrals by Gauss
/// and Kronrod in each cell.
LloydMax lloyd_max(const std::function<double(double)>& density, double low, double high,
                   std::uint32_t codes);

/// What is to be known from the code.
enum class Quantised {
  mac_value,  ///< the MAC value behind the current: its mean is half way between the values of the
              ///< codes at each reference
  current,    ///< the current itself
};

/// Of the current of many classes: references [A], and the mean MAC value of each cell. From the
/// best references among the nodes of the mixture (Bruce 1965: dynamic programming) by turns of
/// both conditions. The error is that of the MAC value, as interpolated.
LloydMax lloyd_max(const ReferenceMixture& mixture, Quantised quantised, std::uint32_t codes);

}  // namespace cimstat::circuits
