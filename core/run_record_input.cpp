#include <fstream>
#include <iterator>
#include <sstream>

#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>

#include "core/error.h"
#include "core/provenance.h"

namespace cimstat::core {
namespace {

constexpr std::size_t longest_record = std::size_t{64} * 1024;

/// The parser recurses, so depth is bounded before it starts.
bool is_flat(std::string_view json) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char letter = json[i];
    if (in_text && letter == '\\') {
      ++i;
    } else if (letter == '"') {
      in_text = !in_text;
    } else if (!in_text && (letter == '{' || letter == '[')) {
      if (++depth > 1) return false;
    } else if (!in_text && (letter == '}' || letter == ']')) {
      --depth;
    }
  }
  return true;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> read_run_record(
    const std::filesystem::path& file) {
  const auto refuse = [&](std::string_view why) {
    throw DataError(error_line(file.string(), "is not a run record", why,
                               "name a .run.json file that cimstat wrote"));
  };
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    throw UsageError(error_line(file.string(), "cannot be opened", {}, "check the path"));
  std::string json(longest_record + 1, '\0');
  stream.read(json.data(), std::ssize(json));
  json.resize(static_cast<std::size_t>(stream.gcount()));
  if (json.size() > longest_record) refuse("it is longer than 64 KiB");
  if (!is_flat(json)) refuse("it is nested");
  boost::property_tree::ptree tree;
  try {
    std::istringstream text(json);
    boost::property_tree::read_json(text, tree);
  } catch (const boost::property_tree::json_parser_error& error) {
    refuse("not JSON: " + error.message());
  }
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [name, value] : tree) fields.emplace_back(name, value.data());
  if (tree.find("result_file") == tree.not_found() ||
      tree.find("result_sha256") == tree.not_found()) {
    refuse("result_file or result_sha256 is missing");
  }
  return fields;
}

}  // namespace cimstat::core
