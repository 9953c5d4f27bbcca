#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "core/file/provenance.h"

#include "experiments/commands/program_model.h"

namespace cimstat::experiments {

namespace {

/// man(7): the escape character, hyphens that are typed, and lines that would be requests.
std::string escaped(std::string_view text) {
  std::string result;
  bool line_starts = true;
  for (const char letter : text) {
    if (line_starts && (letter == '.' || letter == '\'')) result += "\\&";
    line_starts = letter == '\n';
    if (letter == '\\') {
      result += "\\e";
    } else if (letter == '-') {
      result += "\\-";
    } else {
      result += letter;
    }
  }
  return result;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

constexpr std::string_view example_label = "Example: ";

std::string section(std::string_view title) { return fmt::format(".SH {}\n", title); }

std::string tagged(const std::string& tag, std::string_view text) {
  return ".TP\n" + tag + "\n" + escaped(text) + "\n";
}

std::string option_entry(const OptionModel& option) {
  std::string tag;
  for (const std::string& name : option.names) tag += (tag.empty() ? "" : ", ") + bold(name);
  if (option.takes_value()) tag += " " + italic(option.value);
  return tagged(tag, option.full_description());
}

std::string synopsis(const ProgramModel& program, const CommandModel& command) {
  std::string line = bold(program.name + " " + command.name);
  for (const OptionModel& positional : command.positionals) {
    std::string word = italic(positional.names.front());
    if (positional.repeated) word += "...";
    line += positional.required ? " " + word : " [" + word + "]";
  }
  return line + " [" + italic("options") + "]";
}

std::string command_entry(const ProgramModel& program, const CommandModel& command) {
  std::string text = fmt::format(".SS {}\n{}\n.PP\n{}.\n", command.name, synopsis(program, command),
                                 escaped(command.description));
  for (const OptionModel& positional : command.positionals) {
    text += tagged(italic(positional.names.front()), positional.full_description());
  }
  for (const OptionModel& option : command.options) {
    if (option.names.front() != "--help") text += option_entry(option);
  }
  bool first = true;
  for (const std::string& line : lines_of(command.footer)) {
    if (line.starts_with(example_label)) continue;
    text += (first ? ".PP\n" : "") + escaped(line) + "\n";
    first = false;
  }
  return text;
}

std::string examples(const ProgramModel& program) {
  std::string text;
  for (const CommandModel& command : program.commands) {
    for (const std::string& line : lines_of(command.footer)) {
      if (!line.starts_with(example_label)) continue;
      text += fmt::format(".TP\n{}:\n{}\n", escaped(command.description),
                          bold(std::string_view(line).substr(example_label.size())));
    }
  }
  return text;
}

std::string exit_status() {
  return tagged(bold("0"), "Done. diff: no significant difference.") +
         tagged(bold("1"), "Failure, such as a full disk. diff: the files differ.") +
         tagged(bold("2"),
                "Wrong command line or configuration, or a named file that can't be opened.") +
         tagged(bold("3"), "Damaged, foreign or incomplete data.") +
         tagged(bold("130"), "Interrupted. Nothing partial stands under a final name.");
}

std::string files() {
  return tagged(italic("NAME.toml"), "Experiment: the macro, and what to ask of it.") +
         tagged(italic("NAME.table.h5"), "Error table P(code | LRS count, active rows), HDF5.") +
         tagged(italic("NAME.columns.h5"), "Misread rates of simulated columns and dies, HDF5.") +
         tagged(italic("NAME.accuracy.h5"), "Accuracy of a network on a macro, HDF5.") +
         tagged(italic("RESULT.run.json"),
                "Beside a result: what varies from run to run, such as time, host and threads.") +
         tagged(italic("NAME.html"), "Report: one page that needs no network.");
}

std::string environment() {
  return tagged(bold("NO_COLOR"), "Where set and not empty, nothing is printed in colour.") +
         tagged(bold("TERM"), "\"dumb\" stands for no terminal: no colours, no progress bar.") +
         tagged(bold("LC_ALL") + ", " + bold("LC_CTYPE") + ", " + bold("LANG"),
                "The first that is set decides whether bars are drawn with Unicode blocks.") +
         tagged(bold("CIMSTAT_DATASETS"),
                "Folder that holds fashion-mnist (default: /usr/share/datasets).");
}

}  // namespace

std::string manual_page(const ProgramModel& program) {
  std::string text = fmt::format(".TH CIMSTAT 1 \"\" \"{} {}\" \"User Commands\"\n", program.name,
                                 core::version());
  const std::vector<std::string> description = lines_of(program.description);
  const std::string_view headline = description.front();
  const std::size_t colon = headline.find(": ");
  text += section("NAME") + program.name + " \\- " +
          escaped(colon == std::string_view::npos ? headline : headline.substr(colon + 2)) + "\n";
  text += section("SYNOPSIS");
  for (const CommandModel& command : program.commands)
    text += synopsis(program, command) + "\n.br\n";
  text += section("DESCRIPTION");
  for (std::size_t i = 1; i < description.size(); ++i) text += escaped(description[i]) + "\n";
  text +=
      ".PP\nResults go to standard output or to files, progress to standard error. Numbers without "
      "a "
      "unit\nare in SI units. The same configuration, seed and version give the same bytes for "
      "any\n"
      "number of threads and any instruction set.\n";
  text += section("COMMANDS");
  for (const CommandModel& command : program.commands) text += command_entry(program, command);
  text += section("OPTIONS");
  for (const OptionModel& option : program.options) text += option_entry(option);
  text += section("EXIT STATUS") + exit_status();
  text += section("FILES") + files();
  text += section("ENVIRONMENT") + environment();
  return text + section("EXAMPLES") + examples(program);
}

}  // namespace cimstat::experiments
