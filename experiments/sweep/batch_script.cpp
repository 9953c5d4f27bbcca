#include "experiments/sweep/batch_script.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/sweep/batch_dialect.h"

namespace cimstat::experiments {

namespace {

/// For names of jobs and logs, which each batch system reads in its own way.
std::string plain_name(std::string_view text) {
  std::string name(text);
  for (char& letter : name) {
    const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
    if (!is_plain) letter = '_';
  }
  // PBS and Grid Engine want a letter first.
  if (name.empty() || !std::isalpha(static_cast<unsigned char>(name.front()))) name = "s" + name;
  return name;
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

/// A name that is no option of the program it is given to.
std::string operand(const std::string& name) { return name.starts_with('-') ? "./" + name : name; }

std::string work_command(const BatchJob& job) {
  std::vector<std::string> words;
  if (job.launch == Launch::mpi) {
    const std::filesystem::path program(job.program);
    // Unbound, or the threads of a process would share one core.
    words = {"mpirun", "--bind-to", "none", (program.parent_path() / "cimstat-mpi").string(),
             operand(job.config)};
  } else {
    words = {job.program, "sweep", operand(job.config)};
  }
  words.insert(words.end(), {"--folder", operand(job.folder)});
  if (job.launch == Launch::mpi) {
    words.insert(words.end(), {"-o", operand(job.result)});
  } else {
    const bool is_array = job.scheduler != Scheduler::pbs || job.tasks > 1;
    words.insert(words.end(),
                 {"--shard", fmt::format("{}/{}", is_array ? "auto" : "0", job.tasks)});
  }
  words.insert(words.end(), {"--threads", fmt::format("{}", job.threads)});
  if (job.seconds) {
    words.insert(words.end(),
                 {"--max-seconds", fmt::format("{}", *job.seconds - lead_of(*job.seconds).stop)});
  }
  words.insert(words.end(), job.arguments.begin(), job.arguments.end());
  words.emplace_back("--quiet");
  return command_line(words);
}

std::string directive_lines(const Dialect& dialect, const std::vector<std::string>& own,
                            const std::vector<std::string>& more) {
  std::string lines;
  for (const auto* list : {&own, &more}) {
    for (const std::string& directive : *list) {
      lines += fmt::format("{} {}\n", dialect.prefix, directive);
    }
  }
  return lines;
}

/// By a tab, which <<- takes away: Grid Engine takes directives from all lines that begin so, those
/// of the merge too.
std::string indented(std::string_view lines) {
  std::string text = "\t";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += lines[i];
    if (lines[i] == '\n' && i + 1 < lines.size()) text += '\t';
  }
  return text;
}

void refuse_control_characters(const BatchJob& job) {
  std::vector<std::string> texts = {job.program, job.config, job.folder, job.result,
                                    job.parallel_environment};
  texts.insert(texts.end(), job.directives.begin(), job.directives.end());
  texts.insert(texts.end(), job.arguments.begin(), job.arguments.end());
  for (const std::string& text : texts) {
    const bool is_bad = std::any_of(text.begin(), text.end(), [](char letter) {
      return std::iscntrl(static_cast<unsigned char>(letter)) != 0;
    });
    if (is_bad) {
      throw core::UsageError(core::error_line(text, "holds a control character",
                                              "a batch script has no way to write it",
                                              "name it otherwise"));
    }
  }
}

}  // namespace

std::string batch_script(const BatchJob& job) {
  refuse_control_characters(job);
  const std::string name = plain_name(std::filesystem::path(job.config).stem().string());
  const Dialect dialect = dialect_of(job, name);
  const bool merges = job.launch == Launch::array;
  std::string text = "#!/bin/bash\n";
  text += merges ? fmt::format(
                       "# A sweep in {} tasks, and a job behind them that merges.\n"
                       "# Run it by hand (bash) to queue all of that",
                       job.tasks)
                 : fmt::format(
                       "# A sweep by {} MPI processes, which merge at the end.\n"
                       "# Run it by hand (bash) to queue it",
                       job.tasks);
  text += "; once more, and it goes on where it stopped.\n";
  text += directive_lines(dialect, dialect.tasks, job.directives);
  if (job.scheduler == Scheduler::pbs && job.tasks > 1) {
    text += fmt::format("# Torque has -t 0-{0} for -J 0-{0}, and -l nodes=1:ppn={1} for select.\n",
                        job.tasks - 1, job.threads);
  }
  text += fmt::format(
      "\nif [ -z \"{}\" ]; then\n"
      "  [ -f \"$0\" ] || {{ echo \"write this script to a file first\" >&2; exit 2; }}\n"
      "  {}\n",
      dialect.queued, merges ? dialect.enqueue : "sbatch \"$0\"");
  const std::string enter = dialect.enter.empty() ? "" : dialect.enter + "\n";
  if (merges) {
    const std::string merge =
        "#!/bin/bash\n" + directive_lines(dialect, dialect.merge, job.directives) + enter +
        "exec " +
        command_line({job.program, "merge", operand(job.folder), "-o", operand(job.result)}) + "\n";
    text +=
        fmt::format("  {} <<-'END_OF_MERGE'\n{}\tEND_OF_MERGE\n", dialect.behind, indented(merge));
  }
  text += "  exit\nfi\n" + enter;
  if (job.launch == Launch::mpi) {
    text +=
        "# When a process dies, Open MPI gives the others a second to write what they have.\n"
        "export OMPI_MCA_odls_base_sigkill_timeout=60\n";
  }
  // exec: signals of the batch system reach the program itself.
  return text + fmt::format("exec {}\n", work_command(job));
}

std::string shell_word(std::string_view text) {
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
           std::string_view("_-./=+,:@%").find(letter) != std::string_view::npos;
  });
  if (is_plain) return std::string(text);
  std::string word = "'";
  for (const char letter : text) {
    if (letter == '\'') {
      word += "'\\''";
    } else {
      word += letter;
    }
  }
  return word + "'";
}

}  // namespace cimstat::experiments
