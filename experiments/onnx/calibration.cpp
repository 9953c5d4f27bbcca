#include "experiments/onnx/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"
#include "core/utf8.h"

namespace cimstat::experiments {
namespace {

constexpr std::size_t bins = 2048;
/// Ranges tried for the least squared error, from the widest down to a twentieth of it.
constexpr int tried_ranges = 96;
constexpr double narrowest_share = 0.05;

/// Of all values, each taken for the middle of its bin, against the nearest level of the range.
double squared_error(const ValueHistogram& histogram, const ValueRange& range, std::uint32_t bits) {
  const double levels = std::exp2(bits) - 1.0;
  const double step = (range.largest - range.least) / levels;
  double sum = 0.0;
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    if (histogram.counts[bin] == 0) continue;
    const double value = histogram.least + (static_cast<double>(bin) + 0.5) * histogram.bin_width();
    const double level = std::clamp(std::floor((value - range.least) / step + 0.5), 0.0, levels);
    const double error = value - (range.least + level * step);
    sum += error * error * static_cast<double>(histogram.counts[bin]);
  }
  return sum;
}

double quantile(const ValueHistogram& histogram, double share) {
  const double wanted = share * static_cast<double>(histogram.total());
  double seen = 0.0;
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    seen += static_cast<double>(histogram.counts[bin]);
    if (seen >= wanted) {
      return histogram.least + static_cast<double>(bin + 1) * histogram.bin_width();
    }
  }
  return histogram.largest;
}

/// Runs the images, each worker with sums of its own, and joins them.
template <class Sums, class Take, class Join>
void over_images(const OnnxModel& model, const ImageScale& scale, const ImageSet& images,
                 std::size_t count, core::Threads threads, const core::Progress& progress,
                 const Sums& empty, Take&& take, Join&& join) {
  std::vector<Sums> sums(core::resolved(threads), empty);
  core::for_each_block(
      count, threads,
      [&](std::size_t index, std::size_t slot) {
        model.run(scaled_image(model, scale, images, index),
                  [&](std::string_view name, const OnnxTensor& tensor) {
                    take(sums[slot], name, tensor);
                  });
      },
      progress);
  for (const Sums& one : sums) join(one);
}

}  // namespace

std::uint64_t ValueHistogram::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

double ValueHistogram::bin_width() const {
  return (largest - least) / static_cast<double>(counts.size());
}

OnnxTensor scaled_image(const OnnxModel& model, const ImageScale& scale, const ImageSet& images,
                        std::size_t index) {
  OnnxTensor image;
  image.shape = model.input().shape;
  const std::span<const std::uint8_t> pixels = images.image(index);
  const std::size_t each = pixels.size() / images.channels;
  image.reals.resize(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t channel = i / each;
    image.reals[i] =
        static_cast<float>((pixels[i] / 255.0 - scale.mean[channel]) / scale.deviation[channel]);
  }
  return image;
}

std::map<std::string, ValueHistogram> value_histograms(const OnnxModel& model,
                                                       std::span<const std::string> tensors,
                                                       const ImageScale& scale,
                                                       const ImageSet& images, std::size_t count,
                                                       core::Threads threads,
                                                       const core::Progress& progress) {
  using Histograms = std::map<std::string, ValueHistogram, std::less<>>;
  Histograms result;
  for (const std::string& name : tensors) {
    result[name] = {std::numeric_limits<double>::infinity(),
                    -std::numeric_limits<double>::infinity(), std::vector<std::uint64_t>(bins)};
  }
  // Twice: the second time the ends are known.
  over_images(
      model, scale, images, count, threads, {}, result,
      [](Histograms& sums, std::string_view name, const OnnxTensor& tensor) {
        const auto found = sums.find(name);
        if (found == sums.end()) return;
        for (const float value : tensor.reals) {
          // What is no number shows as a range without an end.
          const double real = std::isnan(value) ? std::numeric_limits<double>::infinity()
                                                : static_cast<double>(value);
          found->second.least = std::min(found->second.least, real);
          found->second.largest = std::max(found->second.largest, real);
        }
      },
      [&](const Histograms& sums) {
        for (const auto& [name, histogram] : sums) {
          result[name].least = std::min(result[name].least, histogram.least);
          result[name].largest = std::max(result[name].largest, histogram.largest);
        }
      });
  for (const std::string& name : tensors) {
    const ValueHistogram& histogram = result[name];
    const bool has_values = histogram.least <= histogram.largest;
    if (!has_values || std::isfinite(histogram.largest - histogram.least)) continue;
    throw core::DataError(
        core::error_line(fmt::format("{}: tensor '{}'", model.file(), core::excerpt(name)),
                         "takes values that are not finite", "on the images to calibrate on",
                         "check --mean and --deviation, or train the network again"));
  }
  const Histograms empty = result;
  over_images(
      model, scale, images, count, threads, progress, empty,
      [](Histograms& sums, std::string_view name, const OnnxTensor& tensor) {
        const auto found = sums.find(name);
        if (found == sums.end()) return;
        ValueHistogram& histogram = found->second;
        const double width = histogram.bin_width();
        for (const float value : tensor.reals) {
          const double place =
              width > 0.0 ? (static_cast<double>(value) - histogram.least) / width : 0.0;
          ++histogram.counts[std::min(static_cast<std::size_t>(place), bins - 1)];
        }
      },
      [&](const Histograms& sums) {
        for (const auto& [name, histogram] : sums) {
          for (std::size_t bin = 0; bin < bins; ++bin) {
            result[name].counts[bin] += histogram.counts[bin];
          }
        }
      });
  return {result.begin(), result.end()};
}

ValueRange range_of(const ValueHistogram& histogram, const CalibrationOptions& options,
                    std::uint32_t bits) {
  const ValueRange all{std::min(histogram.least, 0.0), std::max(histogram.largest, 0.0)};
  switch (options.rule) {
    case RangeRule::largest:
    case RangeRule::pact:
    case RangeRule::image:
      return all;
    case RangeRule::percentile: {
      const double outside = 1.0 - options.percentile / 100.0;
      // Where no value lies below 0, all of the share is cut off at the top.
      const double below = all.least < 0.0 ? outside / 2.0 : 0.0;
      const double least = below > 0.0 ? quantile(histogram, below) - histogram.bin_width() : 0.0;
      const double largest = quantile(histogram, 1.0 - (outside - below));
      return {std::clamp(least, all.least, 0.0), std::clamp(largest, 0.0, all.largest)};
    }
    case RangeRule::mean_square: {
      ValueRange best = all;
      double least_error = std::numeric_limits<double>::infinity();
      for (int i = 0; i < tried_ranges; ++i) {
        const double share = 1.0 - (1.0 - narrowest_share) * i / (tried_ranges - 1.0);
        const ValueRange range{all.least * share, all.largest * share};
        if (!(range.largest > range.least)) break;
        const double error = squared_error(histogram, range, bits);
        if (error < least_error) {
          least_error = error;
          best = range;
        }
      }
      return best;
    }
  }
  return all;
}

double mean_magnitude(const ValueHistogram& histogram) {
  double sum = 0.0;
  std::uint64_t total = 0;
  for (std::size_t bin = 0; bin < histogram.counts.size(); ++bin) {
    const double middle =
        histogram.least + (static_cast<double>(bin) + 0.5) * histogram.bin_width();
    sum += std::abs(middle) * static_cast<double>(histogram.counts[bin]);
    total += histogram.counts[bin];
  }
  return total > 0 ? sum / static_cast<double>(total) : 0.0;
}

}  // namespace cimstat::experiments
