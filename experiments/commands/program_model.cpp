#include "experiments/commands/program_model.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

/// "TEXT:{a,b}" -> a, b. CLI11 tells choices only in the name of the type.
std::vector<std::string> choices_in(const std::string& type) {
  const std::size_t open = type.find('{');
  const std::size_t close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  std::vector<std::string> choices;
  std::string list = type.substr(open + 1, close - open - 1);
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    choices.push_back(list.substr(0, comma));
    list.erase(0, comma + 1);
  }
  return choices;
}

}  // namespace

OptionModel model_of(const CLI::Option& option) {
  OptionModel model;
  if (option.get_positional()) {
    model.names.push_back(option.get_name(true));
  } else {
    for (const std::string& name : option.get_lnames()) model.names.push_back("--" + name);
    for (const std::string& name : option.get_snames()) model.names.push_back("-" + name);
  }
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();  // "N:0 - 4096", "SHELL:{bash,zsh}"
    const std::size_t colon = std::min(type.find(':'), type.size());
    model.choices = choices_in(type);
    if (model.choices.empty() && colon < type.size()) model.range = type.substr(colon + 1);
    model.value = colon == 0 ? "VALUE" : type.substr(0, colon);
  }
  model.description = option.get_description();
  model.fallback = option.get_default_str();
  model.required = option.get_required();
  model.repeated = option.get_items_expected_max() > 1;
  return model;
}

std::string OptionModel::full_description() const {
  std::vector<std::string> notes;
  if (!choices.empty()) notes.push_back(fmt::format("{}", fmt::join(choices, ", ")));
  if (!range.empty()) notes.push_back(range);
  if (!fallback.empty()) notes.push_back("default " + fallback);
  return notes.empty() ? description : fmt::format("{} [{}]", description, fmt::join(notes, "; "));
}

namespace {

bool is_shown(const CLI::Option& option) { return !option.get_group().empty(); }

CommandModel command_of(const CLI::App& app) {
  CommandModel command{.name = app.get_name(),
                       .group = app.get_group(),
                       .description = app.get_description(),
                       .footer = app.get_footer(),
                       .positionals = {},
                       .options = options_of(app)};
  for (const CLI::Option* option : app.get_options()) {
    if (is_shown(*option) && option->get_positional()) {
      command.positionals.push_back(model_of(*option));
    }
  }
  return command;
}

}  // namespace

std::string OptionModel::file_ending() const {
  if (value == "FILE") return "*";
  return value.starts_with("FILE.") ? value.substr(5) : std::string();
}

std::vector<OptionModel> options_of(const CLI::App& app) {
  std::vector<OptionModel> options;
  for (const CLI::Option* option : app.get_options()) {
    if (is_shown(*option) && !option->get_positional()) options.push_back(model_of(*option));
  }
  return options;
}

ProgramModel model_of(const CLI::App& app) {
  ProgramModel model{.name = app.get_name(),
                     .description = app.get_description(),
                     .footer = app.get_footer(),
                     .options = options_of(app),
                     .commands = {},
                     .keys = {}};
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) model.commands.push_back(command_of(*command));
  }
  return model;
}

}  // namespace cimstat::experiments
