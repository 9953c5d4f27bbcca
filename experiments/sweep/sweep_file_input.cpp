#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "experiments/result_header.h"
#include "experiments/sweep/segment_file.h"
#include "experiments/sweep/sweep_axis_file.h"
#include "experiments/sweep/sweep_content.h"
#include "experiments/sweep/sweep_file.h"

namespace cimstat::experiments {

namespace {

constexpr std::int64_t sweep_schema_minor = 0;
constexpr std::uint64_t batch_values = std::uint64_t{1} << 19;
constexpr std::size_t most_dimensions = 30;  // HDF5 has 32
constexpr double order_tolerance = 1e-9;     // of rounding at the ends of an interval
constexpr double axis_tolerance = 1e-12;     // of another machine's mathematics
constexpr std::string_view again = "make the result again with cimstat sweep or cimstat merge";

/// A dataset over the points.
struct Field {
  std::string name;
  FieldShape shape = FieldShape::point;
  bool is_integer = false;

  std::string path() const { return "/" + name; }
};

/// One result, read piece by piece.
class SweepInput {
 public:
  explicit SweepInput(const std::filesystem::path& path)
      : folder_(path.parent_path()),
        file_(path),
        header_(read_result_header(file_, sweep_filetype, sweep_schema_minor)) {}

  SweepRecord read() {
    record_.name = header_.title;
    record_.config_toml = header_.config_toml;
    record_.source = header_.source;
    record_.seed = header_.seed;
    record_.confidence = header_.confidence;
    record_.content_sha256 = file_.text_attribute("/", "content_sha256");
    record_.origin.identity = file_.text_attribute("/", "sweep_sha256");
    record_.origin.method = file_.text_attribute("/", "method");
    static constexpr std::array<std::string_view, 3> methods = {"", "exact", "monte_carlo"};
    if (std::find(methods.begin(), methods.end(), record_.origin.method) == methods.end()) {
      file_.fail("/", "attribute 'method' is neither exact nor monte_carlo", record_.origin.method,
                 again);
    }
    read_axes();
    check_against_config();
    read_classes();
    read_fields();
    if (header_.is_known_version) {
      const std::vector<std::string> members(members_.begin(), members_.end());
      file_.require_known("/", members,
                          header_attributes({"sweep_sha256", "method", "dimensions", "sampled_axes",
                                             "content_sha256"}));
    }
    return std::move(record_);
  }

 private:
  std::vector<std::string> names(std::string_view attribute) {
    std::vector<std::string> list;
    std::string_view rest;
    const std::string text = file_.text_attribute("/", attribute);
    for (rest = text; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      list.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const std::string& name = list.back();
      const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '_';
      });
      if (!is_name || list.size() > most_names || !members_.insert(name).second) {
        file_.fail("/", fmt::format("attribute '{}' is no list of names", attribute), text, again);
      }
    }
    return list;
  }

  void read_axes() {
    const std::vector<std::string> dimensions = names("dimensions");
    const std::vector<std::string> sampled = names("sampled_axes");
    if (dimensions.size() > most_dimensions) {
      file_.fail("/", "has too many dimensions", fmt::format("{}", dimensions.size()), again);
    }
    const bool has_samples = !dimensions.empty() && dimensions.back() == "sample";
    if (has_samples == sampled.empty()) {
      file_.fail("/", "attributes 'dimensions' and 'sampled_axes' contradict each other", {},
                 again);
    }
    for (const std::string& name : dimensions) {
      if (has_samples && name == "sample") continue;
      record_.axes.push_back(read_axis(file_, header_, name, SweepAxis::Kind::listed));
      record_.dimensions.push_back({name, record_.axes.back().size()});
    }
    for (const std::string& name : sampled) {
      record_.axes.push_back(read_axis(file_, header_, name, SweepAxis::Kind::sampled));
      const std::size_t size = record_.axes.back().size();
      if (name == sampled.front()) record_.dimensions.push_back({"sample", size});
      if (size == record_.dimensions.back().size) continue;
      file_.fail("/" + name, "has another number of samples than the other sampled axes",
                 fmt::format("{} instead of {}", size, record_.dimensions.back().size), again);
    }
    if (has_samples) {
      require_form(file_, header_, {"/sample", "uint32"});
      require_index_axis(file_, "/sample", record_.dimensions.back().size);
    }
    std::uint64_t points = 1;
    for (const SweepDimension& dimension : record_.dimensions) {
      shape_.push_back(dimension.size);
      if (points > most_points / dimension.size) {
        file_.fail("/", "has too many points", core::shape_text(shape_), again);
      }
      points *= dimension.size;
    }
  }

  /// Where the configuration has all that the axes are made of.
  std::optional<SweepPlan> plan() const {
    try {
      const core::Config config = core::Config::from_text(header_.config_toml, "config_toml");
      if (config.has("sweep") && config.table("sweep").has("points_file")) return std::nullopt;
      return read_sweep_plan(config);
    } catch (const core::UsageError& error) {
      file_.fail("/", "attribute 'config_toml' is no sweep of this version", error.what(),
                 "make the result again with this cimstat");
    }
  }

  void check_against_config() const {
    const std::optional<SweepPlan> wanted = plan();
    if (!wanted) return;
    const auto contradiction = [&](const std::string& path, std::string_view what) {
      file_.fail(path, "contradicts config_toml", what, again);
    };
    const std::vector<SweepAxis>& axes = wanted->axes();
    if (axes.size() != record_.axes.size() || wanted->shape() != shape_) {
      contradiction("/", "another number of axes or of their values");
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const SweepAxis& found = record_.axes[i];
      const std::string path = "/" + found.name;
      if (found.name != axes[i].name || found.kind != axes[i].kind) contradiction("/", "its axes");
      if (found.keys != axes[i].keys) contradiction(path, "attribute 'keys'");
      if (found.units != axes[i].units) contradiction(path, "attribute 'units'");
      const auto equal = [](double a, double b) {
        return a == b || std::abs(a - b) <= axis_tolerance * std::abs(b);
      };
      if (found.labels != axes[i].labels ||
          !std::equal(found.numbers.begin(), found.numbers.end(), axes[i].numbers.begin(),
                      axes[i].numbers.end(), equal)) {
        contradiction(path, "its values");
      }
    }
  }

  /// The size of a dimension that not all results have.
  std::size_t index_axis_size(const std::string& path) {
    if (!file_.has(path)) return 0;
    require_form(file_, header_, {path, "uint32"});
    const core::Shape64 shape = file_.shape(path);
    if (shape.size() != 1 || shape[0] == 0 || shape[0] > most_classes) {
      file_.fail(path, "is not the axis that its name says", core::shape_text(shape), again);
    }
    require_index_axis(file_, path, shape[0]);
    members_.insert(path.substr(1));
    return shape[0];
  }

  void read_classes() {
    class_count_ = index_axis_size("/class");
    code_count_ = index_axis_size("/code");
    has_classes_ = file_.has("/lrs_count") && file_.element_type("/lrs_count") == "uint32";
    if (!has_classes_) return;
    classes_.resize(class_count_);
    for (const auto& [name, value] :
         {std::pair("lrs_count", &circuits::ColumnClass::lrs_count),
          std::pair("active_rows", &circuits::ColumnClass::active_rows)}) {
      const std::string path = fmt::format("/{}", name);
      require_form(file_, header_, {path, "uint32"});
      if (file_.shape(path) != core::Shape64{class_count_}) {
        file_.fail(path, "has another size than the axis /class",
                   core::shape_text(file_.shape(path)), again);
      }
      const std::vector<std::uint64_t> values = file_.unsigneds(path, class_count_);
      for (std::size_t i = 0; i < values.size(); ++i) {
        classes_[i].*value = static_cast<std::uint32_t>(values[i]);
      }
      members_.insert(name);
    }
    for (const circuits::ColumnClass& key : classes_) {
      if (key.lrs_count <= key.active_rows) continue;
      file_.fail("/lrs_count", fmt::format("{} of {} active rows", key.lrs_count, key.active_rows),
                 "there can't be more than active rows", again);
    }
  }

  /// A segment of the same sweep, as large as is needed of it.
  void check_source(const Field& field, const core::VirtualSource& source) const {
    const std::string path = field.path();
    const std::filesystem::path name(source.file);
    const bool is_below = name.is_relative() && source.file.find('%') == std::string::npos &&
                          name.lexically_normal().begin()->string() != "..";
    if (!is_below || source.dataset != (field.is_integer ? "/integers" : "/numbers")) {
      file_.fail(path, fmt::format("refers to {} of {}", source.dataset, source.file),
                 "only segments in a folder beside it may be referred to", again);
    }
    try {
      const core::Hdf5Input segment(folder_ / name);
      segment.require_type(segment_filetype, result_schema_major);
      if (segment.text_attribute("/", "sweep_sha256") != record_.origin.identity) {
        segment.fail("/", "is of another sweep", "its sweep_sha256 differs", "restore the segment");
      }
      const core::Shape64 shape = segment.shape(source.dataset);
      if (shape.size() != source.reaches.size() ||
          !std::equal(shape.begin(), shape.end(), source.reaches.begin(), std::greater_equal()) ||
          !segment.element_type(source.dataset)
               .starts_with(field.is_integer ? "uint" : "float64")) {
        segment.fail(source.dataset, "is not what the result refers to", core::shape_text(shape),
                     "restore the segment");
      }
    } catch (const core::UsageError& error) {
      file_.fail(path, fmt::format("refers to the segment {}, which can't be read", source.file),
                 error.what(), "restore it, or make the result again with cimstat merge");
    }
  }

  /// Nothing where the dataset is of a later version.
  std::optional<Field> field(const std::string& name) {
    Field field{.name = name, .shape = FieldShape::point, .is_integer = false};
    const std::string type = file_.element_type(field.path());
    field.is_integer = type == "uint64";
    if (const auto sources = file_.sources(field.path()); !sources.empty()) {
      for (const core::VirtualSource& source : sources) check_source(field, source);
      file_.allow_virtual(field.path());
    }
    const core::Shape64 shape = file_.shape(field.path());
    core::Shape64 needed = shape_;
    const std::size_t behind = shape.size() - std::min(shape.size(), shape_.size());
    if (behind >= 1) needed.push_back(class_count_);
    if (behind >= 2) needed.push_back(code_count_);
    if ((!field.is_integer && type != "float64") || shape != needed) {
      if (!header_.is_known_version) return std::nullopt;
      file_.fail(
          field.path(),
          fmt::format("holds {} of the shape {}", type.empty() ? std::string("no values") : type,
                      core::shape_text(shape)),
          "it is neither an axis nor over the points", again);
    }
    field.shape = behind == 0   ? FieldShape::point
                  : behind == 1 ? FieldShape::row
                                : FieldShape::table;
    check_form(field);
    return field;
  }

  void check_form(const Field& field) const {
    const std::string path = field.path();
    const std::string units = file_.text_attribute(path, "units");
    if (units.empty()) file_.fail(path, "attribute 'units' is empty", {}, again);
    std::string coordinates;
    const auto add = [&](const std::string& name) {
      coordinates += (coordinates.empty() ? "" : " ") + name;
    };
    for (const SweepAxis& axis : record_.axes) {
      if (axis.kind == SweepAxis::Kind::sampled) add(axis.name);
    }
    if (field.shape >= FieldShape::row && has_classes_) {
      add("lrs_count");
      add("active_rows");
    }
    std::vector<std::string> attributes;
    if (!coordinates.empty()) {
      attributes.emplace_back("coordinates");
      if (file_.text_attribute(path, "coordinates") != coordinates) {
        file_.fail(path, "attribute 'coordinates' is not what the file has",
                   fmt::format("'{}' is needed", coordinates), again);
      }
    }
    require_form(file_, header_,
                 {path, field.is_integer ? "uint64" : "float64", units, attributes});
  }

  void read_fields() {
    std::vector<Field> integers;
    std::vector<Field> numbers;
    for (const std::string& name : file_.children("/")) {
      if (members_.contains(name)) continue;
      const std::optional<Field> found = field(name);
      if (!found) continue;
      (found->is_integer ? integers : numbers).push_back(*found);
      members_.insert(name);
    }
    check_content(integers);
    read_scalars(numbers);
    for (const Field& field : integers) {
      if (field.shape == FieldShape::point) record_.scalars.push_back(counts(field));
    }
  }

  std::uint64_t width(const Field& field) const {
    if (field.shape == FieldShape::point) return 1;
    return class_count_ * (field.shape == FieldShape::row ? 1 : code_count_);
  }

  /// Calls `use` with the values of a field, a batch at a time.
  template <typename Number, typename Use>
  void for_each_batch(const Field& field, const Use& use) const {
    const auto read = [&](const auto&... rows) {
      const std::uint64_t limit = std::max(batch_values, width(field));
      if constexpr (std::is_same_v<Number, double>) {
        use(file_.doubles(field.path(), rows..., limit));
      } else {
        use(file_.unsigneds(field.path(), rows..., limit));
      }
    };
    if (shape_.empty()) {
      read();
      return;
    }
    const std::uint64_t batch = std::max<std::uint64_t>(1, batch_values / width(field));
    for (std::uint64_t first = 0; first < record_.points(); first += batch) {
      read(core::RowRange{first, std::min(batch, record_.points() - first), shape_.size()});
    }
  }

  void check_content(const std::vector<Field>& integers) {
    std::vector<std::string> names;
    for (const Field& field : integers) names.push_back(field.name);
    SweepContent content(names);
    for (std::size_t i = 0; i < integers.size(); ++i) {
      for_each_batch<std::uint64_t>(
          integers[i], [&](const std::vector<std::uint64_t>& values) { content.add(i, values); });
    }
    if (content.sha256(record_.config_toml, classes_) == record_.content_sha256) return;
    // A later version may have put more into it.
    if (!header_.is_known_version) return;
    file_.fail("/", "the integers and classes are not what content_sha256 was made of",
               "damaged or edited", again);
  }

  SweepScalar counts(const Field& field) const {
    SweepScalar scalar = scalar_of(field);
    for_each_batch<std::uint64_t>(field, [&](const std::vector<std::uint64_t>& values) {
      scalar.value.insert(scalar.value.end(), values.begin(), values.end());
    });
    return scalar;
  }

  std::vector<double> all(const Field& field) const {
    std::vector<double> values;
    for_each_batch<double>(field, [&](const std::vector<double>& batch) {
      values.insert(values.end(), batch.begin(), batch.end());
    });
    return values;
  }

  SweepScalar scalar_of(const Field& field) const {
    return {.name = field.name,
            .units = file_.text_attribute(field.path(), "units"),
            .long_name = file_.text_attribute(field.path(), "long_name"),
            .value = {},
            .lower = {},
            .upper = {}};
  }

  void read_scalars(const std::vector<Field>& numbers) {
    std::map<std::string, const Field*> points;
    for (const Field& field : numbers) {
      if (field.shape == FieldShape::point) points.emplace(field.name, &field);
    }
    const auto has_interval = [&](const std::string& name) {
      return points.contains(name) && points.contains(name + "_lower") &&
             points.contains(name + "_upper");
    };
    const auto is_end = [&](const std::string& name) {
      for (const std::string_view end : {"_lower", "_upper"}) {
        if (name.ends_with(end) && has_interval(name.substr(0, name.size() - end.size()))) {
          return true;
        }
      }
      return false;
    };
    for (const Field& field : numbers) {
      if (field.shape != FieldShape::point) {
        // For their checksums alone.
        for_each_batch<double>(field, [](const std::vector<double>&) {});
        continue;
      }
      if (is_end(field.name)) continue;
      SweepScalar scalar = scalar_of(field);
      scalar.value = all(field);
      if (has_interval(field.name)) {
        scalar.lower = all(*points.at(field.name + "_lower"));
        scalar.upper = all(*points.at(field.name + "_upper"));
        check_order(field, scalar);
      }
      record_.scalars.push_back(std::move(scalar));
    }
  }

  void check_order(const Field& field, const SweepScalar& scalar) const {
    for (std::size_t point = 0; point < scalar.value.size(); ++point) {
      const double value = scalar.value[point];
      const double slack = order_tolerance * std::max(1.0, std::abs(value));
      // True where any of them is not known.
      if (!(scalar.lower[point] > value + slack) && !(scalar.upper[point] < value - slack))
        continue;
      file_.fail(field.path(), fmt::format("is {} at point {}", value, point),
                 fmt::format("it does not lie in its interval, {} to {}", scalar.lower[point],
                             scalar.upper[point]),
                 again);
    }
  }

  static constexpr std::size_t most_names = 128;
  static constexpr std::uint64_t most_classes = std::uint64_t{1} << 20;

  std::filesystem::path folder_;
  core::Hdf5Input file_;
  ResultHeader header_;
  SweepRecord record_;
  core::Shape64 shape_;
  std::size_t class_count_ = 0;
  std::size_t code_count_ = 0;
  bool has_classes_ = false;
  std::vector<circuits::ColumnClass> classes_;
  std::set<std::string> members_;  ///< of the root, as far as they are known
};

}  // namespace

std::uint64_t SweepRecord::points() const {
  std::uint64_t points = 1;
  for (const SweepDimension& dimension : dimensions) points *= dimension.size;
  return points;
}

SweepRecord read_sweep_file(const std::filesystem::path& file) { return SweepInput(file).read(); }

}  // namespace cimstat::experiments
