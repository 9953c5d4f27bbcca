// Writes pages of made-up sweeps into a folder, for the tests in a browser: sweep_sample_pages
// FOLDER
#include <cstdio>
#include <exception>
#include <fstream>

#include "experiments/report/sweep_report.h"
#include "tests/experiments/sweep/sweep_samples.h"

namespace cimstat::experiments {
namespace {

void write_pages(const std::string& folder) {
  const auto write = [&](const std::string& name, const SweepRecord& record) {
    std::ofstream(folder + "/" + name + ".html", std::ios::binary) << render_sweep_report(record);
  };
  write("sweep-grid", grid_record());
  write("sweep-sampled", sampled_record(1024));
  write("sweep-few", sampled_record(60));
  write("sweep-mixed", sampled_record(256, {word_axis("corner", {"slow", "typical", "fast"})}));
  write("sweep-odd", odd_record());
  write("sweep-one", one_point_record());
  write("sweep-line", line_record());
  write("sweep-large", large_record());
  write("sweep-large-sampled", sampled_record(100'000));
  write("sweep-hostile", hostile_record());
}

}  // namespace
}  // namespace cimstat::experiments

int main(int count, char** arguments) {
  if (count != 2) return 2;
  try {
    cimstat::experiments::write_pages(arguments[1]);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
  }
  return 0;
}
