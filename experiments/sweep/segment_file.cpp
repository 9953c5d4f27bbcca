#include "experiments/sweep/segment_file.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"
#include "core/file/provenance.h"

#include "experiments/result_header.h"

namespace cimstat::experiments {

namespace {

constexpr std::int64_t segment_schema_minor = 0;
constexpr std::string_view name_start = "segment-";
constexpr std::string_view name_end = ".h5";
constexpr std::string_view make_again = "move it away and run the sweep again";

/// The columns of many results, as a file has them.
struct Columns {
  std::vector<std::uint64_t> chunk;
  std::vector<std::uint8_t> completes;
  std::vector<std::uint64_t> integers;
  std::vector<double> numbers;
};

template <class Value>
void append_bytes(std::string& bytes, const std::vector<Value>& values) {
  const auto raw = std::as_bytes(std::span(values));
  bytes.append(reinterpret_cast<const char*>(raw.data()), raw.size());
}

/// Counts are mostly small.
using Integers =
    std::variant<std::vector<std::uint8_t>, std::vector<std::uint32_t>, std::vector<std::uint64_t>>;

Integers narrowed(std::vector<std::uint64_t> values) {
  const std::uint64_t most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  if (most <= UINT8_MAX) return std::vector<std::uint8_t>(values.begin(), values.end());
  if (most <= UINT32_MAX) return std::vector<std::uint32_t>(values.begin(), values.end());
  return values;
}

std::string content_hash(const Columns& columns, const Integers& integers) {
  std::string bytes;
  append_bytes(bytes, columns.chunk);
  append_bytes(bytes, columns.completes);
  std::visit([&](const auto& values) { append_bytes(bytes, values); }, integers);
  append_bytes(bytes, columns.numbers);
  return core::sha256(bytes);
}

void write_described(core::Hdf5Output& file, const std::string& path, const auto& values,
                     const core::Shape64& shape, std::string_view long_name) {
  file.dataset(path, std::span(values), shape);
  file.attribute(path, "long_name", long_name);
}

}  // namespace

std::filesystem::path write_segment(const SweepWork& work, std::vector<ChunkResult> results,
                                    const std::filesystem::path& folder) {
  std::sort(results.begin(), results.end(),
            [](const ChunkResult& a, const ChunkResult& b) { return a.chunk < b.chunk; });
  Columns columns;
  for (ChunkResult& result : results) {
    columns.chunk.push_back(result.chunk);
    columns.completes.push_back(result.completes_point ? 1 : 0);
    columns.integers.insert(columns.integers.end(), result.integers.begin(), result.integers.end());
    columns.numbers.insert(columns.numbers.end(), result.numbers.begin(), result.numbers.end());
    result = {};
  }
  const std::size_t rows = columns.chunk.size();
  const Integers integers = narrowed(std::move(columns.integers));
  const std::string hash = content_hash(columns, integers);
  const std::filesystem::path target =
      folder / fmt::format("{}{:011}-{}-{}{}", name_start, columns.chunk.front(), rows,
                           hash.substr(0, 16), name_end);
  core::Hdf5Output file(target);
  file.attribute("/", "filetype", segment_filetype);
  file.attribute("/", "schema_version",
                 std::vector<std::int64_t>{result_schema_major, segment_schema_minor});
  file.attribute("/", "source", core::source_text());
  file.attribute("/", "sweep_sha256", work.identity());
  file.attribute("/", "chunk_trials",
                 static_cast<std::int64_t>(work.plan().settings().chunk_trials));
  file.attribute("/", "content_sha256", hash);
  write_described(file, "/chunk", columns.chunk, {rows},
                  "number of the chunk: point * chunks of a point + which");
  write_described(file, "/completes_point", columns.completes, {rows},
                  "1 where the point needs no chunk behind this one");
  std::visit(
      [&](const auto& values) {
        write_described(file, "/integers", values, {rows, work.chunk_integers()},
                        "what adds up over the chunks of a point");
      },
      integers);
  write_described(file, "/numbers", columns.numbers, {rows, work.chunk_numbers()},
                  "what the first chunk of a point says");
  file.commit();
  return target;
}

namespace {

core::Hdf5Input opened(const std::filesystem::path& file) {
  try {
    return core::Hdf5Input(file);
  } catch (const core::DataError& error) {
    throw core::DataError(fmt::format("{}, or {}", error.what(), make_again));
  }
}

}  // namespace

SegmentReader::SegmentReader(const SweepWork& work, std::filesystem::path file)
    : file_(std::move(file)), integers_(work.chunk_integers()), numbers_(work.chunk_numbers()) {
  const core::Hdf5Input input = opened(file_);
  input.require_type(segment_filetype, result_schema_major);
  const std::string source = input.text_attribute("/", "source");
  if (source != core::source_text()) {
    input.fail("/", fmt::format("was made by {}", source),
               fmt::format("this is {}: versions may draw other numbers", core::source_text()),
               "use that version, or start again in another folder");
  }
  if (input.text_attribute("/", "sweep_sha256") != work.identity()) {
    input.fail("/", "is of another sweep",
               "another configuration, or another network or data set behind the same name",
               "move it away, or use another folder");
  }
  const auto chunk_trials = static_cast<std::int64_t>(work.plan().settings().chunk_trials);
  if (const std::int64_t found = input.integer_attribute("/", "chunk_trials");
      found != chunk_trials) {
    input.fail("/", fmt::format("is cut into chunks of {} trials", found),
               fmt::format("{} are needed", chunk_trials),
               "set sweep.chunk_trials to that, or use another folder");
  }
  const core::Shape64 shape = input.shape("/chunk");
  const std::uint64_t rows = shape.empty() ? 0 : shape.front();
  if (shape.size() != 1 || rows == 0 || rows > work.chunks()) {
    input.fail("/chunk", fmt::format("has the shape {}", core::shape_text(shape)),
               fmt::format("1 to {} chunks are needed", work.chunks()), make_again);
  }
  const auto require_shape = [&](const std::string& path, const core::Shape64& needed) {
    if (input.shape(path) == needed) return;
    input.fail(path, fmt::format("has the shape {}", core::shape_text(input.shape(path))),
               fmt::format("{} is needed", core::shape_text(needed)), make_again);
  };
  require_shape("/completes_point", {rows});
  require_shape("/integers", {rows, integers_});
  require_shape("/numbers", {rows, numbers_});
  chunks_ = input.unsigneds("/chunk", rows);
  for (std::size_t row = 0; row < chunks_.size(); ++row) {
    if (chunks_[row] < work.chunks() && (row == 0 || chunks_[row] > chunks_[row - 1])) continue;
    input.fail("/chunk", fmt::format("element {} is {}", row, chunks_[row]),
               fmt::format("chunks ascend and lie below {}", work.chunks()), make_again);
  }
  for (const std::uint64_t flag : input.unsigneds("/completes_point", rows)) {
    completes_.push_back(flag != 0);
  }
}

std::vector<ChunkResult> SegmentReader::read(std::size_t first, std::size_t count) const {
  const core::Hdf5Input input(file_);
  const std::vector<std::uint64_t> integers =
      input.unsigneds("/integers", core::RowRange{first, count}, count * integers_);
  const std::vector<double> numbers =
      input.doubles("/numbers", core::RowRange{first, count}, count * numbers_);
  std::vector<ChunkResult> results(count);
  for (std::size_t row = 0; row < count; ++row) {
    ChunkResult& result = results[row];
    result.chunk = chunks_[first + row];
    result.completes_point = completes_[first + row];
    const auto integer = integers.begin() + static_cast<std::ptrdiff_t>(row * integers_);
    result.integers.assign(integer, integer + static_cast<std::ptrdiff_t>(integers_));
    const auto number = numbers.begin() + static_cast<std::ptrdiff_t>(row * numbers_);
    result.numbers.assign(number, number + static_cast<std::ptrdiff_t>(numbers_));
  }
  return results;
}

std::vector<std::filesystem::path> segment_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(name_start) && name.ends_with(name_end)) files.push_back(entry->path());
  }
  if (error) {
    throw core::UsageError(core::error_line(folder.string(), "can't be listed", error.message(),
                                            "name the folder of a sweep"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace cimstat::experiments
