#pragma once

#include <string>
#include <vector>

#include "circuits/rare/rare_column.h"

namespace cimstat::tests {

/// A misread tail whose probability is known without sampling and without the exact engine.
struct RareCase {
  std::string name;
  circuits::ColumnDesign design;
  circuits::MisreadTail tail;
  double probability = 0.0;
};

/// Normal, lognormal and truncated cells, Gaussian, logistic and no noise, 4e-3 to 1e-15; among
/// them A, A' and B of the literature notes (LRS normal, HRS lognormal, 4 and 8 rows).
const std::vector<RareCase>& rare_cases();

}  // namespace cimstat::tests
