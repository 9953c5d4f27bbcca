#include <cstdio>
#include <memory>

#include "experiments/commands/command.h"
#include "experiments/commands/configuration_keys.h"
#include "experiments/commands/program_model.h"

namespace cimstat::experiments {

void add_completion_command(CLI::App& app) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print a completion script for a shell");
  command->add_option("shell", *shell, "the shell to complete in")
      ->required()
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Completes subcommands, options, their choices, files of the kind that an option takes, and "
      "the keys behind\n--set. A package installs these scripts; by hand:\n"
      "  bash  source <(cimstat completion bash)\n"
      "  zsh   source <(cimstat completion zsh), behind compinit\n"
      "  fish  cimstat completion fish | source\n"
      "Example: cimstat completion bash > ~/.local/share/bash-completion/completions/cimstat");
  command->callback([shell, &app] {
    ProgramModel model = model_of(app);
    model.keys = configuration_keys(experiment_file());
    const std::string script = *shell == "bash"  ? bash_completion(model)
                               : *shell == "zsh" ? zsh_completion(model)
                                                 : fish_completion(model);
    std::fputs(script.c_str(), stdout);
  });
}

void add_man_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("man", "Print the manual page, man(7)");
  command->group("");
  command->callback([&app] { std::fputs(manual_page(model_of(app)).c_str(), stdout); });
}

}  // namespace cimstat::experiments
