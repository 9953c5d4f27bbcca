#pragma once

#include <string>
#include <vector>

#include "experiments/accuracy_file.h"
#include "experiments/answers/answer_datasets.h"

/// Layers on arrays in a file of an accuracy.
namespace cimstat::experiments {

/// Names of its datasets.
std::vector<std::string> layer_members();

/// The axis "layer" is there.
void write_layers(AnswerWriter& writer, const LayerReport& report);
void read_layers(const AnswerReader& reader, const std::vector<std::string>& names,
                 AccuracyRecord& record);

}  // namespace cimstat::experiments
