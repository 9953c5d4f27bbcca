#include "experiments/columns/columns_file.h"
#include "tests/fuzz/hdf5_target.h"

namespace cimstat::fuzz {
namespace {

constexpr std::string_view macro = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "normal"
mean = "40 uS"
sd = "2 uS"
[cell.hrs]
distribution = "point"
value = "1 uS"
[column]
rows = 2
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "2 uA"
[columns]
columns = 3
dies = 2
)";

StoredFile stored() {
  const experiments::Experiment experiment =
      experiments::read_experiment(core::Config::from_text(macro, "macro.toml"));
  const experiments::ColumnsResult result = experiments::run_columns(experiment, {1});
  return written([&](const std::filesystem::path& file) {
    experiments::write_columns(experiment, result, file);
  });
}

}  // namespace
}  // namespace cimstat::fuzz

/// A result of `cimstat columns`: read, its statistics shown.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  static const fuzz::StoredFile whole = fuzz::stored();
  const std::filesystem::path file = fuzz::hdf5_file_of({data, size}, whole, fuzz::rehash_config);
  experiments::ColumnsResult result;
  const auto refusal = fuzz::refusal_of([&] { result = experiments::read_columns(file); });
  fuzz::require_whole({data, size}, refusal);
  if (refusal) return 0;
  fuzz::refusal_of([&] {
    fuzz::require_clean_text(experiments::columns_as_text(result));
    fuzz::require_clean_text(experiments::columns_as_json(result));
  });
  return 0;
}
