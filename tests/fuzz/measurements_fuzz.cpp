#include "experiments/fit/cell_fit.h"
#include "experiments/fit/current_fit.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace cimstat;
using namespace cimstat::experiments;

void fit_all_cells(const std::filesystem::path& file) {
  for (const MeasuredCells& cells : read_cells(file, {.lrs = "1", .hrs = "2", .unit = {}})) {
    for (const LawChoice law : {LawChoice::best, LawChoice::empirical}) {
      CellFitReport report{.file = file, .options = {.law = law, .replicates = 9}, .fits = {}};
      report.fits.push_back(fit_cells(cells, report.options, {1}));
      fuzz::require_clean_text(cell_fit_as_text(report));
      fuzz::require_clean_text(cell_fit_as_toml(report));
      fuzz::require_clean_text(cell_fit_as_json(report));
    }
  }
}

void fit_all_currents(const std::filesystem::path& file) {
  const SumGroups groups = read_currents(file, {});
  for (const Constant constant : {Constant::none, Constant::fitted}) {
    CurrentFitReport report{
        .file = file, .fit = {}, .model = {.constant = constant}, .read_voltage = 0.2};
    if (unidentified(groups, report.model)) continue;
    report.fit = fit_sums(groups, report.model);
    fuzz::require_clean_text(current_fit_as_text(report));
    fuzz::require_clean_text(current_fit_as_toml(report));
    fuzz::require_clean_text(current_fit_as_json(report));
  }
}

}  // namespace

/// A table of measured numbers: the first byte says of what.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::filesystem::path file = fuzz::scratch_file("measured.csv", {data + 1, size - 1});
  if (data[0] % 2 == 0) {
    fuzz::refusal_of([&] { fit_all_cells(file); });
  } else {
    fuzz::refusal_of([&] { fit_all_currents(file); });
  }
  return 0;
}
