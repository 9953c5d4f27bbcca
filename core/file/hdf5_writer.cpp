#include "core/file/hdf5_writer.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace cimstat::core::detail {
namespace {

constexpr std::uint64_t chunked_from_bytes = 2048;
constexpr std::uint64_t chunk_bytes = std::uint64_t{128} * 1024;
constexpr std::uint64_t longest_row_bytes = std::uint64_t{256} * 1024;
constexpr unsigned most_attributes_in_header = 65535;

/// Whole rows of the last axis, as many as fit the target size, evenly divided; long rows are cut.
std::vector<hsize_t> chunk_shape(const Shape64& shape, std::uint64_t element_bytes) {
  std::vector<hsize_t> chunk(shape.size(), 1);
  std::uint64_t bytes = element_bytes;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const bool last = axis + 1 == shape.size();
    const std::uint64_t whole = last ? longest_row_bytes : chunk_bytes;
    const std::uint64_t fitting = shape[axis] * bytes <= whole
                                      ? shape[axis]
                                      : std::max<std::uint64_t>(1, chunk_bytes / bytes);
    const std::uint64_t pieces = (shape[axis] + fitting - 1) / fitting;
    chunk[axis] = (shape[axis] + pieces - 1) / pieces;
    bytes *= chunk[axis];
    if (pieces > 1) break;
  }
  return chunk;
}

/// Lists keep our order, no object carries times, and attributes stay in the object's header,
/// whose checksum then covers them (the heap for long ones has none).
void set_object_properties(const Properties& properties) {
  H5Pset_obj_track_times(properties.id(), false);
  H5Pset_attr_creation_order(properties.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_phase_change(properties.id(), most_attributes_in_header, 0);
}

void set_group_properties(const Properties& properties) {
  set_object_properties(properties);
  H5Pset_link_creation_order(properties.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
}

/// Inside the object header, whose checksum then covers the values as well.
bool is_compact(const Shape64& shape, std::uint64_t count, hid_t file_type) {
  return shape.empty() || count * H5Tget_size(file_type) < chunked_from_bytes;
}

/// `chunk` is empty for a compact one.
Properties dataset_properties(const std::vector<hsize_t>& chunk) {
  Properties properties(H5Pcreate(H5P_DATASET_CREATE));
  set_object_properties(properties);
  if (chunk.empty()) {
    H5Pset_layout(properties.id(), H5D_COMPACT);
    return properties;
  }
  H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
  H5Pset_shuffle(properties.id());
  H5Pset_deflate(properties.id(), 1);
  H5Pset_fletcher32(properties.id());
  return properties;
}

Properties utf8_names(hid_t kind) {
  Properties properties(H5Pcreate(kind));
  H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8);
  return properties;
}

/// Rows of a virtual dataset and those that they come from.
struct Selections {
  Space here;
  Space there;
};

/// Without a value where the library can't select them.
Selections selections(const Shape64& shape, std::size_t leading, const VirtualRows& source) {
  Selections result{space_of(shape), space_of(source.shape)};
  std::uint64_t width = 1;
  for (std::size_t axis = leading; axis < shape.size(); ++axis) width *= shape[axis];
  const auto add = [](Space& space, const Block& block, bool& is_first) {
    const H5S_seloper_t how = is_first ? H5S_SELECT_SET : H5S_SELECT_OR;
    if (space && H5Sselect_hyperslab(space.id(), how, block.start.data(), nullptr,
                                     block.count.data(), nullptr) < 0) {
      space = Space();
    }
    is_first = false;
  };
  bool is_first_here = true;
  bool is_first_there = true;
  for (std::size_t i = 0; i < source.rows.size();) {
    std::size_t count = 1;
    while (i + count < source.rows.size() &&
           source.rows[i + count].row == source.rows[i].row + count &&
           source.rows[i + count].source == source.rows[i].source + count) {
      ++count;
    }
    for (const Block& block : blocks_of_rows(shape, leading, source.rows[i].row, count)) {
      add(result.here, block, is_first_here);
    }
    add(result.there, {{source.rows[i].source, source.first_column}, {count, width}, 0},
        is_first_there);
    i += count;
  }
  return result;
}

}  // namespace

Space space_of(const Shape64& shape) {
  if (shape.empty()) return Space(H5Screate(H5S_SCALAR));
  const std::vector<hsize_t> extent(shape.begin(), shape.end());
  return Space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
}

Hdf5Writer::Hdf5Writer(std::filesystem::path target) : file(std::move(target)) {
  silence_errors();
  const Properties creation(H5Pcreate(H5P_FILE_CREATE));
  set_group_properties(creation);
  const Properties access = access_through(medium);
  // The oldest format in which the index of chunks is checksummed as well.
  H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
  library = File(H5Fcreate(file.target().c_str(), H5F_ACC_TRUNC, creation.id(), access.id()));
  if (!library) fail({}, "can't be made");
}

Hdf5Writer::~Hdf5Writer() {
  silence_errors();
  rows_in_making.clear();
  library.close();
}

void Hdf5Writer::make_group(const std::vector<std::string>& parts) const {
  const Properties links = utf8_names(H5P_LINK_CREATE);
  const Properties properties(H5Pcreate(H5P_GROUP_CREATE));
  set_group_properties(properties);
  std::string path;
  for (const std::string& part : parts) {
    path += '/';
    path += part;
    const bool exists = H5Lexists(library.id(), path.c_str(), H5P_DEFAULT) > 0;
    const Group group(
        exists ? H5Gopen2(library.id(), path.c_str(), H5P_DEFAULT)
               : H5Gcreate2(library.id(), path.c_str(), links.id(), properties.id(), H5P_DEFAULT));
    if (!group) fail(path, "group can't be created");
  }
}

Dataset Hdf5Writer::make_dataset(std::string_view path, hid_t file_type, const Shape64& shape,
                                 const Properties& properties, const Properties& access) const {
  std::vector<std::string> parts = components(path);
  if (parts.empty()) throw std::invalid_argument("Hdf5Output: a dataset needs a name");
  parts.pop_back();
  make_group(parts);
  const Space space = space_of(shape);
  const Properties links = utf8_names(H5P_LINK_CREATE);
  Dataset dataset(H5Dcreate2(library.id(), std::string(path).c_str(), file_type, space.id(),
                             links.id(), properties.id(), access.id()));
  if (!dataset) fail(path, "dataset can't be created");
  return dataset;
}

void Hdf5Writer::write(std::string_view path, const void* values, std::size_t count,
                       hid_t memory_type, hid_t file_type, const Shape64& shape) const {
  require_open();
  if (product(shape) != count) {
    throw std::invalid_argument("Hdf5Output: shape does not fit the values");
  }
  silence_errors();
  const std::vector<hsize_t> chunk = is_compact(shape, count, file_type)
                                         ? std::vector<hsize_t>{}
                                         : chunk_shape(shape, H5Tget_size(file_type));
  const Dataset dataset = make_dataset(path, file_type, shape, dataset_properties(chunk),
                                       Properties(H5Pcreate(H5P_DATASET_ACCESS)));
  if (count > 0 && H5Dwrite(dataset.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    fail(path, "dataset can't be written");
  }
  medium.require_written();
}

void Hdf5Writer::start_rows(std::string_view path, hid_t memory_type, hid_t file_type,
                            const Shape64& shape, std::size_t leading) {
  require_open();
  const std::optional<std::uint64_t> count = product(shape);
  if (!count || shape.empty() || leading < 1 || leading > shape.size()) {
    throw std::invalid_argument("Hdf5Output: no such rows");
  }
  silence_errors();
  const std::vector<hsize_t> chunk = is_compact(shape, *count, file_type)
                                         ? std::vector<hsize_t>{}
                                         : chunk_of_rows(shape, leading, H5Tget_size(file_type));
  // Chunks come whole: none needs to be kept.
  const Properties access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access.id(), 1, 0, 1.0);
  Dataset dataset = make_dataset(path, file_type, shape, dataset_properties(chunk), access);
  rows_in_making.emplace(path,
                         RowsInMaking(std::move(dataset), memory_type, shape, leading, chunk));
  medium.require_written();
}

void Hdf5Writer::append_rows(std::string_view path, hid_t memory_type,
                             std::span<const std::byte> rows, std::uint64_t elements) {
  require_open();
  const auto found = rows_in_making.find(path);
  if (found == rows_in_making.end() || !found->second.holds(memory_type)) {
    throw std::logic_error("Hdf5Output: append to a dataset that was not started so");
  }
  RowsInMaking& dataset = found->second;
  if (elements == 0) return;
  if (dataset.row_elements() == 0 || elements % dataset.row_elements() != 0 ||
      elements / dataset.row_elements() > dataset.rows_left()) {
    throw std::invalid_argument("Hdf5Output: not whole rows, or too many");
  }
  silence_errors();
  if (!dataset.append(rows)) fail(path, "rows can't be written");
  medium.require_written();
}

void Hdf5Writer::write_virtual(std::string_view path, hid_t memory_type, hid_t file_type,
                               const void* nothing, const Shape64& shape, std::size_t leading,
                               std::span<const VirtualRows> sources) const {
  require_open();
  silence_errors();
  Properties properties(H5Pcreate(H5P_DATASET_CREATE));
  set_object_properties(properties);
  H5Pset_fill_value(properties.id(), memory_type, nothing);
  for (const VirtualRows& source : sources) {
    const Selections selected = selections(shape, leading, source);
    // It would stand for the number of a file in a series.
    const bool is_pattern = (source.file + source.dataset).find('%') != std::string::npos;
    if (is_pattern || !selected.here || !selected.there ||
        H5Pset_virtual(properties.id(), selected.here.id(), source.file.c_str(),
                       source.dataset.c_str(), selected.there.id()) < 0) {
      fail(path, fmt::format("can't refer to {}", source.file));
    }
  }
  make_dataset(path, file_type, shape, properties, Properties(H5Pcreate(H5P_DATASET_ACCESS)));
  medium.require_written();
}

void Hdf5Writer::write_attribute(std::string_view path, std::string_view name, const void* values,
                                 hid_t memory_type, hid_t file_type, const Space& space) const {
  require_open();
  const Object object(H5Oopen(library.id(), std::string(path).c_str(), H5P_DEFAULT));
  const Properties names = utf8_names(H5P_ATTRIBUTE_CREATE);
  const Attribute attribute(H5Acreate2(object.id(), std::string(name).c_str(), file_type,
                                       space.id(), names.id(), H5P_DEFAULT));
  if (!object || !attribute || H5Awrite(attribute.id(), memory_type, values) < 0) {
    fail(path, quoted_attribute(name) + " can't be written");
  }
  medium.require_written();
}

void Hdf5Writer::commit() {
  require_open();
  silence_errors();
  for (const auto& [path, dataset] : rows_in_making) {
    if (dataset.row_elements() > 0 && dataset.rows_left() > 0) {
      throw std::logic_error("Hdf5Output: rows of " + path + " are missing");
    }
  }
  rows_in_making.clear();
  if (H5Fflush(library.id(), H5F_SCOPE_GLOBAL) < 0 || library.close() < 0) {
    fail({}, "can't be made");
  }
  medium.require_written();
  file.commit();
}

}  // namespace cimstat::core::detail
