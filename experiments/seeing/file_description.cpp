#include "experiments/seeing/file_description.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"
#include "core/file/readable_file.h"
#include "core/utf8.h"

namespace cimstat::experiments {

namespace {

constexpr std::uint64_t axis_limit = std::uint64_t{1} << 26;
constexpr std::size_t deepest_group = 4;
constexpr std::size_t most_objects = 10'000;  // a network of the most layers holds half as many

struct KnownKind {
  FileKind kind;
  std::string_view name;
  std::string_view filetype;  ///< root attribute; empty where the file isn't HDF5
};
constexpr std::array<KnownKind, 8> kinds = {{
    {FileKind::error_table, "error table", "cimstat error table"},
    {FileKind::accuracy, "accuracy result", "cimstat accuracy"},
    {FileKind::columns, "columns result", "cimstat columns"},
    {FileKind::sweep, "sweep result", "cimstat sweep"},
    {FileKind::network, "network", "cimstat network"},
    {FileKind::run_record, "run record", ""},
    {FileKind::experiment, "experiment", ""},
    {FileKind::onnx_model, "ONNX model", ""},
}};

std::string text_or_empty(const core::Hdf5Input& input, std::string_view path,
                          std::string_view name) {
  return input.has_attribute(path, name) ? input.text_attribute(path, name) : std::string();
}

bool is_axis(const core::Hdf5Input& input, const std::string& path) {
  return text_or_empty(input, path, "CLASS") == "DIMENSION_SCALE";
}

DatasetFacts facts_of(const core::Hdf5Input& input, const std::string& path, std::string type) {
  return {path, std::move(type), input.shape(path), text_or_empty(input, path, "units"),
          text_or_empty(input, path, "long_name")};
}

AxisFacts axis_of(const core::Hdf5Input& input, DatasetFacts dataset) {
  AxisFacts axis{std::move(dataset), 0.0, 0.0};
  const auto ends = [&](const auto& values) {
    if (values.empty()) return;
    axis.first = static_cast<double>(values.front());
    axis.last = static_cast<double>(values.back());
  };
  if (axis.dataset.type.starts_with("float")) {
    ends(input.doubles(axis.dataset.path, axis_limit));
  } else {
    ends(input.integers(axis.dataset.path, axis_limit));
  }
  return axis;
}

/// All groups and datasets of a file, whoever made it.
class Walk {
 public:
  Walk(core::Hdf5Input& input, const std::filesystem::path& file, FileDescription& description)
      : input_(input), file_(file), description_(description) {}

  void through(const std::string& group, std::size_t depth) {
    for (const std::string& child : input_.children(group.empty() ? "/" : group)) {
      if (++objects_ > most_objects) {
        throw core::DataError(core::error_line(file_.string() + ": /", "holds too many objects",
                                               fmt::format("more than {}", most_objects),
                                               "check that it is the right file"));
      }
      std::string path = group;
      path.append("/").append(child);
      std::string type = input_.element_type(path);
      if (type.empty()) {
        if (depth < deepest_group) through(path, depth + 1);
        continue;
      }
      const bool is_of_axis = is_axis(input_, path);
      // A sweep's values may lie in its segments; its reader checks these.
      if (!is_of_axis && description_.kind == FileKind::sweep) input_.allow_virtual(path);
      DatasetFacts dataset = facts_of(input_, path, std::move(type));
      if (is_of_axis) {
        description_.axes.push_back(axis_of(input_, std::move(dataset)));
      } else {
        description_.datasets.push_back(std::move(dataset));
      }
    }
  }

 private:
  core::Hdf5Input& input_;
  const std::filesystem::path& file_;
  FileDescription& description_;
  std::size_t objects_ = 0;
};

void add_facts(const core::Hdf5Input& input, const std::filesystem::path& file,
               FileDescription& description) {
  const auto add = [&](std::string_view label, std::string value) {
    description.facts.push_back({std::string(label), std::move(value)});
  };
  const auto add_text = [&](std::string_view label, std::string_view attribute) {
    if (input.has_attribute("/", attribute)) add(label, input.text_attribute("/", attribute));
  };
  add_text("name", "title");
  add_text("name", "name");
  add_text("description", "description");
  add_text("made by", "source");
  add_text("method", "method");
  add_text("why", "method_reason");
  add_text("network", "network");
  add_text("data set", "data_set");
  add_text("rng", "rng");
  if (input.has_attribute("/", "seed")) {
    add("seed", fmt::format("{}", input.integer_attribute("/", "seed")));
  }
  if (input.has_attribute("/", "confidence_level")) {
    add("confidence",
        fmt::format("{:g} %", 100.0 * input.number_attribute("/", "confidence_level")));
  }
  add_text("table_content_sha256", "table_content_sha256");
  add_text("layer_table_sha256", "layer_table_sha256");
  if (input.has_attribute("/", "config_sha256")) {
    const std::string hash = input.text_attribute("/", "config_sha256");
    if (hash != core::sha256(input.text_attribute("/", "config_toml"))) {
      throw core::DataError(core::error_line(file.string() + ": /",
                                             "config_sha256 is not the hash of config_toml",
                                             "damaged or edited", "make the file again"));
    }
    add("config_sha256", hash + " (verified)");
  }
  if (input.has_attribute("/", "content_sha256")) {
    // The reader of the kind refuses a file whose content has another hash.
    const bool is_network = description.kind == FileKind::network;
    add("content_sha256",
        fmt::format("{} (verified: {})", input.text_attribute("/", "content_sha256"),
                    is_network ? "input, layers, weights, scales" : "configuration, keys, counts"));
  }
}

std::string shape_text(const core::Shape64& shape) {
  return shape.empty() ? "1" : fmt::format("{}", fmt::join(shape, " x "));
}

std::size_t widest(const auto& items, const auto& text_of) {
  std::size_t width = 0;
  for (const auto& item : items) width = std::max(width, text_of(item).size());
  return width;
}

core::Json as_json(const DatasetFacts& dataset) {
  return {{"path", dataset.path},
          {"type", dataset.type},
          {"shape", dataset.shape},
          {"units", dataset.unit},
          {"long_name", dataset.meaning}};
}

}  // namespace

std::string_view name_of(FileKind kind) {
  return std::find_if(kinds.begin(), kinds.end(),
                      [kind](const KnownKind& known) { return known.kind == kind; })
      ->name;
}

FileKind file_kind(const std::filesystem::path& file) {
  core::require_readable(file);
  const std::string name = file.string();
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 8> start{};
  stream.read(start.data(), start.size());
  const std::string_view beginning(start.data(), static_cast<std::size_t>(stream.gcount()));
  if (beginning == "\x89HDF\r\n\x1a\n") {
    const core::Hdf5Input input(file);
    const std::string found = text_or_empty(input, "/", "filetype");
    for (const KnownKind& known : kinds) {
      if (!known.filetype.empty() && known.filetype == found) return known.kind;
    }
    throw core::DataError(core::error_line(
        name + ": /",
        found.empty() ? "has no attribute filetype" : "is of the type " + core::excerpt(found),
        "not a kind of file that cimstat makes", "open it with another HDF5 tool"));
  }
  if (name.ends_with(".run.json")) return FileKind::run_record;
  if (name.ends_with(".toml")) return FileKind::experiment;
  if (name.ends_with(".onnx")) return FileKind::onnx_model;
  throw core::DataError(core::error_line(
      name, "is not a file that cimstat knows",
      "neither HDF5 with its beginning whole, nor called .run.json, .toml or .onnx",
      "check the path"));
}

FileDescription describe_file(const std::filesystem::path& file, FileKind kind) {
  core::Hdf5Input input(file);
  FileDescription description;
  description.kind = kind;
  const std::vector<std::int64_t> schema = input.integers_attribute("/", "schema_version");
  description.schema_version = fmt::format("{}", fmt::join(schema, "."));
  add_facts(input, file, description);
  Walk(input, file, description).through("", 0);
  return description;
}

std::string format_description(const std::filesystem::path& file,
                               const FileDescription& description) {
  std::string text =
      core::one_line(fmt::format("{}: {}, format version {}", file.string(),
                                 name_of(description.kind), description.schema_version)) +
      "\n";
  const std::size_t facts = widest(description.facts, [](const Fact& f) { return f.name; });
  for (const Fact& fact : description.facts) {
    text += fmt::format("  {:<{}}  {}\n", fact.name, facts, core::one_line(fact.value));
  }
  std::vector<DatasetFacts> all = description.datasets;
  for (const AxisFacts& axis : description.axes) all.push_back(axis.dataset);
  const std::size_t paths = widest(all, [](const DatasetFacts& d) { return d.path; });
  const std::size_t shapes = widest(all, [](const DatasetFacts& d) { return shape_text(d.shape); });
  const auto line = [&](const DatasetFacts& d) {
    std::string row = fmt::format("  {:<{}}  {:<7}  {:<{}}", core::one_line(d.path), paths, d.type,
                                  shape_text(d.shape), shapes);
    if (!d.meaning.empty()) {
      row += "  " + core::one_line(d.meaning);
      if (!d.unit.empty() && d.unit != "1") row += core::one_line(" [" + d.unit + "]");
    }
    return row;
  };
  if (!description.axes.empty()) text += "\naxes (unit 1 where none is given)\n";
  for (const AxisFacts& axis : description.axes) {
    text += fmt::format("{}, {:g} .. {:g}\n", line(axis.dataset), axis.first, axis.last);
  }
  if (!description.datasets.empty()) text += "\ndatasets\n";
  for (const DatasetFacts& dataset : description.datasets) text += line(dataset) + "\n";
  return text;
}

core::Json description_as_json(const std::filesystem::path& file,
                               const FileDescription& description) {
  core::Json facts = core::Json::object();
  for (const Fact& fact : description.facts) facts[fact.name] = fact.value;
  core::Json axes = core::Json::array();
  for (const AxisFacts& axis : description.axes) {
    core::Json object = as_json(axis.dataset);
    object["first"] = axis.first;
    object["last"] = axis.last;
    axes.push_back(object);
  }
  core::Json datasets = core::Json::array();
  for (const DatasetFacts& dataset : description.datasets) datasets.push_back(as_json(dataset));
  return {{"file", file.string()},
          {"kind", name_of(description.kind)},
          {"schema_version", description.schema_version},
          {"facts", facts},
          {"axes", axes},
          {"datasets", datasets}};
}

std::string config_of(const std::filesystem::path& file, FileKind kind) {
  if (kind != FileKind::error_table && kind != FileKind::accuracy && kind != FileKind::columns &&
      kind != FileKind::sweep) {
    throw core::UsageError(core::error_line(
        "--config", fmt::format("a {} holds no resolved configuration", name_of(kind)),
        file.string(), "name an error table, an accuracy, columns or sweep result"));
  }
  return core::Hdf5Input(file).text_attribute("/", "config_toml");
}

}  // namespace cimstat::experiments
