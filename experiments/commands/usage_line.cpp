#include <algorithm>
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"

#include "experiments/commands/configuration_keys.h"
#include "experiments/commands/program_model.h"
#include "experiments/experiment.h"

namespace cimstat::experiments {

namespace {

/// The subcommand that was being read, else the program.
const CLI::App& innermost(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

std::string full_name(const CLI::App& app, const CLI::App& command) {
  return &app == &command ? app.get_name() : app.get_name() + " " + command.get_name();
}

std::vector<std::string> names_of(const std::vector<OptionModel>& options) {
  std::vector<std::string> names;
  for (const OptionModel& option : options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::string list_of(const std::vector<std::string>& names) {
  return fmt::format("known: {}", fmt::join(names, ", "));
}

std::string unknown_word(std::string_view word, std::string_view problem,
                         const std::vector<std::string>& known, const std::string& help) {
  const std::optional<std::string> meant = core::nearest(word, known);
  return core::error_line(word, problem, meant ? std::string() : list_of(known),
                          meant ? fmt::format("did you mean {}?", *meant) : "see " + help);
}

/// "--set cell.lrs.mean=100 uS" without quotes is two words: the place of the second one's blank.
std::optional<std::string> unquoted_set(const std::string& word,
                                        const std::vector<std::string_view>& arguments) {
  const auto found = std::find(arguments.begin(), arguments.end(), word);
  if (found == arguments.end() || found - arguments.begin() < 2) return std::nullopt;
  const std::string_view before = *(found - 1);
  if (*(found - 2) != "--set" || before.find('=') == before.npos) return std::nullopt;
  return core::error_line(fmt::format("--set {} {}", before, word), "is two words to the shell", {},
                          fmt::format("write --set '{} {}'", before, word));
}

/// The key of an experiment file that an option was mistaken for.
std::optional<std::string> key_meant(const CLI::App& command, std::string_view word) {
  if (command.get_option_no_throw("--set") == nullptr) return std::nullopt;
  std::string name(word.substr(std::min(word.find_first_not_of('-'), word.size())));
  std::replace(name.begin(), name.end(), '-', '_');
  std::optional<std::string> meant;
  for (const std::string& key : configuration_keys(experiment_file())) {
    if (!key.ends_with("." + name)) continue;
    if (key.starts_with(command.get_name() + ".")) return key;
    if (!meant) meant = key;
  }
  return meant;
}

std::string unexpected(const CLI::App& app, const CLI::App& command, std::string word,
                       const std::vector<std::string_view>& arguments) {
  const std::string help = full_name(app, command) + " --help";
  if (!word.starts_with('-')) {
    if (const auto line = unquoted_set(word, arguments)) return *line;
    return core::error_line(word, "is one argument too many",
                            full_name(app, command) + " takes no further one", "see " + help);
  }
  word = word.substr(0, word.find('='));
  if (&command == &app) {
    // Options of a subcommand stand behind it.
    std::vector<const CLI::App*> others = {&innermost(app)};
    for (const CLI::App* other : app.get_subcommands([](const CLI::App*) { return true; })) {
      others.push_back(other);
    }
    for (const CLI::App* other : others) {
      const auto names = names_of(options_of(*other));
      if (std::find(names.begin(), names.end(), word) != names.end()) {
        return core::error_line(word, "stands before the subcommand", {},
                                fmt::format("write it behind, as in {} {} {}", app.get_name(),
                                            other->get_name(), word));
      }
    }
  }
  const std::string problem = "is no option of " + full_name(app, command);
  if (const auto key = key_meant(command, word)) {
    return core::error_line(word, problem, "it is a key of the experiment file",
                            fmt::format("write --set {}=...", *key));
  }
  return unknown_word(word, problem, names_of(options_of(command)), help);
}

bool is_name_of(const CLI::App& command, const std::string& word) {
  for (const CLI::Option* option : command.get_options()) {
    const OptionModel model = model_of(*option);
    if (std::find(model.names.begin(), model.names.end(), word) != model.names.end()) return true;
  }
  return false;
}

/// CLI11 says "PLACE: PROBLEM" or "PLACE PROBLEM", where the place may be a positional's name.
std::string refused_value(const CLI::App& command, const std::string& message,
                          const std::string& help) {
  const std::size_t space = std::min(message.find(' '), message.size());
  std::string place = message.substr(0, space);
  if (place.ends_with(':')) place.pop_back();
  if (!is_name_of(command, place) || space == message.size()) {
    return core::error_line("command line", message, {}, "see " + help);
  }
  std::string problem = message.substr(space + 1);
  if (problem.starts_with("1 required")) problem = "needs a value";
  problem[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(problem[0])));
  return core::error_line(place, problem, {}, "see " + help);
}

}  // namespace

std::string usage_line(const CLI::App& app, const CLI::ParseError& error, int argc,
                       const char* const* argv) {
  const CLI::App& command = innermost(app);
  const std::string help = full_name(app, command) + " --help";
  const std::vector<std::string_view> arguments(argv, argv + argc);
  if (&command == &app && argc >= 2 && argv[1][0] != '-') {
    std::vector<std::string> names;
    for (const CLI::App* other : app.get_subcommands([](const CLI::App*) { return true; })) {
      if (!other->get_group().empty()) names.push_back(other->get_name());
    }
    if (std::find(names.begin(), names.end(), argv[1]) == names.end()) {
      return unknown_word(argv[1], "is no subcommand", names, help);
    }
  }
  // CLI11 lists what is left in the order of reading.
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> left = command.remaining();
    if (!left.empty()) return unexpected(app, command, left.front(), arguments);
    const std::vector<std::string> before = app.remaining();
    if (!before.empty()) return unexpected(app, app, before.front(), arguments);
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && &command != &app) {
    for (const CLI::Option* option : command.get_options()) {
      if (option->get_required() && option->count() == 0) {
        return core::error_line(
            full_name(app, command),
            fmt::format("{} is missing",
                        option->get_positional() ? option->get_name(true) : option->get_name()),
            option->get_description(), "see " + help);
      }
    }
  }
  // An unknown option at the front reads as a missing subcommand.
  if (&command == &app && argc >= 2 && argv[1][0] == '-') {
    const std::vector<std::string> known = names_of(options_of(app));
    const std::string word = std::string(argv[1]).substr(0, std::string(argv[1]).find('='));
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      return unexpected(app, app, word, arguments);
    }
  }
  return refused_value(command, error.what(), help);
}

}  // namespace cimstat::experiments
