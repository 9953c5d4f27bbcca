#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/inference/accuracy_run.h"

/// What a result's records of layers amount to.
namespace cimstat::experiments {

/// How often a class was read; never 0 times.
struct ClassReads {
  std::uint32_t lrs_count = 0;
  std::uint32_t active_rows = 0;
  std::uint64_t reads = 0;
  bool operator==(const ClassReads&) const = default;
};

/// Mean squares of what a layer delivers and of its errors, and their ratio in decibels.
struct SignalToNoise {
  double signal = 0.0;  ///< mean of y^2 over outputs, passes and images
  double noise = 0.0;   ///< mean of (e - y)^2
  /// 10 log10(signal / noise), with a t interval over images: images are independent, the outputs
  /// and passes of one are not. The error of the logarithm is that of the ratio's linear part
  /// (delta method). Without noise infinite, as the ends are; with one image the ends are -+
  /// infinity.
  Estimate decibels;
};

/// One layer on arrays, in all passes of all images.
struct LayerFigures {
  std::string name;
  std::uint64_t outputs = 0;         ///< of a pass
  std::uint64_t partial_sums = 0;    ///< of a pass; those without an active row are not read
  SignalToNoise own;                 ///< against exact integers on the input that the layer had
  double bias = 0.0;                 ///< mean of e - y there
  SignalToNoise network;             ///< against the network in exact integers: with what earlier
                                     ///< layers brought along
  std::vector<std::uint64_t> codes;  ///< [code]: partial sums that were read as it
  std::vector<ClassReads> classes;   ///< ascending in active rows, then LRS count

  std::uint64_t reads() const;
};

struct LayerReport {
  CodeScale scale;
  std::vector<LayerFigures> layers;
};

LayerReport layer_report(const AccuracyResult& result, double confidence);

/// The ratio of sums with its interval; pairs of one image each.
SignalToNoise signal_to_noise(const std::vector<double>& signal, const std::vector<double>& noise,
                              double values_of_an_image, double confidence);

/// Shares of a layer's partial sums that meet an end of the converter.
struct ClippedShares {
  double first_code = 0.0;  ///< read as code 0
  double last_code = 0.0;   ///< read as the highest
  double beyond = 0.0;      ///< MAC value half a step or more outside of what the codes stand for
};
ClippedShares clipped_shares(const LayerFigures& layer, const CodeScale& scale);

/// Accuracy that a layer's columns cost, in two ways, each paired by image on the same random
/// numbers, with t intervals over images.
struct LayerSensitivity {
  std::string name;
  Estimate alone;   ///< this layer alone on columns - exact integers everywhere
  Estimate spared;  ///< all but this layer on columns - all on columns
};
std::vector<LayerSensitivity> layer_sensitivities(const AccuracyResult& result, double confidence);

/// Places of the layers from the one that costs most alone, to the least; of equals the one that
/// spared gains more, then the earlier one.
std::vector<std::size_t> ranking(const std::vector<LayerSensitivity>& layers);

}  // namespace cimstat::experiments
