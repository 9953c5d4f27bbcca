#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/file/hdf5_file.h"

#include "experiments/accuracy_file.h"
#include "experiments/result_header.h"

/// The part of an accuracy file beyond right and wrong: confusion matrices, layers on arrays, their
/// sensitivities, runs that end early. experiments/formats/accuracy.md documents it.
namespace cimstat::experiments {

/// The minor version that has them.
constexpr std::int64_t answers_schema_minor = 2;

/// Whether a result holds what came with that version.
bool has_answers(const AccuracyRecord& record);

/// Names of datasets, and of root attributes, that a result of these settings holds beyond the
/// others.
std::vector<std::string> answer_members(const AccuracySettings& settings);
std::vector<std::string> answer_attributes(const AccuracySettings& settings);

void write_answers(core::Hdf5Output& file, const AccuracySettings& settings,
                   const AccuracyRecord& record);

/// Into a record whose right and wrong answers are read. Throws DataError where they contradict.
void read_answers(const core::Hdf5Input& file, const ResultHeader& header, AccuracyRecord& record);

}  // namespace cimstat::experiments
