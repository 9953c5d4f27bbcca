#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/file/hdf5_file.h"
#include "core/file/hdf5_reader.h"

namespace cimstat::core {

using namespace detail;

namespace {

constexpr std::uint64_t most_attribute_elements = 4096;
constexpr std::string_view restore = "restore the file or make it again";

/// What netCDF, the dimension scales and h5py add of their own accord, and the CF conventions leave
/// to notes of people.
bool is_note(std::string_view attribute) {
  static constexpr std::array<std::string_view, 10> notes = {
      "CLASS",       "NAME",    "DIMENSION_LIST", "REFERENCE_LIST", "DIMENSION_LABELS",
      "institution", "history", "references",     "comment",        "_NCProperties"};
  return std::find(notes.begin(), notes.end(), attribute) != notes.end() ||
         attribute.starts_with("_Netcdf4");
}

}  // namespace

std::string shape_text(const Shape64& shape) {
  return shape.empty() ? "one value" : excerpt(fmt::format("{}", fmt::join(shape, " x ")));
}

Hdf5Input::Hdf5Input(std::filesystem::path file)
    : reader_(std::make_unique<detail::Hdf5Reader>(std::move(file))) {}
Hdf5Input::Hdf5Input(Hdf5Input&&) noexcept = default;
Hdf5Input& Hdf5Input::operator=(Hdf5Input&&) noexcept = default;
Hdf5Input::~Hdf5Input() = default;

bool Hdf5Input::has(std::string_view path) const {
  silence_errors();
  return reader_->reachable(path);
}

bool Hdf5Input::has_attribute(std::string_view path, std::string_view name) const {
  silence_errors();
  return reader_->has_attribute(path, name);
}

std::vector<std::string> Hdf5Input::children(std::string_view group) const {
  silence_errors();
  return reader_->children(group);
}

Shape64 Hdf5Input::shape(std::string_view dataset) const {
  silence_errors();
  const Object object = reader_->open_dataset(dataset);
  return reader_->shape_of(dataset, Space(H5Dget_space(object.id())));
}

std::string Hdf5Input::element_type(std::string_view dataset) const {
  silence_errors();
  const Object object = reader_->open_any(dataset);
  const H5I_type_t kind = H5Iget_type(object.id());
  if (kind == H5I_GROUP) return {};
  if (kind != H5I_DATASET) fail(dataset, "is not a dataset", "it is a named datatype", restore);
  const Type type(H5Dget_type(object.id()));
  const std::size_t bits = 8 * H5Tget_size(type.id());
  if (H5Tget_class(type.id()) == H5T_FLOAT) return fmt::format("float{}", bits);
  if (H5Tget_class(type.id()) != H5T_INTEGER) return "other";
  return fmt::format("{}{}", H5Tget_sign(type.id()) == H5T_SGN_2 ? "int" : "uint", bits);
}

std::vector<double> Hdf5Input::doubles(std::string_view dataset, std::uint64_t limit) const {
  return reader_->read<double>(dataset, limit);
}
std::vector<std::uint64_t> Hdf5Input::unsigneds(std::string_view dataset,
                                                std::uint64_t limit) const {
  return reader_->read<std::uint64_t>(dataset, limit);
}
std::vector<std::int64_t> Hdf5Input::integers(std::string_view dataset, std::uint64_t limit) const {
  return reader_->read<std::int64_t>(dataset, limit);
}

std::vector<double> Hdf5Input::doubles(std::string_view dataset, RowRange rows,
                                       std::uint64_t limit) const {
  return reader_->read_rows<double>(dataset, rows, limit);
}
std::vector<std::uint64_t> Hdf5Input::unsigneds(std::string_view dataset, RowRange rows,
                                                std::uint64_t limit) const {
  return reader_->read_rows<std::uint64_t>(dataset, rows, limit);
}

std::vector<VirtualSource> Hdf5Input::sources(std::string_view dataset) const {
  silence_errors();
  return reader_->sources(dataset);
}
void Hdf5Input::allow_virtual(std::string_view dataset) {
  reader_->allowed_virtual.emplace(dataset);
}

std::string Hdf5Input::text_attribute(std::string_view path, std::string_view name) const {
  return reader_->read_text(path, name);
}
double Hdf5Input::number_attribute(std::string_view path, std::string_view name) const {
  const auto values = reader_->read_attribute<double>(path, name, 1);
  if (values.empty()) fail(path, quoted_attribute(name) + " is empty", {}, restore);
  return values.front();
}
std::int64_t Hdf5Input::integer_attribute(std::string_view path, std::string_view name) const {
  const auto values = reader_->read_attribute<std::int64_t>(path, name, 1);
  if (values.empty()) fail(path, quoted_attribute(name) + " is empty", {}, restore);
  return values.front();
}
std::vector<std::int64_t> Hdf5Input::integers_attribute(std::string_view path,
                                                        std::string_view name) const {
  return reader_->read_attribute<std::int64_t>(path, name, most_attribute_elements);
}
std::vector<double> Hdf5Input::numbers_attribute(std::string_view path,
                                                 std::string_view name) const {
  return reader_->read_attribute<double>(path, name, most_attribute_elements);
}

void Hdf5Input::fail(std::string_view path, std::string_view problem, std::string_view why,
                     std::string_view remedy) const {
  reader_->fail(path, problem, why, remedy);
}

void Hdf5Input::require_type(std::string_view filetype, std::int64_t schema_major) const {
  const std::string remedy = fmt::format("give a {} file here", filetype);
  if (!has_attribute("/", "filetype")) {
    fail("/", "attribute 'filetype' is missing", "not a file of cimstat", remedy);
  }
  const std::string found = text_attribute("/", "filetype");
  if (found != filetype) fail("/", fmt::format("is a file of type '{}'", found), {}, remedy);
  const std::vector<std::int64_t> schema = integers_attribute("/", "schema_version");
  if (schema.size() != 2 || schema[0] < 0 || schema[1] < 0) {
    fail("/", "attribute 'schema_version' is not [major, minor]", {}, restore);
  }
  if (schema[0] != schema_major) {
    fail("/", fmt::format("has schema version {}.{}", schema[0], schema[1]),
         fmt::format("this program reads version {}.x", schema_major),
         schema[0] > schema_major ? "use a newer cimstat, or make the file again with this one"
                                  : "make the file again with this cimstat");
  }
}

void Hdf5Input::require_known(std::string_view path, std::span<const std::string> members,
                              std::span<const std::string> attributes) const {
  silence_errors();
  const auto refuse_others = [&](const std::vector<std::string>& found,
                                 std::span<const std::string> known, std::string_view what) {
    for (const std::string& name : found) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      if (what == "attribute" && is_note(name)) continue;
      const std::optional<std::string> meant = nearest(name, known);
      fail(path, fmt::format("holds the unknown {} '{}'", what, name),
           "this version of the format has none of that name",
           meant ? fmt::format("did you mean {}?", *meant) : std::string("remove it"));
    }
  };
  refuse_others(reader_->attributes(path), attributes, "attribute");
  if (H5Iget_type(reader_->open_any(path).id()) == H5I_GROUP) {
    refuse_others(reader_->children(path), members, "member");
  }
}

}  // namespace cimstat::core
