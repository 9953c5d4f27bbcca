#pragma once

#include <cstddef>
#include <cstdint>

/// What a model may hold: far above any network that fits cimstat, far below what could exhaust
/// memory.
namespace cimstat::experiments {

inline constexpr std::uint64_t most_onnx_bytes = std::uint64_t{1} << 30;
inline constexpr std::uint64_t most_onnx_elements = std::uint64_t{1} << 26;  ///< of all tensors
inline constexpr std::size_t most_onnx_nodes = 10'000;
inline constexpr std::size_t most_onnx_tensors = 20'000;
inline constexpr std::size_t most_onnx_names = 256;  ///< inputs, outputs, attributes of a node
inline constexpr std::size_t most_onnx_name_bytes = 1024;
inline constexpr std::size_t most_onnx_axes = 8;
inline constexpr std::size_t most_onnx_list = 4096;  ///< numbers of an attribute

}  // namespace cimstat::experiments
