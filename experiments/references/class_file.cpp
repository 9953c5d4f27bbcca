#include "experiments/references/class_file.h"

#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/readable_file.h"
#include "core/utf8.h"

#include "experiments/accuracy_file.h"
#include "experiments/inference/class_counts.h"

namespace cimstat::experiments {

namespace {

using Fields = std::array<std::string_view, 3>;
constexpr Fields names = {"lrs_count", "active_rows", "weight"};
constexpr std::string_view blank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// One line of the file, which knows where its fields are.
class Line {
 public:
  Line(const std::string& file, std::size_t number, std::string_view text)
      : file_(file), number_(number), text_(text) {}

  Fields fields() const {
    Fields fields;
    std::size_t start = 0;
    for (std::size_t field = 0; field < fields.size(); ++field) {
      const bool last = field + 1 == fields.size();
      const std::size_t comma = text_.find(',', start);
      if (last != (comma == text_.npos)) {
        fail(last ? comma + 1 : text_.size() + 1, last ? "a fourth field" : names[field + 1],
             last ? "has no meaning" : "is missing", "a line is lrs_count,active_rows,weight",
             last ? "remove it" : "add it");
      }
      fields[field] = trimmed(text_.substr(start, last ? text_.npos : comma - start));
      start = comma + 1;
    }
    return fields;
  }

  template <class Number>
  Number number(std::string_view field, std::size_t index, std::string_view kind) const {
    Number value{};
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (field.empty() || error != std::errc() || end != field.data() + field.size()) {
      fail_at(field, index, fmt::format("\"{}\" is not {}", core::excerpt(field), kind),
              "a line is lrs_count,active_rows,weight", "write a number");
    }
    return value;
  }

  [[noreturn]] void fail_at(std::string_view field, std::size_t index, std::string_view problem,
                            std::string_view why, std::string_view remedy) const {
    const std::size_t at =
        field.empty() ? text_.size() : static_cast<std::size_t>(field.data() - text_.data());
    fail(at + 1, names[index], problem, why, remedy);
  }

 private:
  [[noreturn]] void fail(std::size_t column, std::string_view field, std::string_view problem,
                         std::string_view why, std::string_view remedy) const {
    throw core::UsageError(core::error_line(
        fmt::format("{}:{}:{}: {}", file_, number_, column, field), problem, why, remedy));
  }

  const std::string& file_;
  std::size_t number_;
  std::string_view text_;
};

circuits::WeightedClass class_of(const Line& line, const Fields& fields, std::uint32_t rows) {
  circuits::WeightedClass found;
  auto& [k, n, states] = found.column_class;
  k = line.number<std::uint32_t>(fields[0], 0, "a whole number");
  n = line.number<std::uint32_t>(fields[1], 1, "a whole number");
  found.weight = line.number<double>(fields[2], 2, "a number");
  if (n > rows) {
    line.fail_at(fields[1], 1, fmt::format("{} are too many", n),
                 fmt::format("the column has {} rows", rows), "leave the line out");
  }
  if (k > n) {
    line.fail_at(fields[0], 0, fmt::format("{} are too many", k),
                 fmt::format("{} rows are active", n), "write no more than are active");
  }
  if (!(found.weight >= 0.0) || !std::isfinite(found.weight)) {
    line.fail_at(fields[2], 2, fmt::format("{} is out of range", core::excerpt(fields[2])),
                 "weights are finite and not negative", "write how often the class is read");
  }
  return found;
}

}  // namespace

std::vector<circuits::WeightedClass> read_class_file(const std::filesystem::path& file,
                                                     std::uint32_t rows) {
  core::require_readable(file);
  const std::string name = file.string();
  std::ifstream stream(file);
  std::map<circuits::ColumnClass, std::size_t> lines;
  std::vector<circuits::WeightedClass> classes;
  std::string text;
  bool first = true;
  double total = 0.0;
  for (std::size_t number = 1; std::getline(stream, text); ++number) {
    const std::string_view content = trimmed(text);
    if (content.empty() || content.front() == '#') continue;
    const Line line(name, number, text);
    const Fields fields = line.fields();
    const bool heading = std::exchange(first, false) && fields == names;
    if (heading) continue;
    const circuits::WeightedClass found = class_of(line, fields, rows);
    const auto [known, is_new] = lines.emplace(found.column_class, number);
    if (!is_new) {
      line.fail_at(fields[0], 0,
                   fmt::format("{} among {} active rows stands there twice",
                               found.column_class.lrs_count, found.column_class.active_rows),
                   fmt::format("also in line {}", known->second), "keep one of them");
    }
    classes.push_back(found);
    total += found.weight;
  }
  if (!(total > 0.0)) {
    throw core::UsageError(core::error_line(name, "has no class of positive weight", {},
                                            "write lines lrs_count,active_rows,weight"));
  }
  return classes;
}

bool is_result_file(const std::filesystem::path& file) {
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  std::array<char, signature.size()> found{};
  std::ifstream stream(file, std::ios::binary);
  stream.read(found.data(), found.size());
  return stream && std::string_view(found.data(), found.size()) == signature;
}

std::vector<circuits::WeightedClass> read_class_result(const std::filesystem::path& file,
                                                       std::uint32_t rows) {
  const AccuracyRecord record = read_accuracy(file);
  if (record.layers.layers.empty()) {
    throw core::UsageError(core::error_line(file.string(), "holds no classes of layers",
                                            "it was made without them",
                                            "make it with cimstat accuracy --layers"));
  }
  std::vector<std::uint64_t> reads(class_place(rows, rows) + 1);
  for (const LayerFigures& layer : record.layers.layers) {
    for (const ClassReads& one : layer.classes) {
      if (one.active_rows > rows) {
        throw core::UsageError(core::error_line(file.string(),
                                                fmt::format("has {} active rows", one.active_rows),
                                                fmt::format("the column has {} rows", rows),
                                                "take a column of as many rows as the result's"));
      }
      reads[class_place(one.lrs_count, one.active_rows)] += one.reads;
    }
  }
  return weighted_classes(reads, rows);
}

}  // namespace cimstat::experiments
