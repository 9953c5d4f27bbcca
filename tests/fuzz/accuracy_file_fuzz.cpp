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

StoredFile stored() {
  const experiments::Experiment experiment = experiments::read_experiment(core::Config::from_text(
      macro, "macro.toml", std::vector<std::string>{"accuracy.images=4", "accuracy.reads=2"}));
  experiments::AccuracyRecord record;
  record.name = experiment.name;
  record.network = "a network";
  record.data_set = "a data set";
  record.table_sha256 = std::string(64, 'a');
  record.result.reads = 2;
  record.result.exact_correct = {1, 1, 0, 1};
  record.result.sampled_correct = {1, 0, 0, 1, 1, 1, 0, 0};
  record.result.partial_sums = 4096;
  return written([&](const std::filesystem::path& file) {
    experiments::write_accuracy(experiment, record, file);
  });
}

}  // namespace
}  // namespace cimstat::fuzz

/// A result of `cimstat accuracy`: read, its statistics shown, compared with another one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  static const fuzz::StoredFile whole = fuzz::stored();
  static const experiments::AccuracyRecord original =
      experiments::read_accuracy(fuzz::scratch_folder() / "whole.h5");
  const std::filesystem::path file = fuzz::hdf5_file_of({data, size}, whole, fuzz::rehash_config);
  experiments::AccuracyRecord record;
  const auto refusal = fuzz::refusal_of([&] { record = experiments::read_accuracy(file); });
  fuzz::require_whole({data, size}, refusal);
  if (refusal) return 0;
  fuzz::refusal_of([&] {
    fuzz::require_clean_text(experiments::format_accuracy(record));
    const experiments::ComparisonSettings settings;
    const experiments::AccuracyComparison comparison =
        experiments::compare_accuracy(original, record, settings.confidence);
    fuzz::require_clean_text(experiments::format_comparison(comparison, settings));
    fuzz::require_clean_text(
        core::json_text(experiments::comparison_as_json(comparison, settings)));
  });
  return 0;
}
