#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cimstat::core {

std::string_view version();  ///< "0.1.0"
std::string_view
revision();  ///< git hash at configure time, "+" when dirty, "unknown" from a tarball
std::string source_text();  ///< "cimstat 0.1.0 (<revision>)": the `source` attribute of files

/// Lower-case hexadecimal SHA-256 (OpenSSL). A file that cannot be read is a DataError.
std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view text);
std::string sha256_of_file(const std::filesystem::path& file);

/// The same of what comes in pieces.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  std::string hexadecimal();  ///< once, at the end

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What varies from run to run and so stays out of result files. Written beside the result as
/// `<result>.run.json`, atomically, with the source text, the host's name and the time (UTC) added;
/// behind the result, so that a run killed in between leaves the record of an older result, which
/// `result_sha256` tells. Throws Error (failure) when it can't be written.
struct RunRecord {
  std::string command;
  std::string result_file;
  std::string result_sha256;
  std::string simd_target;
  unsigned threads = 0;
  double wall_seconds = 0.0;
  double cpu_seconds = 0.0;
};
void write_run_record(const RunRecord& record, const std::filesystem::path& result);
/// `<result>.run.json`.
std::filesystem::path run_record_of(const std::filesystem::path& result);

/// Names and values of a run record in their order; what is not a text as JSON. Throws UsageError
/// when it can't be opened, DataError when it isn't one flat JSON object of different names, with a
/// result_file and its result_sha256.
std::vector<std::pair<std::string, std::string>> read_run_record(const std::filesystem::path& file);

}  // namespace cimstat::core
