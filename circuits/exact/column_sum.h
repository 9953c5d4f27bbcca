#pragma once

#include "circuits/column.h"
#include "circuits/exact/inversion.h"

/// A column (laws_of, counts_of) as the sum that the exact engine inverts.
namespace cimstat::circuits {

/// Offset and noise of the sense amplifier.
SumNoise noise_of(const SenseAmplifier& sense);

}  // namespace cimstat::circuits
