#include "experiments/accuracy_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/file/hdf5_file.h"

#include "experiments/answers/answers_file.h"
#include "experiments/inference/chip_accuracy.h"
#include "experiments/result_header.h"

namespace cimstat::experiments {

namespace {

constexpr std::string_view accuracy_filetype = "cimstat accuracy";
constexpr std::int64_t table_schema_minor = 0;
constexpr std::int64_t chips_schema_minor = 1;
constexpr std::int64_t layer_tables_schema_minor = 3;
constexpr std::string_view layer_tables_attribute = "layer_table_sha256";
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

/// "first=HASH,second=HASH", by name.
std::string text_of(const std::vector<std::pair<std::string, std::string>>& hashes) {
  std::string text;
  for (const auto& [name, sha256] : hashes) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, sha256);
  }
  return text;
}

/// Of the sections that the configuration has, one after the other.
std::vector<std::pair<std::string, std::string>> read_layer_hashes(
    const core::Hdf5Input& file, const std::vector<LayerTableSettings>& tables) {
  std::vector<std::pair<std::string, std::string>> hashes;
  if (tables.empty()) return hashes;
  constexpr std::size_t hash_letters = 64;
  const std::string text = file.text_attribute("/", layer_tables_attribute);
  std::string_view rest = text;
  for (const LayerTableSettings& table : tables) {
    const std::string begin = fmt::format("{}{}=", hashes.empty() ? "" : ",", table.name);
    const std::string_view hash =
        rest.substr(std::min(begin.size(), rest.size())).substr(0, hash_letters);
    if (!rest.starts_with(begin) || hash.size() != hash_letters ||
        hash.find_first_not_of("0123456789abcdef") != hash.npos) {
      break;
    }
    hashes.emplace_back(table.name, hash);
    rest.remove_prefix(begin.size() + hash_letters);
  }
  if (hashes.size() != tables.size() || !rest.empty()) {
    file.fail("/", fmt::format("attribute '{}' contradicts config_toml", layer_tables_attribute),
              "a hash for each section of accuracy.layer_tables, NAME=HASH, is needed", again);
  }
  return hashes;
}

void check_members(const core::Hdf5Input& file, const ResultHeader& header) {
  const AccuracySettings& settings = header.experiment.accuracy;
  const bool frozen = settings.noise == AccuracyNoise::frozen;
  std::vector<std::string> members = {"image", "read", "exact_correct", "sampled_correct"};
  if (frozen) members.insert(members.end(), {"chip", "chip_accuracy"});
  std::vector<std::string> attributes =
      frozen ? header_attributes({"network", "data_set", "partial_sums", "exact_accuracy",
                                  "sampled_accuracy", "difference", "accuracy_over_chips",
                                  "chip_spread", "noise_spread"})
             : header_attributes({"network", "data_set", "table_content_sha256", "partial_sums",
                                  "exact_accuracy", "sampled_accuracy", "difference",
                                  "sampled_on_these_images"});
  if (!settings.layer_tables.empty() && header.schema_minor >= layer_tables_schema_minor) {
    attributes.emplace_back(layer_tables_attribute);
  }
  if (header.schema_minor >= answers_schema_minor) {
    for (std::string& name : answer_members(settings)) members.push_back(std::move(name));
    for (std::string& name : answer_attributes(settings)) attributes.push_back(std::move(name));
  }
  file.require_known("/", members, attributes);
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

void check_number(const core::Hdf5Input& file, std::string_view place, double found,
                  double expected) {
  if (std::abs(found - expected) <= estimate_tolerance) return;
  file.fail(place, "contradicts the answers", fmt::format("{} instead of {}", found, expected),
            again);
}

/// An attribute that is there where there is something to tell, and there alone.
void require_presence(const core::Hdf5Input& file, std::string_view name, bool expected,
                      std::string_view why) {
  if (expected || !file.has_attribute("/", name)) return;
  file.fail("/", fmt::format("attribute '{}' has no place in this result", name), why, again);
}

void check_chips(const core::Hdf5Input& file, const AccuracyRecord& record) {
  const ChipStatistics chips = chip_statistics(record.result, record.confidence);
  check_estimate(file, "accuracy_over_chips", chips.over_chips);
  require_presence(file, "chip_spread", chips.spread.has_value(), "it takes two chips or more");
  require_presence(file, "noise_spread", chips.noise_spread.has_value(),
                   "it takes two chips and two reads or more");
  if (chips.spread) check_estimate(file, "chip_spread", *chips.spread);
  if (chips.noise_spread) {
    const std::vector<double> found = file.numbers_attribute("/", "noise_spread");
    check_number(file, "/noise_spread", found.empty() ? 0.0 : found.front(), *chips.noise_spread);
  }
  const std::vector<double> found = file.doubles("/chip_accuracy", answer_limit);
  if (found.size() != chips.of_chip.size()) {
    file.fail("/chip_accuracy", fmt::format("has {} chips", found.size()),
              fmt::format("there are {}", chips.of_chip.size()), again);
  }
  for (std::size_t chip = 0; chip < found.size(); ++chip) {
    check_number(file, "/chip_accuracy", found[chip], chips.of_chip[chip]);
  }
}

void check_estimates(const core::Hdf5Input& file, const AccuracyRecord& record) {
  const AccuracyStatistics statistics = accuracy_statistics(record.result, record.confidence);
  check_estimate(file, "exact_accuracy", statistics.exact);
  check_estimate(file, "sampled_accuracy", statistics.sampled);
  check_estimate(file, "difference", statistics.difference);
  if (record.result.chips > 0) return check_chips(file, record);
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
  if (result.chips > 0) require("chips", result.chips, settings.chips);
}

void check_datasets(const core::Hdf5Input& file, const ResultHeader& header,
                    const AccuracyResult& result) {
  for (const char* path : {"/image", "/read"}) require_form(file, header, {path, "uint32"});
  for (const char* path : {"/exact_correct", "/sampled_correct"}) {
    require_form(file, header, {path, "uint8"});
  }
  require_index_axis(file, "/image", result.images());
  require_index_axis(file, "/read", result.reads);
  if (result.chips == 0) return;
  require_form(file, header, {"/chip", "uint32"});
  require_form(file, header, {"/chip_accuracy", "float64"});
  require_index_axis(file, "/chip", result.chips);
}

/// [read][image], or [chip][read][image].
core::Shape64 answers_shape(const AccuracyResult& result) {
  if (result.chips == 0) return {result.reads, result.images()};
  return {result.chips, result.reads, result.images()};
}

void write_chips(core::Hdf5Output& file, const AccuracyRecord& record) {
  const ChipStatistics chips = chip_statistics(record.result, record.confidence);
  write_estimate(file, "accuracy_over_chips", chips.over_chips);
  if (chips.spread) write_estimate(file, "chip_spread", *chips.spread);
  if (chips.noise_spread) file.attribute("/", "noise_spread", *chips.noise_spread);
  write_index(file, "/chip", "chip", chips.of_chip.size(), "index of the chip");
  file.dataset("/chip_accuracy", std::span<const double>(chips.of_chip), {chips.of_chip.size()});
  file.attribute("/chip_accuracy", "units", "1");
  file.attribute("/chip_accuracy", "long_name", "share of right answers on the chip");
  file.attach_scale("/chip_accuracy", "/chip", 0);
}

/// Sizes of the answers, before anything is read; they go with the exact ones.
void read_sizes(const core::Hdf5Input& file, bool frozen, AccuracyResult& result) {
  const core::Shape64 shape = file.shape("/sampled_correct");
  bool fits = shape.size() == (frozen ? 3U : 2U);
  std::uint64_t answers = 1;
  for (const std::uint64_t size : shape) {
    fits = fits && size >= 1 && size <= answer_limit && answers * size <= answer_limit;
    answers *= fits ? size : 1;
  }
  if (!fits || file.shape("/exact_correct") != core::Shape64{shape.back()}) {
    file.fail("/sampled_correct",
              fmt::format("is not a [{}read, image] array that goes with /exact_correct",
                          frozen ? "chip, " : ""),
              core::shape_text(shape), again);
  }
  result.reads = static_cast<std::uint32_t>(shape[shape.size() - 2]);
  if (frozen) result.chips = static_cast<std::uint32_t>(shape.front());
}

}  // namespace

void write_accuracy(const Experiment& experiment, const AccuracyRecord& record,
                    const std::filesystem::path& target) {
  core::Hdf5Output file(target);
  write_result_header(file, experiment, experiment.accuracy_toml, accuracy_filetype,
                      !record.layer_tables.empty() ? layer_tables_schema_minor
                      : has_answers(record)        ? answers_schema_minor
                      : record.result.chips > 0    ? chips_schema_minor
                                                   : table_schema_minor);
  file.attribute("/", "network", record.network);
  file.attribute("/", "data_set", record.data_set);
  if (record.result.chips == 0) {
    file.attribute("/", "table_content_sha256", record.table_sha256);
  }
  if (!record.layer_tables.empty()) {
    file.attribute("/", layer_tables_attribute, text_of(record.layer_tables));
  }
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
  if (result.chips > 0) write_chips(file, record);
  write_index(file, "/image", "image", result.images(), "index of the test image");
  write_index(file, "/read", "read", result.reads, "index of the read, all noise fresh");
  file.dataset("/exact_correct", std::span<const std::uint8_t>(result.exact_correct),
               {result.images()});
  file.dataset("/sampled_correct", std::span<const std::uint8_t>(result.sampled_correct),
               answers_shape(result));
  for (const auto& [path, long_name] :
       {std::pair("/exact_correct", "1 where exact integer arithmetic is right"),
        std::pair("/sampled_correct", result.chips > 0
                                          ? "1 where the answer of the chip is right"
                                          : "1 where the answer with sampled codes is right")}) {
    file.attribute(path, "units", "1");
    file.attribute(path, "long_name", long_name);
  }
  file.attach_scale("/exact_correct", "/image", 0);
  const unsigned axis = result.chips > 0 ? 1 : 0;
  if (result.chips > 0) file.attach_scale("/sampled_correct", "/chip", 0);
  file.attach_scale("/sampled_correct", "/read", axis);
  file.attach_scale("/sampled_correct", "/image", axis + 1);
  if (has_answers(record)) write_answers(file, experiment.accuracy, record);
  file.commit();
}

AccuracyRecord read_accuracy(const std::filesystem::path& path) {
  const core::Hdf5Input file(path);
  const ResultHeader header =
      read_result_header(file, accuracy_filetype, layer_tables_schema_minor);
  const bool frozen = header.experiment.accuracy.noise == AccuracyNoise::frozen;
  if (header.is_known_version) check_members(file, header);
  AccuracyRecord record;
  record.name = header.title;
  record.confidence = header.confidence;
  record.network = file.text_attribute("/", "network");
  record.data_set = file.text_attribute("/", "data_set");
  record.config_toml = header.config_toml;
  record.recalibration_images = header.experiment.accuracy.recalibration_images;
  if (!frozen) record.table_sha256 = file.text_attribute("/", "table_content_sha256");
  record.layer_tables = read_layer_hashes(file, header.experiment.accuracy.layer_tables);
  read_sizes(file, frozen, record.result);
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
  if (header.schema_minor >= answers_schema_minor) read_answers(file, header, record);
  return record;
}

}  // namespace cimstat::experiments
