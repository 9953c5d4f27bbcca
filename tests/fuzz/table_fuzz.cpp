#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/file/provenance.h"

#include "circuits/exact/exact_column.h"

#include "experiments/inference/code_sampler.h"
#include "experiments/report_input.h"
#include "experiments/seeing/comparison_text.h"
#include "experiments/seeing/file_description.h"
#include "experiments/seeing/table_comparison.h"
#include "experiments/seeing/table_summary.h"
#include "experiments/table/table_file.h"
#include "tests/fuzz/hdf5_target.h"

namespace cimstat::fuzz {
namespace {

using experiments::Experiment;
using experiments::TableRecord;

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
  rehash_config(file);
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
  if (file.dataset("/guaranteed_trial") != nullptr) {
    table.guaranteed.emplace();
    for (const std::int64_t last : numbers<std::int64_t>(file, "/guaranteed_trial")) {
      table.guaranteed->classes.push_back({.trials = static_cast<std::uint64_t>(last)});
    }
  }
  const StoredDataset* probability = file.dataset("/probability");
  if (probability != nullptr && probability->shape.size() == 2) {
    table.codes = static_cast<std::uint32_t>(probability->shape[1]);
  }
  const StoredAttribute* config = file.attribute("/", "config_toml");
  StoredAttribute* hash = file.attribute("/", "content_sha256");
  if (config == nullptr || hash == nullptr) return;
  const auto* text = std::get_if<std::string>(&config->content);
  if (text == nullptr) return;
  hash->content = experiments::content_hash(table, text->c_str());
  StoredAttribute* config_hash = file.attribute("/", "config_sha256");
  if (config_hash != nullptr) config_hash->content = core::sha256(std::string(text->c_str()));
}

/// Engines cost what the configuration in the file asks for; small macros with cheap laws are
/// enough to try the way from a file to a page.
bool is_cheap(const TableRecord& record) {
  const Experiment experiment = experiments::read_experiment(
      core::Config::from_text(record.config_toml, "configuration of the table"));
  const circuits::ColumnDesign& design = experiment.macro.design;
  return design.rows <= 16 && design.lrs.as_normal() && design.hrs.as_normal() && !design.leakage &&
         !design.dummy && record.table.codes <= 64 && record.table.size() <= 64 &&
         !circuits::exact_obstacle(design);
}

void show(const std::filesystem::path& file) {
  const experiments::FileKind kind = experiments::file_kind(file);
  const experiments::FileDescription description = experiments::describe_file(file, kind);
  require_clean_text(experiments::format_description(file, description));
  require_clean_text(core::json_text(experiments::description_as_json(file, description)));
}

void show(const TableRecord& record) {
  const std::uint32_t active_rows = experiments::default_active_rows(record.table);
  const experiments::IntervalChoice all{.confidence = record.confidence,
                                        .method = core::IntervalMethod::goodman,
                                        .scope = experiments::IntervalScope::table};
  require_clean_text(experiments::format_levels(record, active_rows, all, {}));
  require_clean_text(core::json_text(experiments::levels_as_json(record, active_rows, {})));
  require_clean_text(experiments::format_class(record, record.table.classes.back(), {}, {}));
}

void compare(const TableRecord& a, const TableRecord& b) {
  const experiments::ComparisonSettings settings;
  const experiments::TableComparison comparison =
      experiments::compare_tables(a.table, b.table, settings.level, settings.confidence);
  require_clean_text(
      experiments::format_keys(experiments::differing_keys(a.config_toml, b.config_toml)));
  require_clean_text(experiments::format_comparison(a, b, comparison, settings));
  require_clean_text(core::json_text(experiments::comparison_as_json(comparison, settings)));
}

void make_page(const TableRecord& record) {
  if (!is_cheap(record)) return;
  const std::uint32_t active_rows = experiments::default_active_rows(record.table);
  experiments::render_report(
      experiments::report_input(record, {}, active_rows, {.confidence = record.confidence}, {1}));
}

struct Whole {
  StoredFile stored;
  TableRecord record;
};

Whole whole_table(const std::vector<std::string>& overrides) {
  const Experiment experiment = experiment_of(overrides);
  StoredFile file = stored(experiment);
  return {std::move(file), experiments::read_table(scratch_folder() / "whole.h5")};
}

}  // namespace
}  // namespace cimstat::fuzz

/// An error table: read, made a sampler of (as accuracy does), shown, compared and made a page of.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  static const fuzz::Whole whole[] = {
      fuzz::whole_table({}), fuzz::whole_table({"table.method=monte_carlo"}),
      fuzz::whole_table({"converter.references=uniform", "converter.codes=5"}),
      fuzz::whole_table({"table.method=monte_carlo", "table.trials=20000",
                         "table.target_relative_error=0.3", "sense_amplifier.noise_sd=\"4 uA\""})};
  const fuzz::Whole& original = whole[size == 0 ? 0 : data[0] / 4 % 4];
  const std::filesystem::path file =
      fuzz::hdf5_file_of({data, size}, original.stored, fuzz::rehash);
  fuzz::refusal_of([&] { fuzz::show(file); });
  experiments::TableRecord record;
  const auto refusal = fuzz::refusal_of([&] { record = experiments::read_table(file); });
  fuzz::require_whole({data, size}, refusal);
  if (refusal) return 0;
  fuzz::refusal_of([&] { experiments::CodeSampler sampler(record.table); });
  fuzz::refusal_of([&] { fuzz::show(record); });
  fuzz::refusal_of([&] { fuzz::compare(original.record, record); });
  fuzz::refusal_of([&] { fuzz::make_page(record); });
  return 0;
}
