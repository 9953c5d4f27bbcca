#include "experiments/columns/column_settings.h"

#include <fmt/format.h>

#include "core/config/option.h"

#include "circuits/column.h"

namespace cimstat::experiments {

namespace {

using core::CountRule;
using core::NumberRule;
using core::Option;
using core::Quantity;
using core::Range;

constexpr std::uint64_t column_limit = 1'000'000;
constexpr std::uint64_t pattern_limit = 4096;
constexpr std::uint64_t vote_limit = 99;
constexpr std::uint64_t rate_limit = 20'000'000;  ///< columns times MAC values: 480 MB

constexpr Option<Frozen> frozen_parts[] = {
    {Frozen::cells, {"cells", "conductances and stuck cells, and the offset"}},
    {Frozen::offset, {"offset", "the offset alone: cells are drawn afresh at each read"}}};

constexpr Option<JudgedRate> judgements[] = {
    {JudgedRate::mean, {"mean", "its mean over the MAC values"}},
    {JudgedRate::worst, {"worst", "that of its most misread MAC value"}}};

}  // namespace

core::Section columns_section() {
  return {
      .key = "columns",
      .need = core::Need::optional,
      .meaning = "spread of misread rates between columns and dies",
      .parameters = {
          {.key = "active_rows",
           .rule = CountRule{1, circuits::row_limit, std::nullopt, "column.rows"},
           .meaning = "active rows of each read"},
          {.key = "patterns",
           .rule = CountRule{1, pattern_limit, 16, {}},
           .meaning = "random input vectors of each MAC value; a column's rate is their mean"},
          {.key = "lrs_cells",
           .rule = CountRule{0, circuits::row_limit, std::nullopt, {}},
           .meaning = "cells of a column that store LRS; as near to it as the MAC value allows",
           .example = "64",
           .absent = "half of the rows"},
          {.key = "columns",
           .rule = CountRule{1, column_limit, 256, {}},
           .meaning = "columns of a die"},
          {.key = "dies", .rule = CountRule{1, column_limit, 16, {}}, .meaning = "simulated dies"},
          {.key = "frozen",
           .rule = core::option_rule(frozen_parts, "cells"),
           .meaning = "what of a column stays between its reads"},
          {.key = "votes",
           .rule = CountRule{1, vote_limit, 3, {}},
           .meaning = "reads of a majority vote; odd"},
          {.key = "limit",
           .rule = NumberRule{Quantity::ratio, Range::fraction(), 1e-3},
           .meaning = "a column passes with at most this misread rate"},
          {.key = "judged_by",
           .rule = core::option_rule(judgements, "mean"),
           .meaning = "which rate of a column that is"},
          {.key = "repairs",
           .rule = CountRule{0, column_limit, 0, {}},
           .meaning = "columns of a die that may fail"}}};
}

ColumnsSettings read_columns_settings(const core::SectionReader& section, std::uint32_t rows) {
  ColumnsSettings settings;
  settings.active_rows = static_cast<std::uint32_t>(section.count("active_rows", rows));
  settings.patterns = static_cast<std::uint32_t>(section.count("patterns"));
  settings.lrs_cells = static_cast<std::uint32_t>(section.count_or("lrs_cells", rows / 2));
  settings.columns = section.count("columns");
  settings.dies = section.count("dies");
  settings.frozen = core::read_option(section, "frozen", frozen_parts);
  settings.votes = static_cast<std::uint32_t>(section.count("votes"));
  settings.limit = section.number("limit");
  settings.judged = core::read_option(section, "judged_by", judgements);
  settings.repairs = section.count("repairs");
  if (settings.lrs_cells > rows) {
    section.fail("lrs_cells", fmt::format("{} is out of range", settings.lrs_cells),
                 fmt::format("the column has {} rows", rows),
                 fmt::format("write {} or less", rows));
  }
  if (settings.votes % 2 == 0) {
    section.fail("votes", fmt::format("{} reads can end in a tie", settings.votes),
                 "an odd number is needed", fmt::format("write {}", settings.votes + 1));
  }
  if (settings.all_columns() > rate_limit / (settings.active_rows + std::uint64_t{1})) {
    section.fail("columns", "there would be too many rates",
                 fmt::format("{} dies x {} columns x {} MAC values, {} at the most", settings.dies,
                             settings.columns, settings.active_rows + 1, rate_limit),
                 "lower columns.dies or columns.columns");
  }
  return settings;
}

}  // namespace cimstat::experiments
