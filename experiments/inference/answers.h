#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What passes of images through a network answer, besides right and wrong: numbers that add up, so
/// that no figure depends on the order of the work.
namespace cimstat::experiments {

/// [label][answer]: passes of images with this label that ended in this class.
struct ConfusionCounts {
  std::uint32_t classes = 0;
  std::vector<std::uint64_t> counts;

  ConfusionCounts() = default;
  explicit ConfusionCounts(std::uint32_t classes_)
      : classes(classes_), counts(std::size_t{classes_} * classes_) {}
  void add(std::uint32_t label, std::uint32_t answer) {
    ++counts[std::size_t{label} * classes + answer];
  }
  std::uint64_t at(std::uint32_t label, std::uint32_t answer) const {
    return counts[std::size_t{label} * classes + answer];
  }
  std::uint64_t total() const;
  std::uint64_t right() const;  ///< the diagonal
  std::uint64_t of_label(std::uint32_t label) const;
  bool operator==(const ConfusionCounts&) const = default;
};

/// Classes that images are of and are taken for; empty where nothing was recorded.
struct ClassAnswers {
  std::uint32_t classes = 0;
  std::vector<std::uint8_t> labels;           ///< [image]
  std::vector<std::uint8_t> exact;            ///< [image]: what exact integers take it for
  std::vector<std::uint8_t> sampled;          ///< what columns take it for, [pass][image]
  ConfusionCounts exact_confusion() const;    ///< of one pass of each image
  ConfusionCounts sampled_confusion() const;  ///< of all passes
  bool operator==(const ClassAnswers&) const = default;
};

/// What a code stands for: origin + step * code.
struct CodeScale {
  std::uint32_t codes = 0;
  double step = 1.0;
  double origin = 0.0;
  bool operator==(const CodeScale&) const = default;
};

/// Of one layer in one image, added up over its outputs and over passes: y what exact integers make
/// of the input that the layer had, z what the network in exact integers makes there, e what
/// columns made.
struct LayerPowers {
  double signal = 0.0;          ///< y^2
  double error = 0.0;           ///< e - y
  double noise = 0.0;           ///< (e - y)^2
  double network_signal = 0.0;  ///< z^2
  double network_noise = 0.0;   ///< (e - z)^2
  LayerPowers& operator+=(const LayerPowers& other);
  bool operator==(const LayerPowers&) const = default;
};

/// Where a class (k, n) stands in a list of all by n, then k.
constexpr std::size_t class_place(std::uint32_t lrs_count, std::uint32_t active_rows) {
  return std::size_t{active_rows} * (active_rows + 1) / 2 + lrs_count;
}

/// What the columns of one layer read, in all passes of all images.
struct LayerReads {
  std::string name;
  std::uint64_t partial_sums = 0;       ///< of a pass: columns, whether a row was active or not
  std::uint64_t outputs = 0;            ///< of a pass
  std::uint32_t rows = 0;               ///< most that can be active
  std::vector<std::uint64_t> of_class;  ///< [class_place(k, n)]
  std::vector<std::uint64_t> of_code;
  bool operator==(const LayerReads&) const = default;
};

/// What was recorded of layers on arrays; no layers where nothing was asked for.
struct LayerRecord {
  CodeScale scale;
  std::vector<LayerReads> layers;
  std::vector<LayerPowers> powers;  ///< [image][layer]
  bool operator==(const LayerRecord&) const = default;
};

/// Answers with some layers in exact integers, on the same random numbers as those of the whole
/// network; no layers where nothing was asked for.
struct SensitivityRecord {
  std::vector<std::string> layers;
  std::vector<std::uint32_t> alone;   ///< [image][layer]: right passes, this layer alone on columns
  std::vector<std::uint32_t> spared;  ///< [image][layer]: ... all on columns but this one
  bool operator==(const SensitivityRecord&) const = default;
};

}  // namespace cimstat::experiments
