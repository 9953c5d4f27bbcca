#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/hdf5_file.h"
#include "core/hdf5_library.h"
#include "core/hdf5_storage.h"

namespace cimstat::core {

namespace detail {

struct Hdf5Reader {
  std::filesystem::path name;
  File file;

  explicit Hdf5Reader(std::filesystem::path path);

  [[noreturn]] void fail(std::string_view path, std::string_view problem,
                         std::string_view suggestion = {}) const {
    throw DataError(line(name, path, problem, {}, suggestion));
  }
  [[noreturn]] void fail_with_cause(std::string_view path, std::string_view problem) const {
    throw DataError(line(name, path, problem, cause(), "restore the file or make it again"));
  }
  bool reachable(std::string_view path) const;
  Object open(std::string_view path, H5I_type_t kind, std::string_view kind_name) const;
  Object open_any(std::string_view path) const;
  Attribute open_attribute(std::string_view path, std::string_view attribute) const;
  Shape64 shape_of(std::string_view path, const Space& space) const;

  template <typename Number>
  std::vector<Number> read(std::string_view path, std::uint64_t limit) const;
  template <typename Number>
  std::vector<Number> read_attribute(std::string_view path, std::string_view attribute,
                                     std::uint64_t limit) const;
};

namespace {

constexpr std::uint64_t largest_text_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t largest_attribute_count = std::uint64_t{1} << 20;
constexpr hsize_t largest_children_count = hsize_t{1} << 20;

template <typename Number>
hid_t memory_type() {
  if constexpr (std::is_same_v<Number, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<Number, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<Number, std::int64_t>) return H5T_NATIVE_INT64;
}

/// Of one kind, integer or floating-point.
template <typename Number>
bool is_of_kind(hid_t type) {
  return H5Tget_class(type) == (std::is_floating_point_v<Number> ? H5T_FLOAT : H5T_INTEGER);
}

/// The library clips what does not fit; so integers whose sign differs are read as they are stored
/// and moved over one by one. False when one does not fit.
template <typename Number, typename ReadInto>
bool read_values(hid_t type, std::vector<Number>& values, const ReadInto& read_into) {
  if constexpr (std::is_integral_v<Number>) {
    using Other = std::conditional_t<std::is_signed_v<Number>, std::uint64_t, std::int64_t>;
    const bool stored_signed = H5Tget_sign(type) == H5T_SGN_2;
    if (stored_signed != std::is_signed_v<Number>) {
      std::vector<Other> stored(values.size());
      read_into(memory_type<Other>(), stored.data());
      const bool fits = std::all_of(stored.begin(), stored.end(),
                                    [](Other value) { return std::in_range<Number>(value); });
      std::transform(stored.begin(), stored.end(), values.begin(),
                     [](Other value) { return static_cast<Number>(value); });
      return fits;
    }
  }
  read_into(memory_type<Number>(), values.data());
  return true;
}

}  // namespace

Hdf5Reader::Hdf5Reader(std::filesystem::path path) : name(std::move(path)) {
  std::error_code problem;
  const auto status = std::filesystem::status(name, problem);
  if (!std::filesystem::exists(status)) fail({}, "no such file", "check the path");
  if (!std::filesystem::is_regular_file(status)) fail({}, "is not a file", "check the path");
  silence_errors();
  const Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
  // Result files never change once they have their name, and some network file systems cannot lock.
  H5Pset_file_locking(access.id(), false, true);
  file = File(H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.id()));
  if (file) return;
  const std::string why = cause();
  if (H5Fis_hdf5(name.c_str()) == 0) {
    fail({}, "is not an HDF5 file, or its beginning is lost", "check the path");
  }
  throw DataError(line(name, {}, "cannot be opened", why,
                       "the file may be incomplete: copy it again or make it again"));
}

/// Whether every component is there, through hard links only: others could lead to another file.
bool Hdf5Reader::reachable(std::string_view path) const {
  std::string so_far;
  for (const std::string& part : components(path)) {
    if (!so_far.empty()) {
      H5O_info_t info{};
      if (H5Oget_info_by_name2(file.id(), so_far.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0) {
        fail_with_cause(so_far, "object is damaged");
      }
      if (info.type != H5O_TYPE_GROUP) return false;
    }
    so_far += '/';
    so_far += part;
    const htri_t exists = H5Lexists(file.id(), so_far.c_str(), H5P_DEFAULT);
    if (exists < 0) fail_with_cause(so_far, "group is damaged");
    if (exists == 0) return false;
    H5L_info_t link{};
    if (H5Lget_info(file.id(), so_far.c_str(), &link, H5P_DEFAULT) < 0) {
      fail_with_cause(so_far, "link is damaged");
    }
    if (link.type != H5L_TYPE_HARD) fail(so_far, "is a soft or external link", "copy the object");
  }
  return true;
}

Object Hdf5Reader::open_any(std::string_view path) const {
  if (!reachable(path)) fail(path, "is missing", "is this the right file?");
  Object object(H5Oopen(file.id(), std::string(path).c_str(), H5P_DEFAULT));
  if (!object) fail_with_cause(path, "object is damaged");
  return object;
}

Object Hdf5Reader::open(std::string_view path, H5I_type_t kind, std::string_view kind_name) const {
  Object object = open_any(path);
  if (H5Iget_type(object.id()) != kind) fail(path, fmt::format("is not a {}", kind_name));
  return object;
}

Attribute Hdf5Reader::open_attribute(std::string_view path, std::string_view attribute) const {
  const Object object = open_any(path);
  const std::string attribute_name(attribute);
  const htri_t exists = H5Aexists(object.id(), attribute_name.c_str());
  if (exists == 0) fail(path, quoted_attribute(attribute) + " is missing");
  Attribute result(exists < 0 ? -1 : H5Aopen(object.id(), attribute_name.c_str(), H5P_DEFAULT));
  if (!result) fail_with_cause(path, quoted_attribute(attribute) + " is damaged");
  return result;
}

Shape64 Hdf5Reader::shape_of(std::string_view path, const Space& space) const {
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank < 0) fail_with_cause(path, "shape cannot be read");
  if (H5Sget_simple_extent_type(space.id()) == H5S_NULL) return {0};
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  if (H5Sget_simple_extent_dims(space.id(), extent.data(), nullptr) < 0) {
    fail_with_cause(path, "shape cannot be read");
  }
  return {extent.begin(), extent.end()};
}

template <typename Number>
std::vector<Number> Hdf5Reader::read(std::string_view path, std::uint64_t limit) const {
  silence_errors();
  const Object dataset = open(path, H5I_DATASET, "dataset");
  const Type type(H5Dget_type(dataset.id()));
  if (!is_of_kind<Number>(type.id())) {
    fail(path, std::is_integral_v<Number> ? "does not hold integers"
                                          : "does not hold floating-point numbers");
  }
  const Space space(H5Dget_space(dataset.id()));
  const Shape64 shape = shape_of(path, space);
  const std::optional<std::uint64_t> count = product(shape);
  if (!count || *count > limit) {
    fail(path, fmt::format("has more than the {} elements that it may have", limit));
  }
  const std::string problem = storage_problem(dataset.id(), shape);
  if (!problem.empty()) fail(path, problem, "restore the file or make it again");
  std::vector<Number> values(*count);
  if (*count == 0) return values;
  const bool fits = read_values(type.id(), values, [&](hid_t memory, void* place) {
    if (H5Dread(dataset.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, place) < 0) {
      fail_with_cause(path, "values cannot be read");
    }
  });
  if (!fits) fail(path, "holds an integer that is out of range");
  return values;
}

template <typename Number>
std::vector<Number> Hdf5Reader::read_attribute(std::string_view path, std::string_view attribute,
                                               std::uint64_t limit) const {
  silence_errors();
  const Attribute opened = open_attribute(path, attribute);
  const Type type(H5Aget_type(opened.id()));
  const std::string label = quoted_attribute(attribute);
  if (!is_of_kind<Number>(type.id())) {
    fail(path, label + (std::is_integral_v<Number> ? " is not an integer"
                                                   : " is not a floating-point number"));
  }
  const Space space(H5Aget_space(opened.id()));
  const std::optional<std::uint64_t> count = product(shape_of(path, space));
  if (!count || *count > limit) fail(path, label + " has too many elements");
  std::vector<Number> values(*count);
  if (*count == 0) return values;
  const bool fits = read_values(type.id(), values, [&](hid_t memory, void* place) {
    if (H5Aread(opened.id(), memory, place) < 0) fail_with_cause(path, label + " cannot be read");
  });
  if (!fits) fail(path, label + " is out of range");
  return values;
}

}  // namespace detail

using namespace detail;

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
  if (!reader_->reachable(path)) return false;
  const Object object = reader_->open_any(path);
  const htri_t exists = H5Aexists(object.id(), std::string(name).c_str());
  if (exists < 0) reader_->fail_with_cause(path, quoted_attribute(name) + " is damaged");
  return exists > 0;
}

std::vector<std::string> Hdf5Input::children(std::string_view group) const {
  silence_errors();
  const Object object = reader_->open(group, H5I_GROUP, "group");
  H5G_info_t info{};
  const Properties properties(H5Gget_create_plist(object.id()));
  unsigned order = 0;
  if (H5Gget_info(object.id(), &info) < 0 || !properties ||
      H5Pget_link_creation_order(properties.id(), &order) < 0) {
    reader_->fail_with_cause(group, "group is damaged");
  }
  if (info.nlinks > largest_children_count) reader_->fail(group, "has too many members");
  const H5_index_t index =
      (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  std::vector<std::string> names;
  for (hsize_t position = 0; position < info.nlinks; ++position) {
    const auto length_of = [&](char* buffer, std::size_t size) {
      const ssize_t length = H5Lget_name_by_idx(object.id(), ".", index, H5_ITER_INC, position,
                                                buffer, size, H5P_DEFAULT);
      if (length < 0) reader_->fail_with_cause(group, "group is damaged");
      return static_cast<std::size_t>(length);
    };
    std::string name(length_of(nullptr, 0), '\0');
    length_of(name.data(), name.size() + 1);
    names.push_back(std::move(name));
  }
  return names;
}

Shape64 Hdf5Input::shape(std::string_view dataset) const {
  silence_errors();
  const Object object = reader_->open(dataset, H5I_DATASET, "dataset");
  return reader_->shape_of(dataset, Space(H5Dget_space(object.id())));
}

std::string Hdf5Input::element_type(std::string_view dataset) const {
  silence_errors();
  const Object object = reader_->open_any(dataset);
  if (H5Iget_type(object.id()) != H5I_DATASET) return {};
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

std::string Hdf5Input::text_attribute(std::string_view path, std::string_view name) const {
  silence_errors();
  const Attribute attribute = reader_->open_attribute(path, name);
  const Type type(H5Aget_type(attribute.id()));
  const Space space(H5Aget_space(attribute.id()));
  const std::string label = quoted_attribute(name);
  if (H5Tget_class(type.id()) != H5T_STRING || product(reader_->shape_of(path, space)) != 1) {
    reader_->fail(path, label + " is not one text");
  }
  const Type memory(H5Tcopy(H5T_C_S1));
  H5Tset_cset(memory.id(), H5Tget_cset(type.id()));
  if (H5Tis_variable_str(type.id()) > 0) {
    H5Tset_size(memory.id(), H5T_VARIABLE);
    char* place = nullptr;
    if (H5Aread(attribute.id(), memory.id(), &place) < 0) {
      reader_->fail_with_cause(path, label + " cannot be read");
    }
    std::string text = place == nullptr ? std::string() : std::string(place);
    H5Dvlen_reclaim(memory.id(), space.id(), H5P_DEFAULT, &place);
    return text;
  }
  const std::size_t size = H5Tget_size(type.id());
  if (size > largest_text_bytes) reader_->fail(path, label + " is too long");
  std::string text(size + 1, '\0');
  H5Tset_size(memory.id(), text.size());
  if (H5Aread(attribute.id(), memory.id(), text.data()) < 0) {
    reader_->fail_with_cause(path, label + " cannot be read");
  }
  text.resize(std::strlen(text.c_str()));
  return text;
}

double Hdf5Input::number_attribute(std::string_view path, std::string_view name) const {
  const auto values = reader_->read_attribute<double>(path, name, 1);
  if (values.empty()) reader_->fail(path, quoted_attribute(name) + " is empty");
  return values.front();
}
std::int64_t Hdf5Input::integer_attribute(std::string_view path, std::string_view name) const {
  const auto values = reader_->read_attribute<std::int64_t>(path, name, 1);
  if (values.empty()) reader_->fail(path, quoted_attribute(name) + " is empty");
  return values.front();
}
std::vector<std::int64_t> Hdf5Input::integers_attribute(std::string_view path,
                                                        std::string_view name) const {
  return reader_->read_attribute<std::int64_t>(path, name, largest_attribute_count);
}

void Hdf5Input::fail(std::string_view path, std::string_view problem,
                     std::string_view suggestion) const {
  reader_->fail(path, problem, suggestion);
}

void Hdf5Input::require_type(std::string_view filetype, std::int64_t schema_major) const {
  if (!has_attribute("/", "filetype")) {
    fail("/", "attribute 'filetype' is missing", fmt::format("a {} file is needed here", filetype));
  }
  const std::string found = text_attribute("/", "filetype");
  if (found != filetype) {
    fail("/", fmt::format("is a file of type '{}'", found),
         fmt::format("a {} file is needed here", filetype));
  }
  const std::vector<std::int64_t> schema = integers_attribute("/", "schema_version");
  if (schema.size() != 2) fail("/", "attribute 'schema_version' is not [major, minor]");
  if (schema[0] != schema_major) {
    fail("/", fmt::format("has schema version {}.{}", schema[0], schema[1]),
         fmt::format("this program reads version {}.x", schema_major));
  }
}

}  // namespace cimstat::core
