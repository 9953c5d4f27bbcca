#include "experiments/sweep/sweep_file.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "experiments/result_header.h"
#include "experiments/sweep/sweep_axis_file.h"
#include "experiments/sweep/sweep_content.h"

namespace cimstat::experiments {

namespace {

constexpr std::uint64_t batch_bytes = std::uint64_t{4} << 20;
constexpr std::uint64_t largest_batch = 4096;

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

bool has(const SweepFields& fields, FieldShape at_least) {
  const auto reaches = [&](const SweepField& field) { return field.shape >= at_least; };
  return std::any_of(fields.integers.begin(), fields.integers.end(), reaches) ||
         std::any_of(fields.numbers.begin(), fields.numbers.end(), reaches);
}

/// Writes a result, dataset by dataset.
class SweepWriter {
 public:
  SweepWriter(const SweepPlan& plan, const SweepFields& fields,
              const std::vector<circuits::ColumnClass>& classes,
              const std::vector<LinkedField>& linked, core::Hdf5Output& file)
      : plan_(plan),
        fields_(fields),
        classes_(classes),
        linked_(linked),
        file_(file),
        content_(names()) {}

  void write_axes() {
    if (is_sampled()) {
      write_index_axis(file_, "sample", plan_.shape().back(), "number of the sample");
    }
    for (const SweepAxis& axis : plan_.axes()) write_axis(file_, axis);
    if (has(fields_, FieldShape::row)) {
      write_index_axis(file_, "class", fields_.classes, "index of the class");
    }
    if (has(fields_, FieldShape::table)) {
      write_index_axis(file_, "code", fields_.codes, "converter output code");
    }
  }

  void write_classes() {
    if (classes_.empty() || !has(fields_, FieldShape::row)) return;
    std::vector<std::uint32_t> lrs;
    std::vector<std::uint32_t> active;
    for (const auto& [k, n, states] : classes_) {
      lrs.push_back(k);
      active.push_back(n);
    }
    write_key("/lrs_count", lrs, "active cells in LRS (the ideal MAC value)");
    write_key("/active_rows", active, "active rows");
  }

  void start_fields() {
    if (plan_.shape().empty()) return;
    for (const SweepField& field : fields_.integers) start<std::uint64_t>(field);
    for (const SweepField& field : fields_.numbers) start<double>(field);
  }

  void write_points(const NextPoints& next) {
    std::uint64_t bytes = 8;
    for (const SweepField& field : fields_.integers) bytes += 8 * width(field);
    for (const SweepField& field : fields_.numbers) bytes += 8 * width(field);
    const std::uint64_t batch = std::clamp<std::uint64_t>(batch_bytes / bytes, 1, largest_batch);
    for (std::uint64_t first = 0; first < plan_.points(); first += batch) {
      const std::vector<PointValues> values = next(first, std::min(batch, plan_.points() - first));
      for (std::size_t field = 0; field < fields_.integers.size(); ++field) {
        const std::vector<std::uint64_t> rows = column(values, &PointValues::integers, field);
        content_.add(field, rows);
        append(fields_.integers[field], rows);
      }
      for (std::size_t field = 0; field < fields_.numbers.size(); ++field) {
        append(fields_.numbers[field], column(values, &PointValues::numbers, field));
      }
    }
  }

  std::string content_sha256() { return content_.sha256(plan_.config_toml(), keys()); }

 private:
  bool is_sampled() const {
    return !plan_.axes().empty() && plan_.axes().back().kind == SweepAxis::Kind::sampled;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const SweepField& field : fields_.integers) names.push_back(field.name);
    return names;
  }

  std::vector<circuits::ColumnClass> keys() const {
    return has(fields_, FieldShape::row) ? classes_ : std::vector<circuits::ColumnClass>{};
  }

  std::uint64_t width(const SweepField& field) const {
    switch (field.shape) {
      case FieldShape::point:
        return 1;
      case FieldShape::row:
        return fields_.classes;
      case FieldShape::table:
        return fields_.classes * fields_.codes;
    }
    return 0;
  }

  core::Shape64 shape(const SweepField& field) const {
    core::Shape64 shape = plan_.shape();
    if (field.shape >= FieldShape::row) shape.push_back(fields_.classes);
    if (field.shape >= FieldShape::table) shape.push_back(fields_.codes);
    return shape;
  }

  void write_key(const std::string& path, const std::vector<std::uint32_t>& values,
                 std::string_view long_name) {
    file_.dataset(path, std::span(values), {values.size()});
    file_.attribute(path, "units", "1");
    file_.attribute(path, "long_name", long_name);
    file_.attach_scale(path, "/class", 0);
  }

  /// CF's name for what has the dimensions of a dataset, but is none of them.
  std::string coordinates(const SweepField& field) const {
    std::vector<std::string> names;
    for (const SweepAxis& axis : plan_.axes()) {
      if (axis.kind == SweepAxis::Kind::sampled) names.push_back(axis.name);
    }
    if (field.shape >= FieldShape::row && !classes_.empty()) {
      names.emplace_back("lrs_count");
      names.emplace_back("active_rows");
    }
    return joined(names);
  }

  void describe(const SweepField& field) {
    const std::string path = "/" + field.name;
    file_.attribute(path, "units", field.units);
    file_.attribute(path, "long_name", field.long_name);
    const std::string names = coordinates(field);
    if (!names.empty()) file_.attribute(path, "coordinates", names);
    unsigned axis = 0;
    for (const std::string& name : plan_.dimensions()) file_.attach_scale(path, "/" + name, axis++);
    if (field.shape >= FieldShape::row) file_.attach_scale(path, "/class", axis++);
    if (field.shape >= FieldShape::table) file_.attach_scale(path, "/code", axis++);
  }

  template <typename Number>
  void start(const SweepField& field) {
    const std::size_t leading = plan_.shape().size();
    if (const LinkedField* link = linked(field)) {
      file_.virtual_rows<Number>("/" + field.name, shape(field), leading, link->sources);
    } else {
      file_.start_rows<Number>("/" + field.name, shape(field), leading);
    }
    describe(field);
  }

  template <typename Number>
  std::vector<Number> column(const std::vector<PointValues>& points,
                             std::vector<std::vector<Number>> PointValues::*values,
                             std::size_t field) const {
    std::vector<Number> rows;
    rows.reserve(points.size() * (points.front().*values)[field].size());
    for (const PointValues& point : points) {
      const std::vector<Number>& row = (point.*values)[field];
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return rows;
  }

  const LinkedField* linked(const SweepField& field) const {
    const auto found = std::find_if(linked_.begin(), linked_.end(), [&](const LinkedField& link) {
      return link.name == field.name;
    });
    return found == linked_.end() ? nullptr : &*found;
  }

  template <typename Number>
  void append(const SweepField& field, const std::vector<Number>& rows) {
    if (linked(field) != nullptr) return;
    const std::string path = "/" + field.name;
    if (!plan_.shape().empty()) {
      file_.append_rows(path, std::span<const Number>(rows));
      return;
    }
    file_.dataset(path, std::span<const Number>(rows), shape(field));
    describe(field);
  }

  const SweepPlan& plan_;
  const SweepFields& fields_;
  const std::vector<circuits::ColumnClass>& classes_;
  const std::vector<LinkedField>& linked_;
  core::Hdf5Output& file_;
  SweepContent content_;
};

void require_free_names(const SweepPlan& plan, const SweepFields& fields) {
  std::set<std::string> taken = {"sample", "class", "code", "lrs_count", "active_rows"};
  for (const SweepField& field : fields.integers) taken.insert(field.name);
  for (const SweepField& field : fields.numbers) taken.insert(field.name);
  for (const SweepAxis& axis : plan.axes()) {
    if (!taken.contains(axis.name)) continue;
    throw core::UsageError(core::error_line(fmt::format("sweep.axis.{}", axis.name),
                                            "has the name of a dataset of the result", {},
                                            "choose another name"));
  }
}

}  // namespace

void write_sweep_file(const SweepPlan& plan, const SweepOrigin& origin, const SweepFields& fields,
                      const std::vector<circuits::ColumnClass>& classes,
                      const std::filesystem::path& target, const NextPoints& next,
                      const std::vector<LinkedField>& linked) {
  require_free_names(plan, fields);
  core::Hdf5Output file(target);
  write_result_header(file, plan.base(), plan.config_toml(), sweep_filetype, 0);
  file.attribute("/", "sweep_sha256", origin.identity);
  file.attribute("/", "method", origin.method);
  std::vector<std::string> sampled;
  for (const SweepAxis& axis : plan.axes()) {
    if (axis.kind == SweepAxis::Kind::sampled) sampled.push_back(axis.name);
  }
  file.attribute("/", "dimensions", joined(plan.dimensions()));
  file.attribute("/", "sampled_axes", joined(sampled));
  SweepWriter writer(plan, fields, classes, linked, file);
  writer.write_axes();
  writer.write_classes();
  writer.start_fields();
  writer.write_points(next);
  file.attribute("/", "content_sha256", writer.content_sha256());
  file.commit();
}

}  // namespace cimstat::experiments
