#include "experiments/commands/command_line.h"

#include <memory>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/file/provenance.h"

#include "experiments/commands/cluster_commands.h"
#include "experiments/commands/command.h"
#include "experiments/commands/program_model.h"

namespace cimstat::experiments {

namespace {

/// "--threads N   threads to use ... [0 - 4096; default 0]", broken into lines.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    const OptionModel model = model_of(*option);
    if (!model.takes_value()) return {};
    return " " + model.value + (model.repeated ? " ..." : "");
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    constexpr std::size_t columns = 78;
    std::string text = model_of(*option).full_description();
    std::size_t start = 0;
    while (text.size() - start > columns) {
      const std::size_t space = text.rfind(' ', start + columns);
      if (space == std::string::npos || space <= start) break;
      text[space] = '\n';
      start = space + 1;
    }
    return text;
  }
};

struct Group {
  std::string_view heading;
  std::vector<void (*)(CLI::App&)> commands;
};

const std::vector<Group>& groups() {
  static const std::vector<Group> list = {
      {"Prepare",
       {add_fit_command, add_import_command, add_describe_command, add_gallery_command,
        add_validate_command, add_selfcheck_command}},
      {"Compute",
       {add_margin_command, add_references_command, add_table_command, add_columns_command,
        add_array_command, add_wires_command, add_converter_command, add_sram_command,
        add_accuracy_command, add_sweep_command, add_merge_command}},
      {"Sweeps on clusters", {add_submit_command, add_status_command}},
      {"Look at results", {add_show_command, add_diff_command, add_report_command}},
      {"Shell", {add_completion_command}},
  };
  return list;
}

}  // namespace

void add_command_line(CLI::App& app) {
  app.name("cimstat");
  app.formatter(std::make_shared<HelpFormatter>());  // subcommands take it over
  app.description(
      "cimstat: Monte Carlo device-and-circuit statistics for analog compute-in-memory\n"
      "Describe cells, column circuit and converter in one TOML file; get the read margin of each "
      "MAC value,\nP(code | MAC value) with intervals or error bounds, and the accuracy of a "
      "quantised network read through\nthat column.");
  app.set_version_flag("--version", core::source_text(), "print version and git revision");
  app.set_help_flag("--help,-h", "print this help");
  app.get_option("--version")->configurable(false);
  app.require_subcommand(1);
  app.footer(
      "\nFirst steps:\n"
      "  cimstat margin macro.toml                      read margins and misread rates, as text\n"
      "  cimstat table macro.toml -o macro.table.h5     P(code | MAC value) as an HDF5 file\n"
      "  cimstat accuracy macro.toml --table macro.table.h5\n"
      "  cimstat report macro.table.h5                  one HTML page\n"
      "`cimstat COMMAND --help` says what a command takes; `man cimstat` has it all.\n"
      "Exit codes: 0 done, 1 failure (diff: the files differ), 2 usage or configuration (diff: or "
      "failure), 3 damaged,\nforeign or incomplete data, 75 stopped early (started again it goes "
      "on), "
      "130 interrupted.");
  for (const Group& group : groups()) {
    for (const auto add : group.commands) {
      const std::size_t before = app.get_subcommands([](const CLI::App*) { return true; }).size();
      add(app);
      const auto all = app.get_subcommands([](const CLI::App*) { return true; });
      for (std::size_t i = before; i < all.size(); ++i) {
        all[i]->set_help_flag("--help,-h", "print this help");
        all[i]->group(std::string(group.heading));
      }
    }
  }
  add_man_command(app);  // hidden
}

std::string brief_help(const CLI::App& app) {
  const ProgramModel model = model_of(app);
  std::string text = model.description.substr(0, model.description.find('\n')) + "\n";
  for (const CommandModel& command : model.commands) {
    text += fmt::format("  cimstat {:<11} {}\n", command.name, command.description);
  }
  return text + "cimstat --help says more; cimstat COMMAND --help has options and an example.\n";
}

}  // namespace cimstat::experiments
