#include "experiments/commands/report_files.h"

#include <algorithm>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/seeing/file_description.h"

namespace cimstat::experiments {

namespace {

constexpr std::string_view order = "the error table comes first, accuracy results follow it";

/// Nothing where the file's own reader knows better what is wrong with it.
std::optional<FileKind> kind_of_file(const std::filesystem::path& file) {
  try {
    return file_kind(file);
  } catch (const core::Error&) {
    return std::nullopt;
  }
}

std::string with_article(FileKind kind) {
  const std::string_view name = name_of(kind);
  const bool vowel = std::string_view("aeiouO").find(name.front()) != std::string_view::npos;
  return fmt::format("{} {}", vowel ? "an" : "a", name);
}

/// What to do with a file that is neither a table nor an accuracy result.
std::string remedy_for_other(const std::filesystem::path& file, FileKind kind) {
  if (kind == FileKind::run_record) {
    std::string result = file.string();
    result.resize(result.size() - std::string_view(".run.json").size());
    return fmt::format("name the result that it is the record of, {}", result);
  }
  if (kind == FileKind::experiment) {
    return fmt::format("make its error table first: cimstat table {}", file.string());
  }
  return "name files that cimstat table and cimstat accuracy made";
}

[[noreturn]] void fail(const std::filesystem::path& file, FileKind kind,
                       const std::string& remedy) {
  throw core::DataError(core::error_line(file.string(), "is " + with_article(kind), order, remedy));
}

/// The command line with the two at their places; the first table that is among the results.
std::string swapped(const std::filesystem::path& accuracy_file,
                    const std::vector<AccuracyArgument>& arguments) {
  const auto table =
      std::find_if(arguments.begin(), arguments.end(), [](const AccuracyArgument& argument) {
        return kind_of_file(argument.file) == FileKind::error_table;
      });
  return table == arguments.end()
             ? fmt::format("put its error table before it: cimstat report TABLE.h5 {}",
                           accuracy_file.string())
             : fmt::format("swap the two: cimstat report {} {}", table->file.string(),
                           accuracy_file.string());
}

}  // namespace

AccuracyArgument accuracy_argument(const std::string& text) {
  std::error_code ignored;
  const std::size_t first = text.find('=');
  if (first == text.npos || std::filesystem::exists(text, ignored)) return {text, {}};
  std::size_t end = first;
  for (std::size_t at = first; at != text.npos; at = text.find('=', at + 1)) {
    if (!std::filesystem::exists(text.substr(at + 1), ignored)) continue;
    end = at;
    break;
  }
  if (end == 0) {
    throw core::UsageError(core::error_line(text, "has no label before its equals sign", {},
                                            "write LABEL=FILE, or the file alone"));
  }
  return {text.substr(end + 1), text.substr(0, end)};
}

void refuse_repetition(const std::vector<AccuracyArgument>& arguments) {
  std::error_code ignored;
  for (std::size_t later = 1; later < arguments.size(); ++later) {
    const auto& [file, label] = arguments[later];
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      const auto& [other_file, other_label] = arguments[earlier];
      // A result compared with itself says nothing.
      if (std::filesystem::equivalent(other_file, file, ignored)) {
        throw core::UsageError(core::error_line(
            file.string(), "is given twice",
            other_file == file ? "" : "it is the same file as " + other_file.string(),
            "name each accuracy result once"));
      }
      if (!label.empty() && label == other_label) {
        throw core::UsageError(
            core::error_line(file.string(), fmt::format("has the label of {}", other_file.string()),
                             label, "give each accuracy result a label of its own"));
      }
    }
  }
}

bool is_sweep_result(const std::filesystem::path& file) {
  return kind_of_file(file) == FileKind::sweep;
}

void require_kinds(const std::filesystem::path& table,
                   const std::vector<AccuracyArgument>& accuracy) {
  const std::optional<FileKind> first = kind_of_file(table);
  if (first && *first != FileKind::error_table) {
    fail(table, *first,
         *first == FileKind::accuracy ? swapped(table, accuracy) : remedy_for_other(table, *first));
  }
  for (const AccuracyArgument& argument : accuracy) {
    const std::optional<FileKind> kind = kind_of_file(argument.file);
    if (!kind || *kind == FileKind::accuracy) continue;
    fail(argument.file, *kind,
         *kind == FileKind::error_table
             ? fmt::format("make an accuracy result of it with cimstat accuracy CONFIG.toml "
                           "--table {}, or leave it out",
                           argument.file.string())
             : remedy_for_other(argument.file, *kind));
  }
}

std::vector<NamedAccuracy> read_conditions(const std::vector<AccuracyArgument>& arguments,
                                           const std::filesystem::path& table,
                                           const TableRecord& record) {
  std::vector<NamedAccuracy> conditions;
  bool any_of_this_table = arguments.empty();
  for (const auto& [file, label] : arguments) {
    conditions.push_back({read_accuracy(file), result_stem(file), label});
    any_of_this_table =
        any_of_this_table || conditions.back().record.table_sha256 == record.content_sha256;
  }
  if (!any_of_this_table) {
    throw core::DataError(
        core::error_line(arguments.front().file.string(),
                         fmt::format("was made with another error table than {}", table.string()),
                         "table_content_sha256 differs", "run cimstat accuracy with this table"));
  }
  return conditions;
}

}  // namespace cimstat::experiments
