// From an experiment file to an error table in a file: what `cimstat table` does.
#include <cstdio>

#include "core/config/config.h"
#include "core/error.h"

#include "experiments/experiment.h"
#include "experiments/table/table_file.h"

namespace core = cimstat::core;
namespace circuits = cimstat::circuits;
namespace experiments = cimstat::experiments;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "use: table_from_config EXPERIMENT.toml TABLE.h5\n");
    return 2;
  }
  try {
    const experiments::Experiment experiment =
        experiments::read_experiment(core::Config::from_file(argv[1]));
    const experiments::ChosenTable made = experiments::make_table(
        experiment, circuits::classes_for(experiment.table.active_rows), core::Threads{});
    experiments::write_table(experiment, made, argv[2]);
    std::printf("%zu classes x %u codes\n", made.table.size(), made.table.codes);
  } catch (const core::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
