#include "experiments/fit/code_fit.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"
#include "core/file/text_table.h"
#include "core/law/shape.h"

#include "experiments/fit/find_column.h"

namespace cimstat::experiments {

namespace {

using circuits::ColumnClass;
using core::TextField;
using core::TextTable;

constexpr std::uint64_t count_limit = std::uint64_t{1} << 47;
constexpr double arithmetic_error = 1e-15;  // of a difference of two normal tails

class Reader {
 public:
  Reader(const std::filesystem::path& file, const CodeColumns& columns,
         const circuits::ColumnDesign& design)
      : table_(file), file_(file), columns_(columns), design_(design) {}

  std::variant<CodeCounts, Levels> read() {
    if (columns_.rows && *columns_.rows > design_.rows) {
      throw core::UsageError(core::error_line(
          fmt::format("--rows {}", *columns_.rows), "are more rows than the column has",
          fmt::format("{} in the macro", design_.rows), "check it"));
    }
    const auto code = find_column(table_, columns_.code, "--code", {"code"});
    const auto mean = find_column(table_, columns_.mean, "--mean", {"mean"});
    if (table_.names().empty() && !code && !mean) return matrix();
    mac_ = find_column(table_, columns_.mac, "--mac", {"mac", "lrs_count", "k"});
    if (!mac_) refuse("which column holds the MAC values?", "name it with --mac");
    active_ = find_column(table_, columns_.active_rows, "--active-rows", {"active_rows", "n"});
    if (code) return counts(*code);
    const auto sd = find_column(table_, columns_.sd, "--sd", {"sd"});
    if (mean && sd) return levels(*mean, *sd);
    refuse("which column holds the codes?",
           "name it with --code, or mean and sd of each MAC value with --mean and --sd");
  }

 private:
  [[noreturn]] void refuse(std::string_view problem, std::string_view remedy) const {
    throw core::UsageError(core::error_line(file_.string(), problem, {}, remedy));
  }

  ColumnClass class_of(std::span<const TextField> row) const {
    std::uint32_t active = columns_.rows.value_or(design_.rows);
    if (active_) {
      active = static_cast<std::uint32_t>(table_.whole(row[*active_], 0, design_.rows));
    }
    return {static_cast<std::uint32_t>(table_.whole(row[*mac_], 0, active)), active};
  }

  void add(CodeCounts& counts, ColumnClass column_class, std::uint64_t code, std::uint64_t count,
           const TextField& field) const {
    std::vector<std::uint64_t>& row = counts[column_class];
    row.resize(design_.ladder.codes);
    row[code] += count;
    if (row[code] > count_limit) {
      table_.fail(field, "the counts of a code add up to more than 2^47", {}, "check the column");
    }
  }

  CodeCounts matrix() {
    const std::uint32_t codes = design_.ladder.codes;
    if (table_.columns() != codes) {
      refuse(
          fmt::format("has {} columns without names", table_.columns()),
          fmt::format("give one for each of the {} codes, or name them in the first row", codes));
    }
    const std::uint32_t active = columns_.rows.value_or(design_.rows);
    CodeCounts counts;
    std::uint32_t mac = 0;
    for (auto row = table_.next(); !row.empty(); row = table_.next(), ++mac) {
      if (mac > active) {
        table_.fail(row.front(), "there are more rows than MAC values",
                    fmt::format("0 to {} active rows", active), "give --rows");
      }
      for (std::uint32_t code = 0; code < codes; ++code) {
        const std::uint64_t count = table_.whole(row[code], 0, count_limit);
        add(counts, {mac, active}, code, count, row[code]);
      }
    }
    return counts;
  }

  CodeCounts counts(std::size_t code) {
    const auto count = find_column(table_, columns_.count, "--count", {"count"});
    CodeCounts counts;
    for (auto row = table_.next(); !row.empty(); row = table_.next()) {
      const ColumnClass column_class = class_of(row);
      const std::uint64_t came = table_.whole(row[code], 0, design_.ladder.codes - 1);
      const TextField& field = row[count.value_or(code)];
      add(counts, column_class, came, count ? table_.whole(field, 0, count_limit) : 1, field);
    }
    return counts;
  }

  Levels levels(std::size_t mean, std::size_t sd) {
    Levels levels;
    for (auto row = table_.next(); !row.empty(); row = table_.next()) {
      const ColumnClass column_class = class_of(row);
      const Level level{table_.number(row[mean]) * columns_.unit.factor,
                        table_.number(row[sd]) * columns_.unit.factor};
      if (!(level.sd > 0.0)) {
        table_.fail(row[sd], "is no standard deviation", "a positive one is needed",
                    "check the column");
      }
      if (!levels.emplace(column_class, level).second) {
        table_.fail(
            row[*mac_], "the MAC value stands here a second time",
            fmt::format("{} of {} active rows", column_class.lrs_count, column_class.active_rows),
            "keep one");
      }
    }
    return levels;
  }

  TextTable table_;
  const std::filesystem::path& file_;
  const CodeColumns& columns_;
  const circuits::ColumnDesign& design_;
  std::optional<std::size_t> mac_;
  std::optional<std::size_t> active_;
};

std::vector<double> normal_row(const Level& level, std::span<const double> references) {
  std::vector<double> row;
  const auto z = [&](std::size_t i) { return (references[i] - level.mean) / level.sd; };
  using core::Tail;
  for (std::size_t code = 0; code <= references.size(); ++code) {
    const bool first = code == 0;
    const bool last = code == references.size();
    // The nearer tails keep their digits.
    const Tail side = !first && z(code - 1) > 0.0 ? Tail::upper : Tail::lower;
    const double below = first ? 0.0 : core::normal_tail(side, z(code - 1));
    const double above =
        last ? (side == Tail::upper ? 0.0 : 1.0) : core::normal_tail(side, z(code));
    row.push_back(std::abs(above - below));
  }
  return row;
}

/// The row's counts, normalised; its class must have been read at least once.
std::vector<double> shares(const std::vector<std::uint64_t>& counts) {
  std::uint64_t trials = 0;
  for (const std::uint64_t count : counts) trials += count;
  std::vector<double> row;
  for (const std::uint64_t count : counts) row.push_back(double(count) / double(trials));
  return row;
}

}  // namespace

MeasuredCodes read_codes(const std::filesystem::path& file, const CodeColumns& columns,
                         const circuits::ColumnDesign& design) {
  auto data = Reader(file, columns, design).read();
  return {std::move(data), fmt::format("{}, SHA-256 {}", file.filename().string(),
                                       core::sha256_of_file(file).substr(0, 16))};
}

std::vector<std::uint32_t> active_rows_of(const MeasuredCodes& measured) {
  std::set<std::uint32_t> rows;
  std::visit(
      [&](const auto& data) {
        for (const auto& one : data) rows.insert(one.first.active_rows);
      },
      measured.data);
  return {rows.begin(), rows.end()};
}

ChosenTable measured_table(const MeasuredCodes& measured, const circuits::ColumnDesign& design) {
  const auto classes = circuits::classes_for(active_rows_of(measured));
  ChosenTable chosen;
  circuits::ErrorTable& table = chosen.table;
  const circuits::Ladder& ladder = design.ladder;
  table.classes = classes;
  table.codes = ladder.codes;
  table.code_step = ladder.code_step;
  table.code_origin = ladder.code_origin;
  const auto missing = [&](ColumnClass column_class) {
    throw core::DataError(
        core::error_line(measured.source,
                         fmt::format("MAC value {} of {} active rows was not measured",
                                     column_class.lrs_count, column_class.active_rows),
                         "a table has all values of a number of active rows",
                         "measure it, or leave that number out"));
  };
  for (const ColumnClass column_class : classes) {
    table.ideal_code.push_back(ladder.ideal_code(column_class.lrs_count));
    std::vector<double> row;
    if (const auto* counts = std::get_if<CodeCounts>(&measured.data)) {
      const auto found = counts->find(column_class);
      const auto is_zero = [](std::uint64_t count) { return count == 0; };
      if (found == counts->end() ||
          std::all_of(found->second.begin(), found->second.end(), is_zero)) {
        missing(column_class);
      }
      table.counts.insert(table.counts.end(), found->second.begin(), found->second.end());
      row = shares(found->second);
    } else {
      const Levels& levels = std::get<Levels>(measured.data);
      const auto found = levels.find(column_class);
      if (found == levels.end()) missing(column_class);
      row = normal_row(found->second, ladder.at(column_class.active_rows));
      table.error_bound.push_back(arithmetic_error);
    }
    table.probability.insert(table.probability.end(), row.begin(), row.end());
  }
  table.method =
      table.counts.empty() ? circuits::TableMethod::exact : circuits::TableMethod::monte_carlo;
  chosen.reason = table.counts.empty()
                      ? fmt::format(
                            "measured mean and sd of each MAC value ({}), taken for normal "
                            "and cut by the references; the bound is that of arithmetic",
                            measured.source)
                      : fmt::format("measured: counts of codes ({})", measured.source);
  return chosen;
}

}  // namespace cimstat::experiments
