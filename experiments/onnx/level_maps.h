#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/onnx/integer_layers.h"
#include "experiments/onnx/quantise.h"

namespace cimstat::experiments {

/// A network of integers in the making: its layers so far, the map that each place of the plain
/// graph became (0 the image, i + 1 its layer i), and the levels, signs and real values that are
/// made of a map once, where a layer takes others than it has.
class LevelMaps {
 public:
  LevelMaps(const PlainGraph& graph, const std::map<std::string, ValueHistogram>& histograms,
            const QuantiseOptions& options, const std::string& file);

  bool spans_each_image() const { return options_.calibration.rule == RangeRule::image; }
  const ValueHistogram& histogram(const PlainLayer& layer) const {
    return histograms_.at(layer.tensor);
  }
  /// The step of levels from 0 up to `highest` or the calibrated range's end.
  double step_of(const PlainLayer& layer, double highest) const;

  const ScaledMap& operator[](std::size_t place) const { return maps_[place]; }
  /// Of the next place.
  void push_back(ScaledMap map) { maps_.push_back(std::move(map)); }

  /// The levels of a map, itself where it is of levels.
  ScaledMap levels_of(std::size_t place);
  /// The same where weights take them: of 1 bit a map with a sign becomes signs. `taker` is the
  /// layer that takes them, for messages.
  ScaledMap levels_for_weights(std::size_t place, const PlainLayer& taker);
  /// What is written into arrays: levels about the middle one, as many bits as weights have, but 2
  /// at least.
  ScaledMap written_levels_of(std::size_t place);
  /// The real values of a map; of levels by a layer more.
  ScaledMap reals_of(std::size_t place);

  std::string unique(std::string name) { return names_.unique(std::move(name)); }
  void append(Layer layer) { network_.layers.push_back(std::move(layer)); }
  /// A quantise layer behind a map: level = value / step + zero, of a real value or a level.
  ScaledMap add_levels(const ScaledMap& of, std::string name, double step, double zero,
                       std::uint32_t bits);
  /// The network, checked. Nothing is left here.
  Network take();

  [[noreturn]] void refuse(const PlainLayer& layer, std::string_view problem,
                           std::string_view why) const;
  /// What --range image can't do, which other ranges can.
  [[noreturn]] void refuse_range(const PlainLayer& layer, std::string_view problem,
                                 std::string_view why) const;

 private:
  bool is_positive(std::size_t place) const;
  ScaledMap spanned_levels_of(std::size_t place, const PlainLayer& taker);

  using Made = std::map<std::size_t, ScaledMap>;  // of a place

  const PlainGraph& graph_;
  const std::map<std::string, ValueHistogram>& histograms_;
  const QuantiseOptions& options_;
  const std::string& file_;
  std::vector<ScaledMap> maps_;  ///< [place]
  Made made_levels_;
  Made made_signs_;    ///< ... of 1 bit
  Made made_written_;  ///< ... as arrays take them
  Made made_reals_;    ///< ... its real values
  LayerNames names_;
  Network network_;
};

}  // namespace cimstat::experiments
