#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "experiments/commands/program_model.h"

namespace cimstat::experiments {

namespace {

std::string joined_names(const std::vector<OptionModel>& options) {
  std::string text;
  for (const OptionModel& option : options) {
    for (const std::string& name : option.names) text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

std::string joined_commands(const ProgramModel& model) {
  std::string text;
  for (const CommandModel& command : model.commands) {
    text += (text.empty() ? "" : " ") + command.name;
  }
  return text;
}

/// The first sentence, for menus of one line.
std::string short_text(const std::string& description) {
  return description.substr(0, description.find('\n'));
}

bool takes_key(const OptionModel& option) { return option.value == "KEY=VALUE"; }

// ---- bash

/// What bash offers for a value: a call, or nothing for a plain number or text.
std::string bash_offer(const OptionModel& option) {
  if (!option.choices.empty()) {
    return fmt::format("_cimstat_words '{}'", fmt::join(option.choices, " "));
  }
  if (takes_key(option)) return "_cimstat_keys";
  const std::string ending = option.file_ending();
  if (!ending.empty()) return fmt::format("_cimstat_files '{}'", ending);
  return option.value.find("FOLDER") != std::string::npos ? "_cimstat_folders" : ":";
}

constexpr std::string_view bash_helpers =
    R"(_cimstat_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }

_cimstat_folders() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$current")
}

_cimstat_files() {
  compopt -o filenames 2>/dev/null
  if [[ $1 == '*' ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -d -- "$current"; compgen -f -X "!*.$1" -- "$current")
  fi
}

_cimstat_keys() {
  compopt -o nospace 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -S = -W "$_cimstat_known_keys" -- "$current")
}
)";

// ---- zsh

std::string zsh_quoted(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '\'') {
      result += "'\\''";
    } else if (letter == '[' || letter == ']' || letter == ':' || letter == '\\') {
      result += '\\';
      result += letter;
    } else {
      result += letter;
    }
  }
  return result;
}

std::string zsh_action(const OptionModel& option) {
  if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
  if (takes_key(option)) return "_cimstat_keys";
  const std::string ending = option.file_ending();
  if (ending == "*") return "_files";
  if (!ending.empty()) return fmt::format("_files -g \"*.{}\"", ending);
  return option.value.find("FOLDER") != std::string::npos ? "_files -/" : " ";
}

std::string zsh_option(const OptionModel& option, const std::string& name) {
  std::string spec = option.repeated ? "*" : "";
  spec += fmt::format("{}[{}]", name, zsh_quoted(short_text(option.description)));
  if (option.takes_value()) {
    spec += fmt::format(":{}:{}", zsh_quoted(option.value), zsh_action(option));
  }
  return fmt::format("'{}'", spec);
}

// ---- fish

std::string fish_quoted(std::string_view text) {
  std::string result = "'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') result += '\\';
    result += letter;
  }
  return result + "'";
}

std::string fish_values(const OptionModel& option) {
  if (!option.choices.empty()) {
    return fmt::format(" -x -a {}", fish_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
  }
  if (takes_key(option)) return " -x -a '(__cimstat_keys)'";
  const std::string ending = option.file_ending();
  if (ending == "*") return " -r -F";
  if (!ending.empty()) return fmt::format(" -x -a '(__fish_complete_suffix .{})'", ending);
  return option.value.find("FOLDER") != std::string::npos ? " -x -a '(__fish_complete_directories)'"
                                                          : " -x";
}

std::string fish_option(const OptionModel& option, const std::string& condition) {
  std::string line = fmt::format("complete -c cimstat -n {}", fish_quoted(condition));
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (option.takes_value()) line += fish_values(option);
  return line + " -d " + fish_quoted(short_text(option.description)) + "\n";
}

std::string keys_text(const std::vector<std::string>& keys) {
  return fmt::format("{}", fmt::join(keys, " "));
}

}  // namespace

std::string bash_completion(const ProgramModel& model) {
  std::string values;
  std::string options;
  std::string positionals;
  for (const CommandModel& command : model.commands) {
    for (const OptionModel& option : command.options) {
      if (!option.takes_value()) continue;
      for (const std::string& name : option.names) {
        values += fmt::format("    {}:{}) {}; return ;;\n", command.name, name, bash_offer(option));
      }
    }
    options +=
        fmt::format("    {}) options='{}' ;;\n", command.name, joined_names(command.options));
    for (std::size_t i = 0; i < command.positionals.size(); ++i) {
      const OptionModel& positional = command.positionals[i];
      const bool rest = positional.repeated || i + 1 == command.positionals.size();
      positionals += fmt::format("    {}:{}) {} ;;\n", command.name, rest ? "*" : std::to_string(i),
                                 bash_offer(positional));
    }
  }
  // Readline breaks words at "=" too: --out=x arrives as three words.
  return fmt::format(
      R"(# bash completion for {0}, made by `{0} completion bash`

_cimstat_known_keys='{1}'

{2}
_cimstat() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local command='' options='' word i place=0 skip=0
  COMPREPLY=()
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $previous == '=' ]]; then
    previous=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    if [[ -z $command ]]; then
      [[ $word == -* ]] || command=$word
    elif ((skip)); then
      skip=0
    elif [[ $word == -* ]]; then
      [[ " $(_cimstat_flags "$command") " == *" $word "* ]] || skip=1
    elif [[ $word != '=' ]]; then
      place=$((place + 1))
    fi
  done
  if [[ -z $command ]]; then
    _cimstat_words '{3} {4}'
    return
  fi
  case $command:$previous in
{5}  esac
  case $command in
{6}  esac
  if [[ $current == -* ]]; then
    _cimstat_words "$options"
    return
  fi
  case $command:$place in
{7}  esac
}}

complete -F _cimstat {0}
)",
      model.name, keys_text(model.keys),
      std::string(bash_helpers) + "\n" +
          [&] {
            std::string flags = "_cimstat_flags() {\n  case $1 in\n";
            for (const CommandModel& command : model.commands) {
              std::vector<OptionModel> plain;
              std::copy_if(command.options.begin(), command.options.end(),
                           std::back_inserter(plain),
                           [](const OptionModel& option) { return !option.takes_value(); });
              flags += fmt::format("    {}) echo '{}' ;;\n", command.name, joined_names(plain));
            }
            return flags + "  esac\n}\n";
          }(),
      joined_commands(model), joined_names(model.options), values, options, positionals);
}

std::string zsh_completion(const ProgramModel& model) {
  std::string commands;
  std::string cases;
  for (const CommandModel& command : model.commands) {
    commands +=
        fmt::format("    '{}:{}'\n", command.name, zsh_quoted(short_text(command.description)));
    cases += fmt::format("        {})\n          _arguments", command.name);
    for (const OptionModel& option : command.options) {
      for (const std::string& name : option.names) {
        cases += " \\\n            " + zsh_option(option, name);
      }
    }
    for (std::size_t i = 0; i < command.positionals.size(); ++i) {
      const OptionModel& positional = command.positionals[i];
      cases += fmt::format(" \\\n            '{}:{}:{}'",
                           positional.repeated ? "*" : std::to_string(i + 1),
                           zsh_quoted(positional.names.front()), zsh_action(positional));
    }
    cases += " ;;\n";
  }
  std::string options;
  for (const OptionModel& option : model.options) {
    for (const std::string& name : option.names) options += " " + zsh_option(option, name);
  }
  return fmt::format(R"(#compdef {0}
# zsh completion for {0}, made by `{0} completion zsh`

_cimstat_keys() {{
  local -a keys
  keys=({1})
  compadd -S '=' -- $keys
}}

_cimstat() {{
  local context state line
  local -a commands
  commands=(
{2}  )
  _arguments -C{3} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe -t commands 'command' commands ;;
    argument)
      case $words[1] in
{4}      esac ;;
  esac
}}

if [[ $funcstack[1] == _cimstat ]]; then
  _cimstat "$@"
else
  compdef _cimstat {0}
fi
)",
                     model.name, keys_text(model.keys), commands, options, cases);
}

std::string fish_completion(const ProgramModel& model) {
  std::string text = fmt::format(R"(# fish completion for {0}, made by `{0} completion fish`

function __cimstat_keys
  string split ' ' '{1}' | string replace -r '$' '='
end

complete -c {0} -f
)",
                                 model.name, keys_text(model.keys));
  for (const OptionModel& option : model.options) {
    text += fish_option(option, "__fish_use_subcommand");
  }
  for (const CommandModel& command : model.commands) {
    text += fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d {}\n", model.name,
                        command.name, fish_quoted(short_text(command.description)));
    const std::string condition = "__fish_seen_subcommand_from " + command.name;
    for (const OptionModel& option : command.options) text += fish_option(option, condition);
    for (const OptionModel& positional : command.positionals) {
      text += fmt::format("complete -c {} -n {}{}\n", model.name, fish_quoted(condition),
                          fish_values(positional));
    }
  }
  return text;
}

}  // namespace cimstat::experiments
