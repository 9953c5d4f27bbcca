#include <algorithm>

#include "circuits/exact_column.h"

#include "experiments/inference/code_sampler.h"
#include "experiments/report_input.h"
#include "experiments/table_file.h"
#include "tests/fuzz/hdf5_target.h"

namespace cimstat::fuzz {
namespace {

using experiments::Experiment;

constexpr std::string_view macro = R"(
name = "small"
[cell]
model = "rram"
[cell.lrs]
distribution = "normal"
mean = "40 uS"
sd = "2 uS"
[cell.hrs]
distribution = "normal"
mean = "1 uS"
sd = "100 nS"
[column]
rows = 3
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1 uA"
[table]
trials = 1000
)";

Experiment experiment_of(const std::vector<std::string>& overrides) {
  return experiments::read_experiment(core::Config::from_text(macro, "macro.toml", overrides));
}

StoredFile stored(const Experiment& experiment) {
  return written([&](const std::filesystem::path& file) {
    experiments::write_table(
        experiment,
        experiments::make_table(experiment, circuits::classes_for(experiment.table.active_rows),
                                {1}),
        file);
  });
}

template <class Number>
std::vector<Number> numbers(StoredFile& file, std::string_view path) {
  const StoredDataset* dataset = file.dataset(path);
  const auto* values =
      dataset == nullptr ? nullptr : std::get_if<std::vector<Number>>(&dataset->content);
  return values == nullptr ? std::vector<Number>() : *values;
}

/// The content hash of what is stored now, so that changes of keys, counts and configuration get
/// past it.
void rehash(StoredFile& file) {
  circuits::ErrorTable table;
  const auto lrs = numbers<std::int64_t>(file, "/lrs_count");
  const auto active = numbers<std::int64_t>(file, "/active_rows");
  for (std::size_t i = 0; i < std::min(lrs.size(), active.size()); ++i) {
    table.classes.push_back(
        {static_cast<std::uint32_t>(lrs[i]), static_cast<std::uint32_t>(active[i])});
  }
  for (const std::int64_t code : numbers<std::int64_t>(file, "/ideal")) {
    table.ideal_code.push_back(static_cast<std::uint32_t>(code));
  }
  for (const std::int64_t count : numbers<std::int64_t>(file, "/counts")) {
    table.counts.push_back(static_cast<std::uint64_t>(count));
  }
  table.probability = numbers<double>(file, "/probability");
  table.error_bound = numbers<double>(file, "/error_bound");
  const StoredDataset* probability = file.dataset("/probability");
  if (probability != nullptr && probability->shape.size() == 2) {
    table.codes = static_cast<std::uint32_t>(probability->shape[1]);
  }
  const StoredAttribute* config = file.attribute("/", "config_toml");
  StoredAttribute* hash = file.attribute("/", "content_sha256");
  if (config == nullptr || hash == nullptr) return;
  const auto* text = std::get_if<std::string>(&config->content);
  if (text != nullptr) hash->content = experiments::content_hash(table, text->c_str());
}

/// Engines cost what the configuration in the file asks for; small macros with cheap laws are
/// enough to try the way from a file to a page.
bool is_cheap(const experiments::TableRecord& record) {
  const Experiment experiment = experiments::read_experiment(
      core::Config::from_text(record.config_toml, "configuration of the table"));
  const circuits::ColumnDesign& design = experiment.macro.design;
  return design.rows <= 16 && design.lrs.as_normal() && design.hrs.as_normal() && !design.leakage &&
         !design.dummy && record.table.codes <= 64 && record.table.size() <= 64 &&
         !circuits::exact_obstacle(design);
}

}  // namespace
}  // namespace cimstat::fuzz

/// An error table: read, made a sampler of (as accuracy does) and a page of (as report does).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  static const fuzz::StoredFile exact = fuzz::stored(fuzz::experiment_of({}));
  static const fuzz::StoredFile sampled =
      fuzz::stored(fuzz::experiment_of({"table.method=monte_carlo"}));
  static const fuzz::StoredFile free_codes =
      fuzz::stored(fuzz::experiment_of({"converter.references=uniform", "converter.codes=5"}));
  const std::size_t which = size == 0 ? 0 : data[0] / 4 % 3;
  const std::filesystem::path file = fuzz::hdf5_file_of({data, size},
                                                        which == 0   ? exact
                                                        : which == 1 ? sampled
                                                                     : free_codes,
                                                        fuzz::rehash);
  const auto refusal = fuzz::refusal_of([&] {
    const experiments::TableRecord record = experiments::read_table(file);
    fuzz::refusal_of([&] { experiments::CodeSampler sampler(record.table); });
    if (!fuzz::is_cheap(record)) return;
    const std::uint32_t active_rows = experiments::default_active_rows(record.table);
    experiments::render_report(experiments::report_input(record, {}, active_rows, {1}));
  });
  fuzz::require_whole({data, size}, refusal);
  return 0;
}
