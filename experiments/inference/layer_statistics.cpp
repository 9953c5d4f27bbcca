#include "experiments/inference/layer_statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

namespace cimstat::experiments {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double decibels_of_one = 4.342944819032518;  // 10 / ln 10

/// Right answers to an image, as a share of its passes.
double share(std::uint32_t right, const AccuracyResult& result) {
  return static_cast<double>(right) / result.passes();
}

std::uint32_t right_passes(const AccuracyResult& result, std::size_t image) {
  std::uint32_t right = 0;
  for (std::uint32_t pass = 0; pass < result.passes(); ++pass) {
    right += result.sampled_correct[pass * result.images() + image];
  }
  return right;
}

}  // namespace

std::uint64_t LayerFigures::reads() const {
  return std::accumulate(codes.begin(), codes.end(), std::uint64_t{0});
}

SignalToNoise signal_to_noise(const std::vector<double>& signal, const std::vector<double>& noise,
                              double values_of_an_image, double confidence) {
  const std::size_t images = signal.size();
  const double signals = std::accumulate(signal.begin(), signal.end(), 0.0);
  const double noises = std::accumulate(noise.begin(), noise.end(), 0.0);
  const double values = values_of_an_image * static_cast<double>(images);
  SignalToNoise result{signals / values, noises / values, {infinity, {infinity, infinity}}};
  if (noises == 0.0) return result;
  if (signals == 0.0) {
    result.decibels = {-infinity, {-infinity, -infinity}};
    return result;
  }
  result.decibels = {decibels_of_one * std::log(signals / noises), {-infinity, infinity}};
  if (images < 2) return result;
  double squares = 0.0;
  for (std::size_t image = 0; image < images; ++image) {
    const double part = signal[image] / signals - noise[image] / noises;
    squares += part * part;
  }
  const auto degrees = static_cast<double>(images - 1);
  const double error = std::sqrt(squares * static_cast<double>(images) / degrees);
  const double half = decibels_of_one * core::student_t(confidence, degrees) * error;
  result.decibels.interval = {result.decibels.value - half, result.decibels.value + half};
  return result;
}

LayerReport layer_report(const AccuracyResult& result, double confidence) {
  LayerReport report{result.layers.scale, {}};
  const std::size_t layers = result.layers.layers.size();
  const auto powers_of = [&](std::size_t layer, double LayerPowers::*part) {
    std::vector<double> of_image(result.images());
    for (std::size_t image = 0; image < of_image.size(); ++image) {
      of_image[image] = result.layers.powers[image * layers + layer].*part;
    }
    return of_image;
  };
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const LayerReads& reads = result.layers.layers[layer];
    LayerFigures figures;
    figures.name = reads.name;
    figures.outputs = reads.outputs;
    figures.partial_sums = reads.partial_sums;
    figures.codes = reads.of_code;
    const double values = static_cast<double>(reads.outputs) * result.passes();
    figures.own = signal_to_noise(powers_of(layer, &LayerPowers::signal),
                                  powers_of(layer, &LayerPowers::noise), values, confidence);
    figures.network =
        signal_to_noise(powers_of(layer, &LayerPowers::network_signal),
                        powers_of(layer, &LayerPowers::network_noise), values, confidence);
    const std::vector<double> errors = powers_of(layer, &LayerPowers::error);
    figures.bias = std::accumulate(errors.begin(), errors.end(), 0.0) /
                   (values * static_cast<double>(result.images()));
    for (std::uint32_t n = 1; n <= reads.rows; ++n) {
      for (std::uint32_t k = 0; k <= n; ++k) {
        const std::uint64_t count = reads.of_class[class_place(k, n)];
        if (count > 0) figures.classes.push_back({k, n, count});
      }
    }
    report.layers.push_back(std::move(figures));
  }
  return report;
}

ClippedShares clipped_shares(const LayerFigures& layer, const CodeScale& scale) {
  const std::uint64_t reads = layer.reads();
  if (reads == 0) return {};
  const double lowest = scale.origin - 0.5 * scale.step;
  const double highest = scale.origin + (scale.codes - 0.5) * scale.step;
  std::uint64_t beyond = 0;
  for (const ClassReads& one : layer.classes) {
    if (one.lrs_count <= lowest || one.lrs_count >= highest) beyond += one.reads;
  }
  const auto of_all = [&](std::uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(reads);
  };
  return {of_all(layer.codes.front()), of_all(layer.codes.back()), of_all(beyond)};
}

std::vector<LayerSensitivity> layer_sensitivities(const AccuracyResult& result, double confidence) {
  const SensitivityRecord& record = result.sensitivity;
  const std::size_t layers = record.layers.size();
  std::vector<LayerSensitivity> found;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    core::Moments alone;
    core::Moments spared;
    for (std::size_t image = 0; image < result.images(); ++image) {
      const std::size_t at = image * layers + layer;
      alone.add(share(record.alone[at], result) - result.exact_correct[image]);
      spared.add(share(record.spared[at], result) - share(right_passes(result, image), result));
    }
    found.push_back({record.layers[layer], mean_with_interval(alone, confidence, {-1.0, 1.0}),
                     mean_with_interval(spared, confidence, {-1.0, 1.0})});
  }
  return found;
}

std::vector<std::size_t> ranking(const std::vector<LayerSensitivity>& layers) {
  std::vector<std::size_t> places(layers.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    const auto cost = [&](std::size_t i) {
      return std::pair(layers[i].alone.value, -layers[i].spared.value);
    };
    return cost(a) < cost(b);
  });
  return places;
}

}  // namespace cimstat::experiments
