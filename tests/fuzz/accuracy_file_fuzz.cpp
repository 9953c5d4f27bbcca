#include "experiments/accuracy_file.h"
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
  const experiments::Experiment experiment =
      experiments::read_experiment(core::Config::from_text(macro, "macro.toml"));
  experiments::AccuracyRecord record{.name = experiment.name,
                                     .network = "a network",
                                     .data_set = "a data set",
                                     .table_sha256 = std::string(64, 'a'),
                                     .result = {.reads = 2,
                                                .exact_correct = {1, 1, 0, 1},
                                                .sampled_correct = {1, 0, 0, 1, 1, 1, 0, 0},
                                                .partial_sums = 4096}};
  return written([&](const std::filesystem::path& file) {
    experiments::write_accuracy(experiment, record, file);
  });
}

}  // namespace
}  // namespace cimstat::fuzz

/// A result of `cimstat accuracy`: read, and its statistics shown.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  static const fuzz::StoredFile whole = fuzz::stored();
  const std::filesystem::path file =
      fuzz::hdf5_file_of({data, size}, whole, [](fuzz::StoredFile&) {});
  const auto refusal = fuzz::refusal_of([&] {
    const experiments::AccuracyRecord record = experiments::read_accuracy(file);
    if (experiments::format_accuracy(record).empty()) fuzz::finding("nothing to show");
  });
  fuzz::require_whole({data, size}, refusal);
  return 0;
}
