#include "experiments/report/numbers.h"

#include <cmath>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/markup.h"

namespace cimstat::experiments::report {

Csv::Csv(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) text(name);
  end_line();
  lines_ = 0;
}

Csv::Csv(const std::vector<std::string>& names) {
  for (const std::string& name : names) text(name);
  end_line();
  lines_ = 0;
}

void Csv::separate() {
  if (started_) all_ += ',';
  started_ = true;
}

Csv& Csv::text(std::string_view value) {
  separate();
  // A spreadsheet would take such a text for a formula and run it.
  const bool like_a_formula =
      !value.empty() && std::string_view("=+-@\t\r").find(value.front()) != value.npos;
  if (!like_a_formula && value.find_first_of(",\"\n\r") == value.npos) {
    all_ += value;
    return *this;
  }
  all_ += like_a_formula ? "\"'" : "\"";
  for (const char letter : value) {
    if (letter == '"') all_ += '"';
    all_ += letter;
  }
  all_ += '"';
  return *this;
}

Csv& Csv::count(std::uint64_t value) {
  separate();
  all_ += std::to_string(value);
  return *this;
}

Csv& Csv::whole(std::int64_t value) {
  separate();
  all_ += std::to_string(value);
  return *this;
}

Csv& Csv::number(double value, int digits) {
  separate();
  if (!std::isnan(value)) all_ += fmt::format("{:.{}g}", value, digits);
  return *this;
}

void Csv::end_line() {
  all_ += '\n';
  started_ = false;
  ++lines_;
}

std::string numbers_id(std::string_view name) { return fmt::format("csv-{}", name); }

std::string numbers_below(std::string_view name, std::string_view title, std::string_view file,
                          const Csv& csv) {
  return fmt::format(
      "<details class=\"numbers\"><summary>Numbers: {0} ({1})</summary>\n"
      "<div class=\"controls\"><button type=\"button\" data-save=\"{2}\" data-of=\"{3}\">Save as "
      "CSV</button><button type=\"button\" data-copy=\"{3}\">Copy</button></div>\n"
      "<pre id=\"{3}\">{4}</pre>\n</details>\n",
      escaped(title), counted(csv.lines(), "line"), escaped(file), numbers_id(name),
      escaped(csv.all()));
}

std::string file_stem(std::string_view title) {
  constexpr std::size_t kMostLetters = 48;
  std::string stem;
  for (const char letter : title) {
    const bool upper = letter >= 'A' && letter <= 'Z';
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    if (upper || plain) {
      stem += upper ? static_cast<char>(letter - 'A' + 'a') : letter;
    } else if (!stem.empty() && stem.back() != '-') {
      stem += '-';
    }
    if (stem.size() == kMostLetters) break;
  }
  while (stem.ends_with('-')) stem.pop_back();
  return stem.empty() ? "cimstat" : stem;
}

}  // namespace cimstat::experiments::report
