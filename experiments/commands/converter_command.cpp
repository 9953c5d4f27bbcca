#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/converters/converter_view.h"

namespace cimstat::experiments {

namespace {

struct ConverterCommandOptions : CommonOptions {
  ConverterQuestions questions;
  std::optional<std::uint32_t> active_rows;
  bool json = false;
  bool csv = false;
};

}  // namespace

void add_converter_command(CLI::App& app) {
  const auto options = std::make_shared<ConverterCommandOptions>();
  CLI::App* command = app.add_subcommand(
      "converter", "Linearity of converters with mismatch: INL, DNL, transfer curves");
  options->add_to(*command);
  command->add_option("--converters", options->questions.converters, "converters to make")
      ->type_name("N")
      ->transform(whole_number(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--shown", options->questions.shown, "number of the one that is drawn")
      ->type_name("N")
      ->transform(whole_number(0, core::instance_limit - 1))
      ->capture_default_str();
  command
      ->add_option("--active-rows", options->active_rows,
                   "references of so many active rows, where they follow them (default: all)")
      ->type_name("N");
  CLI::Option* json = command->add_flag("--json", options->json, "print JSON");
  command->add_flag("--csv", options->csv, "print every transition of every converter as CSV")
      ->excludes(json);
  command->footer(
      "A converter is a function of (seed, number): comparator_offset, element_mismatch and what "
      "else [converter] says\nof mismatch are drawn once for it. Noise is left out. In tables each "
      "read meets another converter.\n"
      "Example: cimstat converter experiments/configs/sar_15rows.toml --converters 2000");
  command->callback([options] {
    const Experiment experiment = read_experiment(options->open());
    print_warnings(experiment);
    ConverterQuestions questions = options->questions;
    questions.active_rows = options->active_rows.value_or(experiment.macro.design.rows);
    if (options->csv) {
      std::fputs(converters_as_csv(experiment, questions).c_str(), stdout);
      return;
    }
    const ConverterView view = view_converters(experiment, questions);
    const std::string text = options->json ? converters_as_json(view) : converters_as_text(view);
    std::fputs(text.c_str(), stdout);
  });
}

}  // namespace cimstat::experiments
