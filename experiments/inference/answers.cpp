#include "experiments/inference/answers.h"

#include <numeric>

namespace cimstat::experiments {

namespace {

ConfusionCounts confusion_of(const ClassAnswers& given, const std::vector<std::uint8_t>& answers) {
  ConfusionCounts counts(given.classes);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    counts.add(given.labels[i % given.labels.size()], answers[i]);
  }
  return counts;
}

}  // namespace

std::uint64_t ConfusionCounts::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t ConfusionCounts::right() const {
  std::uint64_t sum = 0;
  for (std::uint32_t label = 0; label < classes; ++label) sum += at(label, label);
  return sum;
}

std::uint64_t ConfusionCounts::of_label(std::uint32_t label) const {
  const auto first = counts.begin() + static_cast<std::ptrdiff_t>(std::size_t{label} * classes);
  return std::accumulate(first, first + classes, std::uint64_t{0});
}

ConfusionCounts ClassAnswers::exact_confusion() const { return confusion_of(*this, exact); }

ConfusionCounts ClassAnswers::sampled_confusion() const { return confusion_of(*this, sampled); }

LayerPowers& LayerPowers::operator+=(const LayerPowers& other) {
  signal += other.signal;
  error += other.error;
  noise += other.noise;
  network_signal += other.network_signal;
  network_noise += other.network_noise;
  return *this;
}

}  // namespace cimstat::experiments
