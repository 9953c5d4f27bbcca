#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"

/// What all fuzz targets share. A target is one function of bytes, LLVMFuzzerTestOneInput:
/// libFuzzer calls it (-DCIMSTAT_FUZZ=ON, clang), and so does corpus_main.cpp with every kept input
/// in every other build. A reader may do two things with foreign bytes: accept them, or throw a
/// core::Error of exit code 2 or 3 with one clean line. All else ends the program.
namespace cimstat::fuzz {

using Bytes = std::span<const std::uint8_t>;

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Prints what was found and aborts.
[[noreturn]] void finding(std::string_view what);

/// A finding unless the message is one line of sound UTF-8 without control characters.
void require_clean_line(std::string_view message);

/// The same for each line of what is shown.
void require_clean_text(std::string_view text);

/// The message with which `read` refuses its input; nothing where it accepts it.
template <class Read>
std::optional<std::string> refusal_of(Read&& read) {
  try {
    read();
    return std::nullopt;
  } catch (const core::Error& error) {
    if (error.code() != core::ExitCode::usage && error.code() != core::ExitCode::data) {
      finding(fmt::format("exit code {}: {}", static_cast<int>(error.code()), error.what()));
    }
    require_clean_line(error.what());
    return error.what();
  } catch (const std::exception& error) {
    finding(fmt::format("an exception that is no core::Error: {}", error.what()));
  }
}

/// A folder of this process, made when it is first asked for and removed at the end.
const std::filesystem::path& scratch_folder();

/// Writes the bytes to a file of that name in the scratch folder.
std::filesystem::path scratch_file(std::string_view name, Bytes bytes);

/// Takes an input apart into choices and numbers; what lies behind its end reads as 0.
class Recipe {
 public:
  explicit Recipe(Bytes bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte();
  std::uint64_t word();  ///< 8 bytes
  std::size_t below(std::size_t count) { return count < 2 ? 0 : byte() % count; }
  std::string text();  ///< its length first, in one byte
  std::string text_to_end();
  std::int64_t integer();  ///< often small or at an edge
  double number();         ///< often small or at an edge

 private:
  Bytes rest_;
};

}  // namespace cimstat::fuzz
