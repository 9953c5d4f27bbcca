#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/inference/layer_check.h"
#include "experiments/inference/network.h"

namespace cimstat::experiments {
namespace {

using Shape = std::array<std::uint32_t, 3>;

constexpr std::uint32_t largest_extent = 4096;
constexpr std::size_t most_layers = 999;
constexpr std::uint64_t most_values = std::uint64_t{1} << 28;  // of all layers' outputs together
constexpr std::uint64_t most_reals = std::uint64_t{1} << 26;   // of these, eight bytes each

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name != "input" &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

/// What all layers hold together.
struct Totals {
  std::uint64_t weights = 0;
  std::uint64_t values = 0;
  std::uint64_t reals = 0;

  void add(const LayerCheck& check, std::uint64_t more_weights, const Signal& output) {
    const auto refuse_beyond = [&](std::uint64_t count, std::uint64_t most, std::string_view what) {
      if (count > most) check.refuse(fmt::format("more than {} {} in all", most, what));
    };
    weights += more_weights;
    refuse_beyond(weights, most_elements, "weights");
    values += output.size();
    refuse_beyond(values, most_values, "values at the outputs");
    reals += output.is_real() ? output.size() : 0;
    refuse_beyond(reals, most_reals, "real values at the outputs");
  }
};

std::vector<Signal> checked_signals(const Network& network, std::string_view place) {
  const auto refuse = [&](const std::string& problem) {
    throw core::DataError(core::error_line(place, problem, {}, correct_network));
  };
  const auto out_of_range = [](std::uint32_t extent) {
    return extent < 1 || extent > largest_extent;
  };
  const Signal image{.shape = network.input_shape};
  if (std::any_of(network.input_shape.begin(), network.input_shape.end(), out_of_range) ||
      image.size() > most_elements) {
    refuse(fmt::format("input_shape {} (1 .. {} each, {} values at most)", shape_text(image),
                       largest_extent, most_elements));
  }
  if (network.input_bits < 1 || network.input_bits > 8) {
    refuse(fmt::format("input_bits {} (1 .. 8)", network.input_bits));
  }
  if (network.layers.empty() || network.layers.size() > most_layers) {
    refuse(fmt::format("{} layers (1 .. {})", network.layers.size(), most_layers));
  }
  std::map<std::string, Signal, std::less<>> known{
      {"input", levels(network.input_shape, network.input_bits)}};
  std::vector<Signal> signals;
  Totals totals;
  for (const Layer& layer : network.layers) {
    const LayerCheck layer_check(
        layer, fmt::format("{}: /layers/{:03}_{}", place, &layer - network.layers.data(),
                           core::excerpt(layer.name)));
    if (!is_plain_name(layer.name)) {
      layer_check.refuse("has no usable name (letters, digits, '_', '-', '.'; not 'input')");
    }
    if (known.contains(layer.name)) layer_check.refuse("its name is used twice");
    std::vector<Signal> inputs;
    for (const std::string& name : layer.inputs) {
      const auto found = known.find(name);
      if (found == known.end()) {
        layer_check.refuse(fmt::format("its input '{}' is not an earlier layer", name));
      }
      inputs.push_back(found->second);
    }
    signals.push_back(layer_check.output(
        inputs, &layer == &network.layers.back() ? LayerPosition::last : LayerPosition::inside));
    known.emplace(layer.name, signals.back());
    totals.add(layer_check, is_product(layer.kind) ? inputs[1].size() : layer.weight.size(),
               signals.back());
  }
  if (signals.back().shape != std::array<std::uint32_t, 3>{network.classes, 1, 1}) {
    refuse(fmt::format("the last layer delivers {} (the {} classes x 1 x 1 are needed)",
                       shape_text(signals.back()), network.classes));
  }
  if (std::none_of(network.layers.begin(), network.layers.end(),
                   [](const Layer& layer) { return is_weighted(layer.kind); })) {
    refuse("no layer has weights");
  }
  return signals;
}

}  // namespace

void check(const Network& network, std::string_view place) { checked_signals(network, place); }

std::vector<std::array<std::uint32_t, 3>> output_shapes(const Network& network) {
  std::vector<std::array<std::uint32_t, 3>> shapes;
  for (const Signal& signal : checked_signals(network, "network")) shapes.push_back(signal.shape);
  return shapes;
}

}  // namespace cimstat::experiments
