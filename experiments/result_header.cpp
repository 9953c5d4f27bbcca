#include "experiments/result_header.h"

#include <tuple>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"

namespace cimstat::experiments {

namespace {

constexpr std::string_view conventions_name = "CF-1.10";
constexpr std::string_view generator = "philox4x32-10";
constexpr std::string_view make_again = "make the file again";

/// What made the file, as the file itself has it.
Experiment experiment_of(const core::Hdf5Input& file, const std::string& config_toml) {
  try {
    return read_experiment(core::Config::from_text(config_toml, "config_toml"));
  } catch (const core::UsageError& error) {
    file.fail("/", "attribute 'config_toml' is no configuration of this version", error.what(),
              "make the file again with this cimstat");
  }
}

void check_against_config(const core::Hdf5Input& file, const ResultHeader& header) {
  const auto contradiction = [&](std::string_view attribute, const auto& found,
                                 const auto& configured) {
    file.fail("/", fmt::format("attribute '{}' contradicts config_toml", attribute),
              fmt::format("{} instead of {}", found, configured), make_again);
  };
  const Experiment& experiment = header.experiment;
  if (header.title != experiment.name) contradiction("title", header.title, experiment.name);
  if (header.seed != experiment.seed) contradiction("seed", header.seed, experiment.seed);
  if (header.confidence != experiment.table.confidence) {
    contradiction("confidence_level", header.confidence, experiment.table.confidence);
  }
}

}  // namespace

void write_result_header(core::Hdf5Output& file, const Experiment& experiment,
                         const std::string& config_toml, std::string_view filetype,
                         std::int64_t schema_minor) {
  file.attribute("/", "Conventions", conventions_name);
  file.attribute("/", "filetype", filetype);
  file.attribute("/", "schema_version",
                 std::vector<std::int64_t>{result_schema_major, schema_minor});
  file.attribute("/", "title", experiment.name);
  file.attribute("/", "source", core::source_text());
  file.attribute("/", "config_toml", config_toml);
  file.attribute("/", "config_sha256", core::sha256(config_toml));
  file.attribute("/", "rng", generator);
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

void require_form(const core::Hdf5Input& file, const ResultHeader& header,
                  const DatasetForm& form) {
  const std::string found = file.element_type(form.path);
  if (found != form.type) {
    file.fail(form.path,
              found.empty() ? std::string("is not a dataset") : fmt::format("holds {}", found),
              fmt::format("{} is needed", form.type), make_again);
  }
  require_units(file, form.path, form.units);
  if (file.text_attribute(form.path, "long_name").empty()) {
    file.fail(form.path, "attribute 'long_name' is empty", {}, make_again);
  }
  if (!header.is_known_version) return;
  std::vector<std::string> attributes = {"units", "long_name"};
  attributes.insert(attributes.end(), form.attributes.begin(), form.attributes.end());
  file.require_known(form.path, {}, attributes);
}

void require_index_axis(const core::Hdf5Input& file, const std::string& path, std::uint64_t size) {
  if (file.shape(path) != core::Shape64{size}) {
    file.fail(path, "is not the axis that its name says",
              fmt::format("shape {} instead of {}", core::shape_text(file.shape(path)), size),
              make_again);
  }
  const std::vector<std::uint64_t> values = file.unsigneds(path, size);
  for (std::uint64_t index = 0; index < size; ++index) {
    if (values[index] == index) continue;
    file.fail(path, fmt::format("element {} is {}", index, values[index]),
              "an axis counts from 0 in steps of 1", make_again);
  }
}

ResultHeader read_result_header(const core::Hdf5Input& file, std::string_view filetype,
                                std::int64_t known_minor) {
  file.require_type(filetype, result_schema_major);
  ResultHeader header;
  header.schema_minor = file.integers_attribute("/", "schema_version").at(1);
  header.is_known_version = header.schema_minor <= known_minor;
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
  header.rng = file.text_attribute("/", "rng");
  const std::string conventions = file.text_attribute("/", "Conventions");
  if (header.is_known_version) {
    for (const auto& [attribute, found, needed] :
         {std::tuple("rng", header.rng, generator),
          {"Conventions", conventions, conventions_name}}) {
      if (found == needed) continue;
      file.fail("/", fmt::format("attribute '{}' is '{}'", attribute, found),
                fmt::format("'{}' is needed", needed), make_again);
    }
  }
  header.experiment = experiment_of(file, header.config_toml);
  check_against_config(file, header);
  return header;
}

}  // namespace cimstat::experiments
