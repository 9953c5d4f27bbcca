#include "experiments/accuracy_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/file/hdf5_file.h"
#include "core/utf8.h"

#include "experiments/counted.h"
#include "experiments/result_header.h"

namespace cimstat::experiments {

namespace {

constexpr std::string_view accuracy_filetype = "cimstat accuracy";
constexpr std::int64_t accuracy_schema_minor = 0;
constexpr std::uint64_t answer_limit = most_answers;
constexpr double estimate_tolerance = 1e-9;  // of another machine's mathematics
constexpr std::string_view again = "make the result again with cimstat accuracy";

void write_estimate(core::Hdf5Output& file, std::string_view name, const Estimate& estimate) {
  const std::vector<double> values = {estimate.value, estimate.interval.lower,
                                      estimate.interval.upper};
  file.attribute("/", name, std::span<const double>(values));
}

void write_index(core::Hdf5Output& file, std::string_view path, std::string_view name,
                 std::size_t size, std::string_view long_name) {
  std::vector<std::uint32_t> axis(size);
  std::iota(axis.begin(), axis.end(), 0U);
  file.dataset(path, std::span<const std::uint32_t>(axis), {size});
  file.attribute(path, "units", "1");
  file.attribute(path, "long_name", long_name);
  file.make_scale(path, name);
}

void check_members(const core::Hdf5Input& file) {
  const std::vector<std::string> members = {"image", "read", "exact_correct", "sampled_correct"};
  file.require_known("/", members,
                     header_attributes({"network", "data_set", "table_content_sha256",
                                        "partial_sums", "exact_accuracy", "sampled_accuracy",
                                        "difference", "sampled_on_these_images"}));
}

std::vector<std::uint8_t> read_answers(const core::Hdf5Input& file, std::string_view path) {
  require_units(file, path, "1");
  std::vector<std::uint8_t> answers;
  for (const std::uint64_t value : file.unsigneds(path, answer_limit)) {
    if (value > 1) {
      file.fail(path, fmt::format("{} is no answer", value), "0 is wrong, 1 is right", again);
    }
    answers.push_back(static_cast<std::uint8_t>(value));
  }
  return answers;
}

void check_estimate(const core::Hdf5Input& file, std::string_view name, const Estimate& expected) {
  const std::vector<double> found = file.numbers_attribute("/", name);
  const std::array<double, 3> wanted = {expected.value, expected.interval.lower,
                                        expected.interval.upper};
  const auto equal = [](double a, double b) { return std::abs(a - b) <= estimate_tolerance; };
  if (!std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(), equal)) {
    file.fail("/", fmt::format("attribute '{}' contradicts the answers", name),
              fmt::format("{} instead of {}", fmt::join(found, ", "), fmt::join(wanted, ", ")),
              again);
  }
}

void check_estimates(const core::Hdf5Input& file, const AccuracyRecord& record) {
  const AccuracyStatistics statistics = accuracy_statistics(record.result, record.confidence);
  check_estimate(file, "exact_accuracy", statistics.exact);
  check_estimate(file, "sampled_accuracy", statistics.sampled);
  check_estimate(file, "difference", statistics.difference);
  constexpr std::string_view these_images = "sampled_on_these_images";
  if (statistics.sampled_on_these_images) {
    check_estimate(file, these_images, *statistics.sampled_on_these_images);
  } else if (file.has_attribute("/", these_images)) {
    file.fail("/", fmt::format("attribute '{}' has no place in this result", these_images),
              "it takes two reads or more", again);
  }
}

void check_against_config(const core::Hdf5Input& file, const AccuracyResult& result,
                          const AccuracySettings& settings) {
  const auto require = [&](std::string_view axis, std::uint64_t found, std::uint64_t configured) {
    if (found == configured) return;
    file.fail("/sampled_correct",
              fmt::format("contradicts config_toml: another number of {}", axis),
              fmt::format("{} instead of {}", found, configured), again);
  };
  require("reads", result.reads, settings.reads);
  require("images", result.images(), settings.images);
}

void check_datasets(const core::Hdf5Input& file, const ResultHeader& header,
                    const AccuracyResult& result) {
  for (const char* path : {"/image", "/read"}) require_form(file, header, {path, "uint32"});
  for (const char* path : {"/exact_correct", "/sampled_correct"}) {
    require_form(file, header, {path, "uint8"});
  }
  require_index_axis(file, "/image", result.images());
  require_index_axis(file, "/read", result.reads);
}

std::string percent(const Estimate& estimate) {
  return fmt::format("{:7.2f} %  [{:.2f}, {:.2f}]", 100.0 * estimate.value,
                     100.0 * estimate.interval.lower, 100.0 * estimate.interval.upper);
}

}  // namespace

void write_accuracy(const Experiment& experiment, const AccuracyRecord& record,
                    const std::filesystem::path& target) {
  core::Hdf5Output file(target);
  write_result_header(file, experiment, experiment.accuracy_toml, accuracy_filetype,
                      accuracy_schema_minor);
  file.attribute("/", "network", record.network);
  file.attribute("/", "data_set", record.data_set);
  file.attribute("/", "table_content_sha256", record.table_sha256);
  const AccuracyResult& result = record.result;
  file.attribute("/", "partial_sums", static_cast<std::int64_t>(result.partial_sums));
  // Derived; value, lower, upper. The answers below are the truth.
  const AccuracyStatistics statistics = accuracy_statistics(result, record.confidence);
  write_estimate(file, "exact_accuracy", statistics.exact);
  write_estimate(file, "sampled_accuracy", statistics.sampled);
  write_estimate(file, "difference", statistics.difference);
  if (statistics.sampled_on_these_images) {
    write_estimate(file, "sampled_on_these_images", *statistics.sampled_on_these_images);
  }
  write_index(file, "/image", "image", result.images(), "index of the test image");
  write_index(file, "/read", "read", result.reads, "index of the read, all noise fresh");
  file.dataset("/exact_correct", std::span<const std::uint8_t>(result.exact_correct),
               {result.images()});
  file.dataset("/sampled_correct", std::span<const std::uint8_t>(result.sampled_correct),
               {result.reads, result.images()});
  for (const auto& [path, long_name] :
       {std::pair("/exact_correct", "1 where exact integer arithmetic is right"),
        std::pair("/sampled_correct", "1 where the answer with sampled codes is right")}) {
    file.attribute(path, "units", "1");
    file.attribute(path, "long_name", long_name);
  }
  file.attach_scale("/exact_correct", "/image", 0);
  file.attach_scale("/sampled_correct", "/read", 0);
  file.attach_scale("/sampled_correct", "/image", 1);
  file.commit();
}

AccuracyRecord read_accuracy(const std::filesystem::path& path) {
  const core::Hdf5Input file(path);
  const ResultHeader header = read_result_header(file, accuracy_filetype, accuracy_schema_minor);
  if (header.is_known_version) check_members(file);
  AccuracyRecord record;
  record.name = header.title;
  record.confidence = header.confidence;
  record.network = file.text_attribute("/", "network");
  record.data_set = file.text_attribute("/", "data_set");
  record.config_toml = header.config_toml;
  record.table_sha256 = file.text_attribute("/", "table_content_sha256");
  const core::Shape64 shape = file.shape("/sampled_correct");
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] > answer_limit ||
      shape[1] > answer_limit || shape[0] * shape[1] > answer_limit ||
      file.shape("/exact_correct") != core::Shape64{shape[1]}) {
    file.fail("/sampled_correct", "is not a [read, image] array that goes with /exact_correct",
              core::shape_text(shape), again);
  }
  record.result.reads = static_cast<std::uint32_t>(shape[0]);
  record.result.exact_correct = read_answers(file, "/exact_correct");
  record.result.sampled_correct = read_answers(file, "/sampled_correct");
  const std::int64_t partial_sums = file.integer_attribute("/", "partial_sums");
  if (partial_sums < 0) {
    file.fail("/", fmt::format("attribute 'partial_sums' is {}", partial_sums), "0 or more", again);
  }
  record.result.partial_sums = static_cast<std::uint64_t>(partial_sums);
  check_against_config(file, record.result, header.experiment.accuracy);
  check_datasets(file, header, record.result);
  check_estimates(file, record);
  return record;
}

std::string format_accuracy(const AccuracyRecord& record) {
  const AccuracyStatistics statistics = accuracy_statistics(record.result, record.confidence);
  std::string text = fmt::format(
      "{} on {}: {} x {}, {} an image\n", core::one_line(record.network),
      core::one_line(record.data_set), counted(record.result.images(), "image"),
      counted(record.result.reads, "read"), counted(record.result.partial_sums, "partial sum"));
  text += fmt::format("                             accuracy   [{:g} % interval]\n",
                      100.0 * record.confidence);
  text += fmt::format("  exact integers           {}\n", percent(statistics.exact));
  text += fmt::format("  on this macro            {}\n", percent(statistics.sampled));
  text += fmt::format("  difference, paired       {}\n", percent(statistics.difference));
  if (statistics.sampled_on_these_images) {
    text += fmt::format("  ... these images, reads  {}\n",
                        percent(*statistics.sampled_on_these_images));
  }
  return text;
}

}  // namespace cimstat::experiments
