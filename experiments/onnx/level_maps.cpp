#include "experiments/onnx/level_maps.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {

namespace {

/// ASiM's, so that a map of zeros has a scale.
constexpr double added_to_largest = 1e-7;

}  // namespace

LevelMaps::LevelMaps(const PlainGraph& graph,
                     const std::map<std::string, ValueHistogram>& histograms,
                     const QuantiseOptions& options, const std::string& file)
    : graph_(graph), histograms_(histograms), options_(options), file_(file) {
  network_.input_shape = graph_.input_shape;
  network_.input_bits = options_.input_bits;
  network_.classes = graph_.classes;
  maps_.push_back(image_map(graph_, options_.image, options_.input_bits));
}

Network LevelMaps::take() {
  check(network_, file_);
  return std::move(network_);
}

void LevelMaps::refuse(const PlainLayer& layer, std::string_view problem,
                       std::string_view why) const {
  throw core::DataError(core::error_line(fmt::format("{}: layer '{}'", file_, layer.name), problem,
                                         why, "change the model, then export it again"));
}

void LevelMaps::refuse_range(const PlainLayer& layer, std::string_view problem,
                             std::string_view why) const {
  throw core::DataError(core::error_line(fmt::format("{}: layer '{}'", file_, layer.name), problem,
                                         why, "calibrate by another --range"));
}

double LevelMaps::step_of(const PlainLayer& layer, double highest) const {
  const ValueRange range =
      range_of(histogram(layer), options_.calibration, options_.activation_bits);
  const bool ends_there = options_.calibration.rule == RangeRule::pact && std::isfinite(highest);
  const double largest = ends_there ? highest : std::min(range.largest, highest);
  return largest > 0.0 ? largest / top_of(options_.activation_bits) : 1.0;
}

ScaledMap LevelMaps::add_levels(const ScaledMap& of, std::string name, double step, double zero,
                                std::uint32_t bits) {
  Layer layer;
  layer.name = names_.unique(std::move(name));
  layer.kind = LayerKind::quantise;
  layer.inputs = {of.layer};
  layer.scale = {of.scale[0] / step};
  layer.bias = {zero - of.zero[0] * layer.scale[0]};
  layer.output_bits = bits;
  ScaledMap map{.layer = layer.name, .bits = bits, .scale = {step}, .zero = {zero}};
  append(std::move(layer));
  return map;
}

/// Whether no value of a map in real numbers is below 0, whatever the image.
bool LevelMaps::is_positive(std::size_t place) const {
  if (place == 0) return false;
  const PlainLayer& layer = graph_.layers[place - 1];
  switch (layer.kind) {
    case LayerKind::relu:
      return true;
    case LayerKind::max_pool:
    case LayerKind::average_pool:
    case LayerKind::flatten:
    case LayerKind::add:
    case LayerKind::concatenate:
      return std::all_of(layer.inputs.begin(), layer.inputs.end(),
                         [&](std::size_t input) { return is_positive(input); });
    default:
      return false;
  }
}

/// Levels from 0 to the largest value of each image's map: made once, as levels_of.
ScaledMap LevelMaps::spanned_levels_of(std::size_t place, const PlainLayer& taker) {
  if (const auto made = made_levels_.find(place); made != made_levels_.end()) return made->second;
  if (!is_positive(place)) {
    refuse_range(taker, "takes values that may be below 0",
                 "the levels of --range image begin there");
  }
  Layer layer;
  layer.name = names_.unique(graph_.layers[place - 1].name + "_levels");
  layer.kind = LayerKind::quantise;
  layer.range = LevelRange::map;
  layer.epsilon = added_to_largest;
  layer.inputs = {maps_[place].layer};
  layer.output_bits = options_.activation_bits;
  // Their step joins the sums.
  const ScaledMap map{
      .layer = layer.name, .bits = layer.output_bits, .scale = {1.0}, .zero = {0.0}};
  append(std::move(layer));
  return made_levels_.emplace(place, map).first->second;
}

ScaledMap LevelMaps::levels_of(std::size_t place) {
  if (maps_[place].is_level()) return maps_[place];
  if (const auto made = made_levels_.find(place); made != made_levels_.end()) return made->second;
  const PlainLayer& source = graph_.layers[place - 1];
  const ValueRange range =
      range_of(histogram(source), options_.calibration, options_.activation_bits);
  const double width = range.largest - range.least;
  double step = width > 0.0 ? width / top_of(options_.activation_bits) : 1.0;
  double zero =
      std::clamp(std::floor(-range.least / step + 0.5), 0.0, top_of(options_.activation_bits));
  if (options_.zero_level == ZeroLevel::middle && options_.activation_bits > 1 &&
      range.least < 0.0) {
    step = std::max(range.largest, -range.least) / top_of(options_.activation_bits - 1);
    zero = top_of(options_.activation_bits - 1) + 1.0;
  }
  const ScaledMap map =
      add_levels(maps_[place], source.name + "_levels", step, zero, options_.activation_bits);
  return made_levels_.emplace(place, map).first->second;
}

ScaledMap LevelMaps::levels_for_weights(std::size_t place, const PlainLayer& taker) {
  if (!maps_[place].is_level() && spans_each_image()) return spanned_levels_of(place, taker);
  if (maps_[place].is_level() || options_.activation_bits > 1) return levels_of(place);
  const PlainLayer& source = graph_.layers[place - 1];
  if (!(histogram(source).least < 0.0)) return levels_of(place);
  if (const auto made = made_signs_.find(place); made != made_signs_.end()) return made->second;
  const double mean = mean_magnitude(histogram(source));
  const ScaledMap map = add_levels(maps_[place], source.name + "_signs", 2.0 * mean, 0.5, 1);
  return made_signs_.emplace(place, map).first->second;
}

ScaledMap LevelMaps::written_levels_of(std::size_t place) {
  if (const auto made = made_written_.find(place); made != made_written_.end()) {
    return made->second;
  }
  const PlainLayer& source = graph_.layers[place - 1];
  const std::uint32_t bits = std::max(options_.weights.bits, 2U);
  const ValueRange range = range_of(histogram(source), options_.calibration, bits);
  const double largest = std::max(range.largest, -range.least);
  const double half = static_cast<double>(1U << (bits - 1));
  const ScaledMap map = add_levels(maps_[place], source.name + "_written",
                                   largest > 0.0 ? largest / (half - 1.0) : 1.0, half, bits);
  return made_written_.emplace(place, map).first->second;
}

ScaledMap LevelMaps::reals_of(std::size_t place) {
  const ScaledMap map = maps_[place];
  if (!map.is_level()) return map;
  if (const auto made = made_reals_.find(place); made != made_reals_.end()) return made->second;
  Layer layer;
  layer.name = names_.unique(map.layer + "_real");
  layer.kind = LayerKind::average_pool;
  layer.inputs = {map.layer};
  layer.scale = {map.scale[0]};
  layer.bias = {-map.scale[0] * map.zero[0]};
  append(std::move(layer));
  const ScaledMap reals{.layer = network_.layers.back().name};
  return made_reals_.emplace(place, reals).first->second;
}

}  // namespace cimstat::experiments
