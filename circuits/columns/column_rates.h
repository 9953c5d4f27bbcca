#pragma once

#include <cstdint>
#include <vector>

#include "circuits/column.h"

namespace cimstat::circuits {

/// Of each class on each column, the mean over the class's patterns; [class][column]. Given what is
/// frozen, reads of one pattern are independent: everything follows from a, the probability of a
/// code below the ideal one, and b, that of one above.
struct ColumnRates {
  std::uint64_t columns = 0;
  std::vector<ColumnClass> classes;
  std::vector<double> misread;     ///< a + b
  std::vector<double> both_wrong;  ///< (a + b)^2: two reads of one pattern are both wrong
  /// The vote of several reads of one pattern is wrong. The vote is the code that more than half of
  /// the reads gave; where none has, the median of the codes, which is the former where there is
  /// one. So it is too low where most reads are: majority(a) + majority(b).
  std::vector<double> vote_wrong;
};

}  // namespace cimstat::circuits
