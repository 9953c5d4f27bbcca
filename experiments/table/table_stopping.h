#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/file/hdf5_file.h"

#include "circuits/error_table.h"

#include "experiments/result_header.h"

/// What a table file holds besides, from version 1.1 on, where each class was sampled until it had
/// been misread often enough.
namespace cimstat::experiments {

constexpr std::int64_t stopping_schema_minor = 1;

/// Names of its datasets and of its attributes of the root.
std::vector<std::string> stopping_datasets();
std::vector<std::string> stopping_attributes();

void write_stopping(core::Hdf5Output& file, const circuits::ErrorTable& table);

/// Sets table.guaranteed. All but the number of the trial in which the last misread of a class came
/// follows from configuration, seed and counts, and is checked against them: throws DataError.
/// `table` has its classes and counts.
void read_stopping(const core::Hdf5Input& file, const ResultHeader& header,
                   circuits::ErrorTable& table);

/// "met", "trials spent", "none seen".
std::string stop_text(circuits::StopReason reason);

/// How many classes came to each end, and what would take the others there: "12 of 17 classes known
/// to 10 % at 95 %; 5 not within 1000000 trials (raise table.trials), 2 of them never misread".
std::string stopping_summary(const circuits::ErrorTable& table);

}  // namespace cimstat::experiments
