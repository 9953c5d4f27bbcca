#pragma once

#include <optional>
#include <string>

#include "circuits/column.h"

/// Tables over many converters: each read meets another one.
namespace cimstat::circuits {

/// The same codes over reads of a fresh converter each, with as few frozen draws as possible. A
/// comparator that a conversion asks once (flash, pipeline) shows its offset once: noise of that
/// decision. The only comparator of a sar or a ramp shifts all its references alike: an offset of
/// the sense amplifier. Both are exact. What is left frozen: elements, the comparators of a cyclic
/// converter. A design without offsets of comparators stays as it is.
ColumnDesign over_converters(ColumnDesign design);

/// Why the codes of a converter are not those of comparisons with its references, each with noise
/// of its own, so that each trial has to make a converter and let it convert; nothing where they
/// are. For designs from over_converters().
std::optional<std::string> circuit_reason(const Comparator& comparator);

}  // namespace cimstat::circuits
