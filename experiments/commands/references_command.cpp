#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "core/file/atomic_file.h"
#include "core/utf8.h"

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/counted.h"
#include "experiments/inference/class_counts.h"
#include "experiments/references/class_file.h"
#include "experiments/references/placed_references.h"

namespace cimstat::experiments {

namespace {

struct ReferencesCommandOptions : CommonOptions {
  std::vector<std::string> criteria;
  std::string classes = "uniform";
  std::vector<std::uint32_t> active_rows;
  std::optional<std::uint32_t> codes;
  std::uint64_t images = 32;
  std::filesystem::path output_file;
  bool json = false;
};

std::vector<ReferenceRule> rules_of(const std::vector<std::string>& names) {
  std::vector<ReferenceRule> rules;
  std::vector<std::string> known;
  for (const RuleName& item : reference_rules()) known.emplace_back(item.name);
  for (const std::string& name : names) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      const auto meant = core::nearest(name, known);
      throw core::UsageError(
          core::error_line("--criterion", fmt::format("\"{}\" is unknown", core::excerpt(name)),
                           fmt::format("known: {}", fmt::join(known, ", ")),
                           meant ? fmt::format("did you mean {}?", *meant) : "name one of these"));
    }
    const ReferenceRule rule =
        reference_rules()[static_cast<std::size_t>(found - known.begin())].rule;
    if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
  }
  return rules;
}

/// Weights of 0 .. n with n rows active, for each n alike.
template <class Weight>
std::vector<circuits::WeightedClass> weighted_levels(const std::vector<std::uint32_t>& active_rows,
                                                     Weight&& weight) {
  std::vector<circuits::WeightedClass> classes;
  for (const std::uint32_t n : active_rows) {
    for (std::uint32_t k = 0; k <= n; ++k) classes.push_back({{k, n}, weight(k, n)});
  }
  return classes;
}

double binomial(std::uint32_t k, std::uint32_t n, double p) {
  const double logarithm = std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                           k * std::log(p) + (n - k) * std::log1p(-p);
  return std::exp(logarithm);
}

double share_of_binomial(const std::string& text) {
  double p = -1.0;
  try {
    p = core::parse_quantity(text, core::Quantity::ratio);
  } catch (const std::invalid_argument&) {
    p = -1.0;
  }
  if (!(p > 0.0 && p < 1.0)) {
    throw core::UsageError(core::error_line(
        "--classes", fmt::format("\"{}\" is no probability", core::excerpt(text)),
        "binomial:p takes one between 0 and 1", "write, for example, binomial:0.25"));
  }
  return p;
}

std::string rows_text(const std::vector<std::uint32_t>& active_rows) {
  return active_rows.size() == 1 ? counted(active_rows.front(), "active row")
                                 : fmt::format("{} active rows", fmt::join(active_rows, ", "));
}

void keep_rows(std::vector<circuits::WeightedClass>& classes,
               const std::vector<std::uint32_t>& active_rows) {
  if (active_rows.empty()) return;
  std::erase_if(classes, [&](const circuits::WeightedClass& item) {
    return std::find(active_rows.begin(), active_rows.end(), item.column_class.active_rows) ==
           active_rows.end();
  });
  if (classes.empty()) {
    throw core::UsageError(
        core::error_line("--active-rows", fmt::format("no class has {}", rows_text(active_rows)),
                         "there is nothing to place references for", "choose another number"));
  }
}

void add_network_classes(const ReferencesCommandOptions& options, const Experiment& experiment,
                         ReferenceRequest& request) {
  const AccuracySettings& settings = experiment.accuracy;
  if (!settings.layer_tables.empty()) {
    throw core::UsageError(
        core::error_line("accuracy.layer_tables", "have no place where references are sought",
                         "all layers are counted, on the columns of this macro", "leave them out"));
  }
  const Network network = read_network(network_file(settings.network));
  const ImageSet images = [&] {
    const PhaseNote note("reading " + settings.data_set, options.verbosity());
    return read_named_images(settings.data_set, Split::test);
  }();
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(options.images, images.size()));
  ProgressMeter meter("classes", {"images", static_cast<double>(count)}, options.verbosity());
  request.classes =
      classes_met(network, images, settings.array, count, options.thread_count(), meter.callback());
  request.classes_text =
      fmt::format("what {} meets on {} of {}", network.name, counted(count, "image"), images.name);
}

void add_classes(const ReferencesCommandOptions& options, const Experiment& experiment,
                 ReferenceRequest& request) {
  const std::string& classes = options.classes;
  std::vector<std::uint32_t> rows = options.active_rows;
  constexpr std::string_view binomial_prefix = "binomial:";
  if (classes == "uniform" || classes.starts_with(binomial_prefix)) {
    if (rows.empty()) rows.push_back(experiment.margin.active_rows);
    if (classes == "uniform") {
      request.classes =
          weighted_levels(rows, [](std::uint32_t, std::uint32_t n) { return 1.0 / (n + 1.0); });
      request.classes_text = "equally frequent MAC values, " + rows_text(rows);
    } else {
      const double p = share_of_binomial(classes.substr(binomial_prefix.size()));
      request.classes = weighted_levels(
          rows, [&](std::uint32_t k, std::uint32_t n) { return binomial(k, n, p); });
      request.classes_text = fmt::format("binomial MAC values, p = {:g}, {}", p, rows_text(rows));
    }
    return;
  }
  if (classes == "network") {
    add_network_classes(options, experiment, request);
  } else {
    const std::uint32_t most = experiment.macro.design.rows;
    request.classes =
        is_result_file(classes) ? read_class_result(classes, most) : read_class_file(classes, most);
    request.classes_text = "the classes of " + core::one_line(classes);
  }
  keep_rows(request.classes, options.active_rows);
}

void check_rows(const ReferencesCommandOptions& options, const Experiment& experiment) {
  for (const std::uint32_t n : options.active_rows) {
    if (n <= experiment.macro.design.rows) continue;
    throw core::UsageError(core::error_line(
        "--active-rows", fmt::format("{} is out of range", n),
        fmt::format("the column has {}", counted(experiment.macro.design.rows, "row")),
        "choose no more"));
  }
}

void run(const ReferencesCommandOptions& options) {
  const Experiment experiment = read_experiment(options.open());
  circuits::require_binary(experiment.macro.design, "placing references for LRS counts");
  print_warnings(experiment);
  check_rows(options, experiment);
  ReferenceRequest request{.rules = rules_of(options.criteria),
                           .codes = options.codes,
                           .classes = {},
                           .classes_text = {}};
  check_rules(experiment, request);
  const bool writes = !options.output_file.empty();
  if (writes) check_output(options.output_file, {options.config, options.classes});
  add_classes(options, experiment, request);
  const std::size_t rules = request.rules.empty() ? reference_rules().size() : request.rules.size();
  const ReferenceResult result = [&] {
    ProgressMeter meter("references", {"criteria", static_cast<double>(rules)},
                        options.verbosity());
    return find_references(experiment, request, options.thread_count(), meter.callback());
  }();
  const PlacedReferences& chosen = result.found[result.chosen];
  if (writes) {
    core::write_atomically(options.output_file,
                           config_with_references(experiment, chosen, result.classes_text));
  }
  std::fputs((options.json ? references_as_json(experiment, result)
                           : references_as_text(experiment, result))
                 .c_str(),
             stdout);
  if (writes && !options.json) {
    fmt::print("written {} with the references of {}\n",
               core::one_line(options.output_file.string()), chosen.name);
  }
}

}  // namespace

void add_references_command(CLI::App& app) {
  const auto options = std::make_shared<ReferencesCommandOptions>();
  CLI::App* command = app.add_subcommand(
      "references", "Best references for the converter; error before and after, and a new file");
  options->add_to(*command);
  std::vector<std::string> names;
  for (const RuleName& item : reference_rules()) names.emplace_back(item.name);
  command
      ->add_option("--criterion", options->criteria,
                   fmt::format("what to place references by, may be repeated: {} (default: all)",
                               fmt::join(names, ", ")))
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      ->add_option("--classes", options->classes,
                   "how often each MAC value is read: uniform, binomial:p, network (counted while "
                   "accuracy.network sees --images images), a result of cimstat "
                   "accuracy --layers, or a CSV file with lines lrs_count,active_rows,weight")
      ->type_name("FILE")
      ->capture_default_str();
  command
      ->add_option("--active-rows", options->active_rows,
                   "numbers of active rows to place for (default: margin.active_rows; with network "
                   "or a file all that are there)")
      ->type_name("N")
      ->allow_extra_args(false)
      ->transform(whole_number(1, circuits::row_limit));
  command->add_option("--codes", options->codes, "codes of the converter (default: as configured)")
      ->type_name("N")
      ->transform(whole_number(2, 4096));
  command->add_option("--images", options->images, "images to count the network's classes on")
      ->type_name("N")
      ->transform(whole_number(1, 100'000'000))
      ->capture_default_str();
  add_output_option(*command, options->output_file,
                    "experiment file to write: this one with the references of the criterion "
                    "named, of several that of least mean square error")
      ->type_name("FILE.toml");
  command->add_flag("--json", options->json, "print JSON, with all references");
  command->footer(
      "Searches on exact densities. clipped: the search of CACTUS, evenly spaced over the best "
      "range "
      "of MAC values;\nposterior: fewest misreads; squared_cost: least (code's value - MAC "
      "value)^2; "
      "lloyd_max: least of all, with codes\nthat stand for any value. Where the configured "
      "references "
      "follow the number of active rows, so do the new ones\nof equal_error, likelihood, posterior "
      "and squared_cost.\n"
      "Example: cimstat references experiments/configs/rram_128rows.toml --classes network "
      "--criterion posterior -o best.toml");
  command->callback([options] { run(*options); });
}

}  // namespace cimstat::experiments
