#pragma once

#include <cstdint>
#include <vector>

#include "core/law/law.h"

#include "circuits/column.h"
#include "circuits/exact/inversion.h"

/// A column as the sum that the exact engine inverts.
namespace cimstat::circuits {

/// The laws of a design in the order LRS, HRS, leakage, dummy (negated).
std::vector<core::Law> laws_of(const ColumnDesign& design);

/// How many of each a class adds up.
std::vector<std::uint32_t> counts_of(const ColumnDesign& design, ColumnClass column_class);

/// Offset and noise of the sense amplifier.
SumNoise noise_of(const SenseAmplifier& sense);

}  // namespace cimstat::circuits
