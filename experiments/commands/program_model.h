#pragma once

#include <string>
#include <vector>

// Forward, as the library is slow to compile and most users of the model need none of it.
namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI

/// The command line as plain data, read from the CLI11 app that parses it, so that what is made
/// from it (completion, manual page, suggestions) can't lag behind.
namespace cimstat::experiments {

struct OptionModel {
  std::vector<std::string> names;  ///< "--out", "-o"; the word itself for a positional
  std::string value;               ///< what it takes: "FILE.h5", "N"; empty for a flag
  std::string description;
  std::string fallback;              ///< default, where one is shown
  std::string range;                 ///< the values it takes, in words; empty for any
  std::vector<std::string> choices;  ///< the values it takes, where they are few
  bool required = false;
  bool repeated = false;

  bool takes_value() const { return !value.empty(); }
  /// With choices, range and default behind it.
  std::string full_description() const;
  /// "toml", "h5", "html" where its value is a file of that kind; "*" for any file, else empty.
  std::string file_ending() const;
};

struct CommandModel {
  std::string name;
  std::string group;  ///< heading in the list of commands
  std::string description;
  std::string footer;
  std::vector<OptionModel> positionals;
  std::vector<OptionModel> options;
};

struct ProgramModel {
  std::string name;
  std::string description;
  std::string footer;
  std::vector<OptionModel> options;
  std::vector<CommandModel> commands;  ///< those that are not hidden, in their order
  std::vector<std::string> keys;       ///< of the configuration, dotted: offered behind --set
};

ProgramModel model_of(const CLI::App& app);
OptionModel model_of(const CLI::Option& option);
/// Options of a (sub)command that are not positionals.
std::vector<OptionModel> options_of(const CLI::App& app);

/// Scripts that complete commands, options, choices and files of the kind that an option takes; and
/// keys of the configuration behind --set.
std::string bash_completion(const ProgramModel& model);
std::string zsh_completion(const ProgramModel& model);
std::string fish_completion(const ProgramModel& model);

/// The manual page in man(7) markup, section 1.
std::string manual_page(const ProgramModel& model);

/// One line "place: problem (why); remedy" for what CLI11 refused, with the nearest known word.
std::string usage_line(const CLI::App& app, const CLI::ParseError& error, int argc,
                       const char* const* argv);

}  // namespace cimstat::experiments
