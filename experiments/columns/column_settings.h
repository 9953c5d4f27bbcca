#pragma once

#include <cstdint>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

namespace cimstat::experiments {

/// What of a column stays between its reads.
enum class Frozen {
  cells,   ///< cells and offset
  offset,  ///< the offset alone: cells are drawn afresh at each read
};

/// Which rate of a column has a limit.
enum class JudgedRate {
  mean,   ///< over the MAC values
  worst,  ///< of its most misread MAC value
};

/// What a configuration asks of columns and dies: the section [columns].
struct ColumnsSettings {
  std::uint32_t active_rows = 0;
  std::uint32_t patterns = 1;   ///< input vectors of each MAC value
  std::uint32_t lrs_cells = 0;  ///< that a column stores, where the MAC value allows it
  std::uint64_t columns = 1;    ///< of a die
  std::uint64_t dies = 1;
  Frozen frozen = Frozen::cells;
  std::uint32_t votes = 3;  ///< reads of a majority vote, odd
  double limit = 1e-3;      ///< misread rate that a column may have
  JudgedRate judged = JudgedRate::mean;
  std::uint64_t repairs = 0;  ///< columns of a die that may fail

  std::uint64_t all_columns() const { return columns * dies; }
};

core::Section columns_section();

/// `rows` is the column's. Throws UsageError.
ColumnsSettings read_columns_settings(const core::SectionReader& section, std::uint32_t rows);

}  // namespace cimstat::experiments
