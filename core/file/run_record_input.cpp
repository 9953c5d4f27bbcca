#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/json.h"
#include "core/file/provenance.h"
#include "core/file/readable_file.h"
#include "core/utf8.h"

namespace cimstat::core {
namespace {

constexpr std::size_t longest_record = std::size_t{64} * 1024;

}  // namespace

std::vector<std::pair<std::string, std::string>> read_run_record(
    const std::filesystem::path& file) {
  const auto refuse = [&](std::string_view why) {
    throw DataError(error_line(file.string(), "is not a run record", why,
                               "name a .run.json file that cimstat wrote"));
  };
  require_readable(file);
  std::ifstream stream(file, std::ios::binary);
  std::string text(longest_record + 1, '\0');
  stream.read(text.data(), std::ssize(text));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > longest_record) refuse("it is longer than 64 KiB");

  std::vector<std::pair<std::string, std::string>> fields;
  std::set<std::string> names;
  using Event = Json::parse_event_t;
  const auto take = [&](int depth, Event event, Json& parsed) {
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && depth > 0) refuse("it is nested");
    if (event == Event::array_start) refuse("it is a list");
    if (event == Event::key) {
      const auto name = parsed.get<std::string>();
      if (!names.insert(name).second) {
        refuse(fmt::format("it has the name \"{}\" twice", excerpt(name)));
      }
      fields.emplace_back(name, "");
    } else if (event == Event::value && depth > 0) {
      fields.back().second = parsed.is_string() ? parsed.get<std::string>() : parsed.dump();
    }
    return event != Event::key;  // a field is taken here, not kept in the document
  };
  try {
    if (!Json::parse(text, take).is_object()) refuse("it is not an object");
  } catch (const Json::parse_error& error) {  // its own message quotes the file
    refuse(fmt::format("not JSON at byte {}", error.byte));
  } catch (const Json::out_of_range&) {
    refuse("it holds a number that is too large");
  }
  if (!names.contains("result_file") || !names.contains("result_sha256")) {
    refuse("result_file or result_sha256 is missing");
  }
  return fields;
}

}  // namespace cimstat::core
