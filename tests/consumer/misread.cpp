// A macro described in C++, its error table, and how often each MAC value is misread.
#include <cstdio>
#include <utility>
#include <vector>

#include "devices/rram.h"

#include "circuits/error_table.h"
#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

namespace core = cimstat::core;
namespace devices = cimstat::devices;
namespace circuits = cimstat::circuits;

int main() {
  // Volt, siemens, ohm, ampere.
  const double read_voltage = 0.2;
  const devices::RramCell cell{.lrs = core::LogNormal{.median = 40e-6, .sigma = 0.06},
                               .hrs = core::LogNormal{.median = 1e-6, .sigma = 0.5},
                               .access_resistance = 2e3,
                               .read_noise = 0.01};
  circuits::ColumnDesign column{.rows = 16,
                                .lrs = cell.read(devices::Level::lrs).scaled(read_voltage),
                                .hrs = cell.read(devices::Level::hrs).scaled(read_voltage),
                                .sense = {.offset_sd = 0.8e-6, .noise_sd = 0.8e-6}};
  column.ladder = circuits::replica_ladder(column, column.rows);

  circuits::ErrorTable table;
  table.classes = circuits::classes_for(std::vector{column.rows});
  table.codes = column.ladder.codes;
  for (const circuits::ColumnClass& column_class : table.classes) {
    table.ideal_code.push_back(column.ladder.ideal_code(column_class.lrs_count));
  }
  circuits::ExactProbabilities exact =
      circuits::exact_probabilities(column, table.classes, {}, core::Threads{});
  table.probability = std::move(exact.probability);
  table.error_bound = std::move(exact.error_bound);

  for (std::size_t i = 0; i < table.size(); ++i) {
    std::printf("MAC value %2u of %u rows: misread %.8f +- %.0e\n", table.classes[i].lrs_count,
                table.classes[i].active_rows, table.misread(i), table.error_bound[i]);
  }
}
