#include "experiments/result_header.h"

#include <fmt/format.h>

#include "core/provenance.h"

namespace cimstat::experiments {

void write_result_header(core::Hdf5Output& file, const Experiment& experiment,
                         const std::string& config_toml, std::string_view filetype) {
  file.attribute("/", "Conventions", "CF-1.10");
  file.attribute("/", "filetype", filetype);
  file.attribute("/", "schema_version",
                 std::vector<std::int64_t>{result_schema_major, result_schema_minor});
  file.attribute("/", "title", experiment.name);
  file.attribute("/", "source", core::source_text());
  file.attribute("/", "config_toml", config_toml);
  file.attribute("/", "config_sha256", core::sha256(config_toml));
  file.attribute("/", "rng", "philox4x32-10");
  file.attribute("/", "seed", static_cast<std::int64_t>(experiment.seed));
  file.attribute("/", "confidence_level", experiment.table.confidence);
}

void require_units(const core::Hdf5Input& file, std::string_view dataset, std::string_view units) {
  const std::string found = file.text_attribute(dataset, "units");
  if (found == units) return;
  file.fail(dataset, fmt::format("is in units of '{}'", found),
            fmt::format("'{}' is needed", units), "convert the values, or make the file again");
}

std::vector<std::string> header_attributes(std::initializer_list<std::string_view> more) {
  std::vector<std::string> names = {"Conventions", "filetype",        "schema_version", "title",
                                    "source",      "config_toml",     "config_sha256",  "rng",
                                    "seed",        "confidence_level"};
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

ResultHeader read_result_header(const core::Hdf5Input& file, std::string_view filetype) {
  constexpr std::string_view make_again = "make the file again";
  file.require_type(filetype, result_schema_major);
  ResultHeader header;
  header.is_known_version =
      file.integers_attribute("/", "schema_version").at(1) <= result_schema_minor;
  header.title = file.text_attribute("/", "title");
  header.source = file.text_attribute("/", "source");
  header.config_toml = file.text_attribute("/", "config_toml");
  if (file.text_attribute("/", "config_sha256") != core::sha256(header.config_toml)) {
    file.fail("/", "attribute 'config_toml' is not what config_sha256 was made of",
              "damaged or edited", make_again);
  }
  const std::int64_t seed = file.integer_attribute("/", "seed");
  if (seed < 0) {
    file.fail("/", fmt::format("attribute 'seed' is {}", seed), "a seed is 0 or more", make_again);
  }
  header.seed = static_cast<std::uint64_t>(seed);
  header.confidence = file.number_attribute("/", "confidence_level");
  if (!(header.confidence > 0.0 && header.confidence < 1.0)) {
    file.fail("/", fmt::format("attribute 'confidence_level' is {}", header.confidence),
              "between 0 and 1 is needed", make_again);
  }
  return header;
}

}  // namespace cimstat::experiments
