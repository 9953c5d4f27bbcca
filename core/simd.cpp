#include "core/simd.h"
