#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "core/file/atomic_file.h"
#include "core/utf8.h"

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/gallery/gallery.h"

namespace cimstat::experiments {

void add_gallery_command(CLI::App& app) {
  struct Options {
    std::string model;
    std::filesystem::path output_file;
    bool json = false;
    unsigned threads = 0;
    bool quiet = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "gallery", "Every cell model and preset: its levels over time beside published numbers");
  CLI::Option* file =
      add_output_option(*command, options->output_file, "page to write, instead of text")
          ->type_name("FILE.html");
  command
      ->add_option("--model", options->model,
                   "a model (pcm) or a cell of the gallery (pcm-ibm); default: all")
      ->type_name("NAME");
  command->add_flag("--json", options->json, "print JSON, with quantiles")->excludes(file);
  command->add_option("--threads", options->threads, "threads to use; 0 = all cores")
      ->type_name("N")
      ->capture_default_str()
      ->transform(whole_number(0, 4096));
  command->add_flag("--quiet,-q", options->quiet, "no progress on stderr");
  command->footer(
      "Levels as read, computed from their laws: mean, sd and quantiles at several times where the "
      "model knows of time,\nand each published number beside ours, with its source; "
      "\"unverified\" "
      "where we have not read it there.\nThe page has the [cell] section of each, to paste into an "
      "experiment file.\n"
      "Example: cimstat gallery -o gallery.html\n"
      "         cimstat gallery --model unit-capacitor-uiuc-28nm");
  command->callback([options] {
    const std::vector<GalleryEntry> entries = chosen_entries(options->model);
    if (!options->output_file.empty()) check_output(options->output_file, {});
    const std::vector<GalleryCell> cells = [&] {
      ProgressMeter meter("gallery", {"cells", static_cast<double>(entries.size())},
                          options->quiet ? Verbosity::quiet : Verbosity::normal);
      return make_gallery(entries, {options->threads}, meter.callback());
    }();
    if (options->output_file.empty()) {
      std::fputs((options->json ? gallery_as_json(cells) : gallery_as_text(cells)).c_str(), stdout);
      return;
    }
    core::write_atomically(options->output_file, render_gallery(cells));
    fmt::print("written {}\n", core::one_line(options->output_file.string()));
  });
}

}  // namespace cimstat::experiments
