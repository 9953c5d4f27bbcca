#include <nlohmann/json.hpp>

#include "experiments/accuracy_text.h"
#include "experiments/seeing/comparison_text.h"
#include "tests/fuzz/hdf5_target.h"

namespace cimstat::fuzz {
namespace {

constexpr std::string_view macro = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "point"
value = "40 uS"
[cell.hrs]
distribution = "point"
value = "1 uS"
[column]
rows = 2
read_voltage = "0.2 V"
)";

/// Right and wrong alone, as earlier versions wrote it.
experiments::AccuracyRecord plain(const experiments::Experiment& experiment) {
  experiments::AccuracyRecord record;
  record.name = experiment.name;
  record.network = "a network";
  record.data_set = "a data set";
  record.table_sha256 = std::string(64, 'a');
  record.result.reads = 2;
  record.result.exact_correct = {1, 1, 0, 1};
  record.result.sampled_correct = {1, 0, 0, 1, 1, 1, 0, 0};
  record.result.partial_sums = 4096;
  return record;
}

/// With all that can be asked for: two classes, two layers of two rows, three codes.
experiments::AccuracyRecord with_answers(const experiments::Experiment& experiment) {
  experiments::AccuracyRecord record = plain(experiment);
  record.result.answers = {.classes = 2,
                           .labels = {0, 1, 0, 1},
                           .exact = {0, 1, 1, 1},
                           .sampled = {0, 0, 1, 1, 0, 1, 1, 0}};
  record.result.layers = {
      .scale = {.codes = 3, .step = 1.0, .origin = 0.0},
      .layers = {{"first", 16, 4, 2, {0, 20, 10, 0, 30, 5}, {20, 40, 5}},
                 {"second", 8, 2, 2, {0, 0, 0, 0, 8, 8}, {0, 8, 8}}},
      .powers = std::vector<experiments::LayerPowers>(8, {40.0, 0.5, 2.0, 41.0, 3.0})};
  record.result.sensitivity = {.layers = {"first", "second"},
                               .alone = {2, 2, 1, 2, 0, 0, 2, 2},
                               .spared = {2, 2, 2, 1, 0, 0, 2, 1}};
  record.layers = experiments::layer_report(record.result, record.confidence);
  return record;
}

/// With tables of single layers.
experiments::AccuracyRecord with_tables(const experiments::Experiment& experiment) {
  experiments::AccuracyRecord record = with_answers(experiment);
  record.result.layers = {};
  record.layers = {};
  record.result.sensitivity = {};
  record.layer_tables = {{"a", std::string(64, 'b')}, {"b", std::string(64, 'c')}};
  return record;
}

StoredFile stored(const std::vector<std::string>& asked,
                  experiments::AccuracyRecord (*record_of)(const experiments::Experiment&)) {
  std::vector<std::string> overrides = {"accuracy.images=4", "accuracy.reads=2"};
  overrides.insert(overrides.end(), asked.begin(), asked.end());
  const experiments::Experiment experiment =
      experiments::read_experiment(core::Config::from_text(macro, "macro.toml", overrides));
  return written([&](const std::filesystem::path& file) {
    experiments::write_accuracy(experiment, record_of(experiment), file);
  });
}

}  // namespace
}  // namespace cimstat::fuzz

/// A result of `cimstat accuracy`: read, its statistics shown, compared with another one. Bit 2 of
/// the first byte chooses the result with layers to be changed, bit 3 alone that with tables of
/// layers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  static const fuzz::StoredFile layers =
      fuzz::stored({"accuracy.layers=true", "accuracy.sensitivity=true", "accuracy.half_width=0.4"},
                   fuzz::with_answers);
  static const fuzz::StoredFile whole = fuzz::stored({}, fuzz::plain);
  static const experiments::AccuracyRecord original =
      experiments::read_accuracy(fuzz::scratch_folder() / "whole.h5");
  static const fuzz::StoredFile tables = fuzz::stored(
      {"accuracy.layer_tables.a.layers=[\"first\"]", "accuracy.layer_tables.a.table=a.h5",
       "accuracy.layer_tables.b.layers=[\"second\"]", "accuracy.layer_tables.b.table=b.h5"},
      fuzz::with_tables);
  const std::uint8_t choice = size > 0 ? data[0] : 0;
  const fuzz::StoredFile& changed = (choice & 4) != 0 ? layers : (choice & 8) != 0 ? tables : whole;
  const std::filesystem::path file = fuzz::hdf5_file_of({data, size}, changed, fuzz::rehash_config);
  experiments::AccuracyRecord record;
  const auto refusal = fuzz::refusal_of([&] { record = experiments::read_accuracy(file); });
  fuzz::require_whole({data, size}, refusal);
  if (refusal) return 0;
  fuzz::refusal_of([&] {
    fuzz::require_clean_text(experiments::format_accuracy(record));
    fuzz::require_clean_text(core::json_text(experiments::accuracy_as_json(record)));
    const experiments::ComparisonSettings settings;
    const experiments::AccuracyComparison comparison =
        experiments::compare_accuracy(original, record, settings.confidence);
    fuzz::require_clean_text(experiments::format_comparison(comparison, settings));
    fuzz::require_clean_text(
        core::json_text(experiments::comparison_as_json(comparison, settings)));
  });
  return 0;
}
