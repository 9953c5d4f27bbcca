#pragma once

#include <string>

#include "core/file/json.h"

#include "experiments/accuracy_file.h"

/// Confusions, layers and stopping, for people and programs.
namespace cimstat::experiments {

/// Lines behind those of the accuracies; empty where a result has none of it.
std::string answers_text(const AccuracyRecord& record);

/// Adds what the record has of it to `summary`.
void add_answers(const AccuracyRecord& record, core::Json& summary);

}  // namespace cimstat::experiments
