#include "experiments/inference/stopped_accuracy.h"

#include <algorithm>
#include <cassert>
#include <functional>

namespace cimstat::experiments {

namespace {

constexpr std::size_t first_look = 256;
constexpr std::size_t second_look = 362;  // 256 sqrt(2)
constexpr double stricter = 0.8;

void add(std::vector<std::uint64_t>& to, const std::vector<std::uint64_t>& more) {
  std::transform(to.begin(), to.end(), more.begin(), to.begin(), std::plus());
}

template <class Value>
void append(std::vector<Value>& to, const std::vector<Value>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

std::vector<std::size_t> looks(std::size_t images) {
  std::vector<std::size_t> numbers;
  for (std::size_t doubled = 1;; doubled *= 2) {
    for (const std::size_t base : {first_look, second_look}) {
      if (base * doubled >= images) {
        numbers.push_back(images);
        return numbers;
      }
      numbers.push_back(base * doubled);
    }
  }
}

Estimate stopped_accuracy(const AccuracyResult& result, double confidence) {
  const double level = 1.0 - stricter * (1.0 - confidence);
  Estimate estimate = accuracy_statistics(result, level).sampled;
  std::uint64_t right = 0;
  for (const std::uint8_t answer : result.sampled_correct) right += answer;
  // Of several passes of an image Clopper-Pearson takes the mean as that of one: they vary less.
  const std::uint64_t passes = result.passes();
  const std::uint64_t images = result.images();
  estimate.interval.lower =
      std::min(estimate.interval.lower, core::clopper_pearson(right / passes, images, level).lower);
  estimate.interval.upper =
      std::max(estimate.interval.upper,
               core::clopper_pearson((right + passes - 1) / passes, images, level).upper);
  return estimate;
}

double half_width(const Estimate& estimate) {
  return std::max(estimate.value - estimate.interval.lower,
                  estimate.interval.upper - estimate.value);
}

AccuracyResult accuracy_until(const StoppingRule& rule, const RunImages& run) {
  AccuracyResult result;
  std::size_t done = 0;
  for (const std::size_t look : looks(rule.images)) {
    AccuracyResult more = run(done, look - done);
    result = done == 0 ? std::move(more) : joined(std::move(result), more);
    done = look;
    if (half_width(stopped_accuracy(result, rule.confidence)) <= rule.half_width) break;
  }
  return result;
}

AccuracyResult joined(AccuracyResult a, const AccuracyResult& b) {
  assert(a.reads == b.reads && a.chips == b.chips && a.partial_sums == b.partial_sums);
  const auto first = static_cast<std::ptrdiff_t>(a.images());
  const auto second = static_cast<std::ptrdiff_t>(b.images());
  // [pass][image]; empty in results without classes.
  const auto join = [&](std::vector<std::uint8_t>& to, const std::vector<std::uint8_t>& more) {
    if (to.empty()) return;
    std::vector<std::uint8_t> all;
    all.reserve(to.size() + more.size());
    for (std::uint32_t pass = 0; pass < a.passes(); ++pass) {
      const auto of_a = to.begin() + first * pass;
      const auto of_b = more.begin() + second * pass;
      all.insert(all.end(), of_a, of_a + first);
      all.insert(all.end(), of_b, of_b + second);
    }
    to = std::move(all);
  };
  join(a.sampled_correct, b.sampled_correct);
  join(a.answers.sampled, b.answers.sampled);
  append(a.exact_correct, b.exact_correct);
  append(a.answers.exact, b.answers.exact);
  append(a.answers.labels, b.answers.labels);
  for (std::size_t layer = 0; layer < a.layers.layers.size(); ++layer) {
    add(a.layers.layers[layer].of_class, b.layers.layers[layer].of_class);
    add(a.layers.layers[layer].of_code, b.layers.layers[layer].of_code);
  }
  append(a.layers.powers, b.layers.powers);
  append(a.sensitivity.alone, b.sensitivity.alone);
  append(a.sensitivity.spared, b.sensitivity.spared);
  return a;
}

}  // namespace cimstat::experiments
