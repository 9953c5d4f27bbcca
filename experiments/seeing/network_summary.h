#pragma once

#include <string>

#include "core/file/json.h"

#include "experiments/inference/network.h"

/// A network in text and JSON: layers, shapes, bits, ranges of weights and scales, multiplications.
namespace cimstat::experiments {

/// The network has passed `check`.
std::string format_network(const Network& network);
core::Json network_as_json(const Network& network);

}  // namespace cimstat::experiments
