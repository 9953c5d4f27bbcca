#include "experiments/seeing/accuracy_comparison.h"

#include <algorithm>
#include <numeric>

#include "core/statistics/statistics_comparison.h"

namespace cimstat::experiments {

namespace {

/// The first `images` images and `reads` reads.
AccuracyResult cut(const AccuracyResult& result, std::size_t images, std::uint32_t reads) {
  AccuracyResult part{.reads = reads, .exact_correct = {}, .sampled_correct = {}};
  part.exact_correct.assign(result.exact_correct.begin(),
                            result.exact_correct.begin() + static_cast<std::ptrdiff_t>(images));
  for (std::uint32_t read = 0; read < reads; ++read) {
    const auto first =
        result.sampled_correct.begin() + static_cast<std::ptrdiff_t>(read * result.images());
    part.sampled_correct.insert(part.sampled_correct.end(), first,
                                first + static_cast<std::ptrdiff_t>(images));
  }
  part.partial_sums = result.partial_sums;
  return part;
}

std::uint32_t times_correct(const AccuracyResult& result, std::size_t image) {
  std::uint32_t correct = 0;
  for (std::uint32_t read = 0; read < result.reads; ++read) {
    correct += result.sampled_correct[read * result.images() + image];
  }
  return correct;
}

std::uint64_t correct_at_first(const AccuracyResult& result) {
  const auto first = result.sampled_correct.begin();
  return std::accumulate(first, first + static_cast<std::ptrdiff_t>(result.images()),
                         std::uint64_t{0});
}

void compare_pairs(const AccuracyResult& a, const AccuracyResult& b, double confidence,
                   AccuracyComparison& comparison) {
  comparison.images = std::min(a.images(), b.images());
  comparison.reads = std::min(a.reads, b.reads);
  const AccuracyResult part_a = cut(a, comparison.images, comparison.reads);
  const AccuracyResult part_b = cut(b, comparison.images, comparison.reads);
  comparison.a = accuracy_statistics(part_a, confidence).sampled;
  comparison.b = accuracy_statistics(part_b, confidence).sampled;
  comparison.difference = paired_difference(part_b, part_a, confidence);
  for (std::size_t image = 0; image < comparison.images; ++image) {
    const std::uint32_t of_a = times_correct(part_a, image);
    const std::uint32_t of_b = times_correct(part_b, image);
    comparison.better_a += of_a > of_b;
    comparison.better_b += of_b > of_a;
  }
  comparison.p_value = core::binomial_p_value(
      comparison.better_b, comparison.better_a + comparison.better_b, {0.5, 0.5});
}

bool are_same_images(const AccuracyRecord& a, const AccuracyRecord& b) {
  const std::size_t images = std::min(a.result.images(), b.result.images());
  return a.network == b.network && a.data_set == b.data_set &&
         std::equal(a.result.exact_correct.begin(),
                    a.result.exact_correct.begin() + static_cast<std::ptrdiff_t>(images),
                    b.result.exact_correct.begin());
}

}  // namespace

AccuracyComparison compare_accuracy(const AccuracyRecord& a, const AccuracyRecord& b,
                                    double confidence) {
  AccuracyComparison comparison;
  comparison.paired = are_same_images(a, b);
  if (comparison.paired) {
    compare_pairs(a.result, b.result, confidence, comparison);
    return comparison;
  }
  const double each = 0.5 * (1.0 + confidence);
  comparison.a = accuracy_statistics(a.result, each).sampled;
  comparison.b = accuracy_statistics(b.result, each).sampled;
  comparison.difference = {comparison.b.value - comparison.a.value,
                           core::difference_interval(comparison.a.interval, comparison.b.interval)};
  comparison.p_value = core::fisher_p_value(correct_at_first(a.result), a.result.images(),
                                            correct_at_first(b.result), b.result.images());
  return comparison;
}

}  // namespace cimstat::experiments
