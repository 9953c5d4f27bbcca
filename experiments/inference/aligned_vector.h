#pragma once

#include "core/aligned_vector.h"

namespace cimstat::experiments {

using core::AlignedVector;

}  // namespace cimstat::experiments
