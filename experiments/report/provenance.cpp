#include "experiments/report/provenance.h"

#include <fmt/format.h>

#include "experiments/report/markup.h"

namespace cimstat::experiments::report {
namespace {

// As in CITATION.cff.
constexpr std::string_view kAuthors = "The cimstat developers";
constexpr std::string_view kTitle =
    "cimstat: Monte Carlo device-and-circuit statistics for analog compute-in-memory";
constexpr std::string_view kYear = "2026";

struct Program {
  std::string version, revision;
};

/// Out of "cimstat 0.1.0 (<revision>)"; what is not of letters, digits and a few signs is left out:
/// the text may come from a foreign file and goes into BibTeX.
Program program_of(std::string_view source) {
  const auto clean = [](std::string_view text) {
    std::string result;
    for (const char letter : text) {
      const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9') || letter == '.' || letter == '-' ||
                         letter == '+';
      if (plain) result += letter;
    }
    return result;
  };
  const std::size_t space = source.find(' ');
  const std::size_t open = source.find('(');
  const std::size_t close = source.find(')');
  Program program;
  if (space != source.npos)
    program.version = clean(source.substr(space, open == source.npos ? open : open - space));
  if (open != source.npos && close != source.npos && close > open) {
    program.revision = clean(source.substr(open, close - open));
  }
  return program;
}

std::string note_text(const Program& program, std::string_view content_hash,
                      std::string_view content_of) {
  constexpr std::size_t kEnough = 16;
  std::string note;
  if (!program.revision.empty()) note = fmt::format("revision {}", program.revision);
  if (!content_hash.empty()) {
    note += fmt::format("{}{} with content SHA-256 {}", note.empty() ? "" : "; ", content_of,
                        content_hash.substr(0, kEnough));
  }
  return note;
}

std::string list_of(const std::vector<NamedText>& facts) {
  std::string items;
  for (const auto& [name, value] : facts) {
    const bool hash = name.find("SHA-256") != name.npos;
    items += fmt::format("<dt>{}</dt><dd{}>{}</dd>\n", escaped(name), hash ? " class=\"hash\"" : "",
                         escaped(value));
  }
  return fmt::format("<dl>\n{}</dl>\n", items);
}

}  // namespace

std::string citation_text(std::string_view program_text, std::string_view content_hash,
                          std::string_view content_of) {
  const Program program = program_of(program_text);
  const std::string note = note_text(program, content_hash, content_of);
  return fmt::format("{} ({}). {}{}.{}", kAuthors, kYear, kTitle,
                     program.version.empty() ? "" : fmt::format(", version {}", program.version),
                     note.empty() ? "" : fmt::format(" {}.", note));
}

std::string citation_bibtex(std::string_view program_text, std::string_view content_hash,
                            std::string_view content_of) {
  const Program program = program_of(program_text);
  std::string entry = fmt::format(
      "@software{{cimstat,\n  author  = {{{{{}}}}},\n  title   = {{{{{}}}}},\n  year    = {{{}}}",
      kAuthors, kTitle, kYear);
  if (!program.version.empty()) entry += fmt::format(",\n  version = {{{}}}", program.version);
  const std::string note = note_text(program, content_hash, content_of);
  if (!note.empty()) entry += fmt::format(",\n  note    = {{{}}}", note);
  return entry + "\n}\n";
}

std::vector<Section> provenance_sections(const ReportInput& input) {
  std::vector<Section> sections;
  if (!input.provenance.empty()) {
    sections.push_back({"provenance", "Provenance", "Where the figures come from",
                        "Equal configurations, seeds and versions give equal figures.",
                        list_of(input.provenance)});
  }
  if (!input.program.empty()) {
    sections.push_back(
        {"cite",
         "Cite",
         "How to cite",
         {},
         fmt::format(
             "<p>{}</p>\n<pre id=\"bibtex\">{}</pre>\n<div class=\"controls\"><button "
             "type=\"button\" data-copy=\"bibtex\">Copy BibTeX</button></div>\n",
             escaped(citation_text(input.program, input.content_hash, input.content_of)),
             escaped(citation_bibtex(input.program, input.content_hash, input.content_of)))});
  }
  if (!input.config_toml.empty()) {
    sections.push_back(
        {"config", "Configuration", "Configuration",
         "Resolved, in SI units, with every default: running it again gives the same figures.",
         fmt::format("<pre id=\"configuration\">{}</pre>\n<div class=\"controls\"><button "
                     "type=\"button\" data-copy=\"configuration\">Copy</button></div>\n",
                     escaped(input.config_toml))});
  }
  return sections;
}

}  // namespace cimstat::experiments::report
