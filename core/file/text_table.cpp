#include "core/file/text_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/readable_file.h"
#include "core/interrupt.h"
#include "core/utf8.h"

namespace cimstat::core {

namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;  // bytes
constexpr std::size_t most_columns = 65536;
constexpr std::string_view blanks = " \t";

bool is_blank(char letter) { return letter == ' ' || letter == '\t'; }

std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// Whether a field is or would be a number: what names of columns are not.
bool looks_like_a_number(std::string_view text) {
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  if (at < text.size() && text[at] == '.') ++at;
  if (at < text.size() && is_digit(text[at])) return true;
  const std::string word = lower_case(text.substr(std::min<std::size_t>(at, text.size())));
  return word == "nan" || word == "inf" || word == "infinity" || word == "failed";
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned>(byte) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

TextTable::TextTable(const std::filesystem::path& file) : file_(file) {
  require_readable(file, "name a text file");
  stream_.open(file, std::ios::binary);
  read_head();
}

void TextTable::fail_at(std::size_t line, std::size_t column, std::string_view problem,
                        std::string_view why, std::string_view remedy) const {
  throw DataError(
      error_line(fmt::format("{}:{}:{}", file_.string(), line, column), problem, why, remedy));
}

void TextTable::fail(const TextField& field, std::string_view problem, std::string_view why,
                     std::string_view remedy) const {
  fail_at(field.line, field.column, problem, why, remedy);
}

void TextTable::check_line() const {
  for (std::size_t at = 0; at < line_.size();) {
    const auto byte = static_cast<unsigned char>(line_[at]);
    const auto refuse = [&](std::string_view problem, std::string_view why,
                            std::string_view remedy) {
      fail_at(line_number_, 1 + characters(std::string_view(line_).substr(0, at)), problem, why,
              remedy);
    };
    if (byte < 0x20 && byte != '\t') {
      refuse(byte == '\r' ? "a carriage return stands within the line" : "is no text",
             byte == '\r' ? "lines end with LF or CRLF here"
                          : fmt::format("it holds the control character 0x{:02x}", byte),
             "save it as plain text, UTF-8");
    }
    const std::size_t length = utf8_length(line_, at);
    if (length == 0) {
      refuse("is not UTF-8", fmt::format("byte 0x{:02x}", byte), "save it as plain text, UTF-8");
    }
    at += length;
  }
}

bool TextTable::read_line() {
  constexpr std::size_t rows_between_looks = 4096;
  while (true) {
    if (line_number_ % rows_between_looks == 0) stop_if_requested();
    line_.clear();
    // As std::getline, but a file without line ends must not fill the memory.
    std::streambuf* const buffer = stream_.rdbuf();
    bool ended = false;
    while (true) {
      const int next = buffer->sbumpc();
      if (next == std::char_traits<char>::eof()) {
        ended = true;
        break;
      }
      if (next == '\n') break;
      line_.push_back(static_cast<char>(next));
      if (line_.size() > longest_line) {
        fail_at(line_number_ + 1, 1, "a line is too long",
                fmt::format("more than {} bytes", longest_line),
                "name a text file with one row on each line");
      }
    }
    if (ended && line_.empty()) return false;
    ++line_number_;
    if (line_number_ == 1 && line_.starts_with("\xEF\xBB\xBF")) line_.erase(0, 3);
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    check_line();
    const std::size_t first = line_.find_first_not_of(blanks);
    if (first == std::string::npos || line_[first] == '#') continue;
    return true;
  }
}

std::vector<TextField> TextTable::split() const {
  std::vector<TextField> fields;
  const std::string_view line = line_;
  std::size_t at = 0;
  std::size_t counted = 0;  // characters before `at`, kept up to date
  std::size_t counted_to = 0;
  const auto place = [&](std::size_t where) {
    counted += characters(line.substr(counted_to, where - counted_to));
    counted_to = where;
    return counted + 1;
  };
  while (true) {
    while (at < line.size() && is_blank(line[at]) && line[at] != separator_) ++at;
    if (separator_ == '\0' && at == line.size()) break;
    TextField field{.text = {}, .line = line_number_, .column = place(at)};
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at == line.size()) {
          fail(field, "a quote is not closed", "fields end with their line", "close it");
        }
        if (line[at] == '"') {
          if (at + 1 == line.size() || line[at + 1] != '"') break;
          ++at;
        }
        field.text += line[at];
      }
      ++at;
      while (at < line.size() && is_blank(line[at]) && line[at] != separator_) ++at;
      const bool ends = at == line.size() || line[at] == separator_ ||
                        (separator_ == '\0' && is_blank(line[at - 1]));
      if (!ends) {
        fail_at(line_number_, place(at), "text follows a closed quote", {},
                "separate them, or write \"\" for a quote");
      }
    } else {
      const std::size_t start = at;
      while (at < line.size() &&
             !(separator_ == '\0' ? is_blank(line[at]) : line[at] == separator_)) {
        ++at;
      }
      field.text = line.substr(start, at - start);
      while (!field.text.empty() && is_blank(field.text.back())) field.text.pop_back();
    }
    fields.push_back(std::move(field));
    if (fields.size() > most_columns) {
      fail(fields.back(), "a line has too many fields", fmt::format("more than {}", most_columns),
           "name a file with one row on each line");
    }
    if (separator_ == '\0') continue;
    if (at == line.size()) break;
    ++at;  // the separator
  }
  return fields;
}

namespace {

/// "supply [mV]": a unit in brackets belongs to the name in front, though blanks separate.
void join_units(std::vector<TextField>& names) {
  for (std::size_t i = 1; i < names.size();) {
    const std::string& text = names[i].text;
    const bool is_unit = (text.starts_with('[') && text.ends_with(']')) ||
                         (text.starts_with('(') && text.ends_with(')'));
    if (!is_unit) {
      ++i;
      continue;
    }
    names[i - 1].text += " " + text;
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace

void TextTable::read_head() {
  bool measure_file = false;
  while (true) {
    if (!read_line()) {
      throw DataError(error_line(file_.string(), "holds no table", "it has no rows",
                                 "check that it is the right file"));
    }
    // $DATA1 SOURCE='...' and .TITLE '...' before the names of an HSPICE measure file.
    const std::string start = lower_case(line_.substr(line_.find_first_not_of(blanks), 6));
    if (start[0] != '$' && start != ".title") break;
    measure_file = true;
  }
  std::string bare = line_;
  for (bool inside = false; char& letter : bare) {
    if (letter == '"') inside = !inside;
    if (inside) letter = 'x';
  }
  for (const char candidate : {'\t', ';', ','}) {
    const std::size_t found = bare.find(candidate, bare.find_first_not_of(blanks));
    const bool separates =
        found != std::string::npos &&
        (candidate != '\t' || bare.find_first_not_of(blanks, found) != std::string::npos);
    if (separator_ == '\0' && separates) separator_ = candidate;
  }
  // Measure files are padded with blanks, whatever else.
  if (measure_file && separator_ == '\t') separator_ = '\0';
  std::vector<TextField> first = split();
  if (first.size() == 3 && first[1].text == "=") {
    fail(first[1], "is not a table", "one name = value on each line",
         "write the measure file with mt_format = horizontal (Spectre) or MEASFORM = 3 (HSPICE)");
  }
  const bool named = std::none_of(first.begin(), first.end(), [](const TextField& field) {
    return looks_like_a_number(field.text);
  });
  measure_file = measure_file || (named && lower_case(first.front().text) == "index");
  if (measure_file && named && separator_ == '\0') {
    layout_ = Layout::measure_file;
    read_measure_names(std::move(first));
    return;
  }
  if (named && separator_ == '\0') join_units(first);
  columns_ = first.size();
  if (!named) {
    pending_ = std::move(first);
    return;
  }
  for (const TextField& field : first) names_.push_back(field.text);
}

void TextTable::read_measure_names(std::vector<TextField> fields) {
  while (true) {
    for (auto field = fields.begin(); field != fields.end(); ++field) {
      if (looks_like_a_number(field->text)) {
        pending_.assign(std::make_move_iterator(field), std::make_move_iterator(fields.end()));
        columns_ = names_.size();
        return;
      }
      names_.push_back(field->text);
      if (names_.back() == "alter#") {
        pending_.assign(std::make_move_iterator(field + 1), std::make_move_iterator(fields.end()));
        columns_ = names_.size();
        return;
      }
    }
    if (names_.size() > most_columns) {
      fail(fields.back(), "a line has too many fields", fmt::format("more than {}", most_columns),
           "name a file with one row on each line");
    }
    if (!read_line()) {
      columns_ = names_.size();
      return;
    }
    fields = split();
  }
}

bool TextTable::next_measure_row() {
  row_.clear();
  while (true) {
    const std::size_t taken = std::min(columns_ - row_.size(), pending_.size());
    const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(taken);
    std::move(pending_.begin(), end, std::back_inserter(row_));
    pending_.erase(pending_.begin(), end);
    if (row_.size() == columns_) return true;
    if (!read_line()) break;
    pending_ = split();
  }
  if (row_.empty()) return false;
  fail(row_.back(), "the file ends within a run",
       fmt::format("{} of its {} values", row_.size(), columns_), "check that it is complete");
}

std::span<const TextField> TextTable::next() {
  if (layout_ == Layout::measure_file) {
    if (!next_measure_row()) return {};
    return row_;
  }
  if (!pending_.empty()) {
    row_ = std::exchange(pending_, {});
    return row_;
  }
  if (!read_line()) return {};
  row_ = split();
  if (row_.size() != columns_) {
    fail(row_.size() > columns_ ? row_[columns_] : row_.back(),
         fmt::format("the row has {} field{} instead of {}", row_.size(),
                     row_.size() == 1 ? "" : "s", columns_),
         names_.empty() ? "as many as the first row" : "one for each name of the first row",
         "complete the row, or quote fields that hold the separator");
  }
  return row_;
}

}  // namespace cimstat::core
