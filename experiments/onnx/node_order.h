#pragma once

#include <string_view>

#include "experiments/onnx/onnx_graph.h"

namespace cimstat::experiments {

/// Puts the nodes in an order in which inputs come first, the file's where that is one already,
/// gives equal names a number each, and leaves out what the output doesn't need. Throws DataError
/// for tensors that nothing gives, or that two nodes give, and for cycles, which it names.
void sort_nodes(OnnxGraph& graph, std::string_view file);

}  // namespace cimstat::experiments
