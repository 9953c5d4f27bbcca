#pragma once

#include <string>

#include "core/file/json.h"

#include "experiments/onnx/onnx_model.h"

/// What an ONNX model is made of, before it is quantised.
namespace cimstat::experiments {

/// For people, one line a node; texts from the file are made safe for a terminal.
std::string onnx_as_text(const OnnxModel& model);
core::Json onnx_as_json(const OnnxModel& model);

}  // namespace cimstat::experiments
