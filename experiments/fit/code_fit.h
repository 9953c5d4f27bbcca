#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "circuits/column.h"

#include "experiments/experiment.h"
#include "experiments/fit/unit.h"

/// Error tables from silicon: which code came how often, or mean and sd of the current of each MAC
/// value.
namespace cimstat::experiments {

/// Which columns of the table hold what; empty ones are looked for by their usual names.
struct CodeColumns {
  std::string mac;          ///< else "mac", "lrs_count" or "k"
  std::string active_rows;  ///< else "active_rows" or "n"; without it `rows` for all
  std::string code;         ///< else "code"
  std::string count;        ///< else "count"; without it each row is one read
  std::string mean;         ///< else "mean"
  std::string sd;           ///< else "sd"
  Unit unit{core::Quantity::current, 1.0, "A"};  ///< of mean and sd
  std::optional<std::uint32_t> rows;             ///< active rows; else those of the column
};

/// [code], for each class.
using CodeCounts = std::map<circuits::ColumnClass, std::vector<std::uint64_t>>;

struct Level {
  double mean = 0.0;  ///< [A], sensed: offset and noise included
  double sd = 0.0;
};
using Levels = std::map<circuits::ColumnClass, Level>;

struct MeasuredCodes {
  std::variant<CodeCounts, Levels> data;
  std::string source;  ///< name and SHA-256 of the file
};

/// A table with a column of codes holds counts, one with mean and sd levels; one without names is a
/// matrix of counts, MAC values down (from 0), codes across. `design` says which MAC values, codes
/// and rows there are. Throws UsageError or DataError.
MeasuredCodes read_codes(const std::filesystem::path& file, const CodeColumns& columns,
                         const circuits::ColumnDesign& design);

/// Ascending; those that the classes have.
std::vector<std::uint32_t> active_rows_of(const MeasuredCodes& measured);

/// The error table of all classes of these numbers of active rows. Levels are taken for normal, and
/// cut by the references of the design. Throws DataError where a class was not measured.
ChosenTable measured_table(const MeasuredCodes& measured, const circuits::ColumnDesign& design);

}  // namespace cimstat::experiments
