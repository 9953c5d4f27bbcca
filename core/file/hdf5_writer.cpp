#include "core/file/hdf5_writer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace cimstat::core::detail {
namespace {

void* take_memory(std::size_t size, H5FD_file_image_op_t, void*) { return std::malloc(size); }
void* resize_memory(void* memory, std::size_t size, H5FD_file_image_op_t, void*) {
  return std::realloc(memory, size);
}
herr_t hand_over(void* memory, H5FD_file_image_op_t, void* receiver) {
  static_cast<Memory*>(receiver)->reset(memory);
  return 0;
}
void* same_receiver(void* receiver) { return receiver; }
herr_t keep_receiver(void*) { return 0; }

/// "End of file address" of a version 3 superblock (HDF5 File Format Specification, section II.A).
std::size_t file_size(const Memory& memory) {
  std::uint64_t size = 0;
  for (unsigned byte = 8; byte-- > 0;) {
    size = size << 8 | static_cast<const unsigned char*>(memory.get())[28 + byte];
  }
  return size;
}

constexpr std::uint64_t chunked_from_bytes = 2048;
constexpr std::uint64_t chunk_bytes = std::uint64_t{128} * 1024;
constexpr std::uint64_t longest_row_bytes = std::uint64_t{256} * 1024;
constexpr std::size_t memory_step_bytes = std::size_t{1024} * 1024;
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

Properties dataset_properties(const Shape64& shape, std::uint64_t count, hid_t file_type) {
  const std::uint64_t element_bytes = H5Tget_size(file_type);
  Properties properties(H5Pcreate(H5P_DATASET_CREATE));
  set_object_properties(properties);
  if (shape.empty() || count * element_bytes < chunked_from_bytes) {
    // Inside the object header, whose checksum then covers the values as well.
    H5Pset_layout(properties.id(), H5D_COMPACT);
    return properties;
  }
  const std::vector<hsize_t> chunk = chunk_shape(shape, element_bytes);
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
  const Properties access(H5Pcreate(H5P_FILE_ACCESS));
  // The oldest format in which the index of chunks is checksummed as well.
  H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
  H5Pset_fapl_core(access.id(), memory_step_bytes, false);
  H5FD_file_image_callbacks_t callbacks{take_memory,   nullptr,       resize_memory, hand_over,
                                        same_receiver, keep_receiver, &memory};
  H5Pset_file_image_callbacks(access.id(), &callbacks);
  image = File(H5Fcreate(file.target().c_str(), H5F_ACC_TRUNC, creation.id(), access.id()));
  if (!image) fail({}, "can't be made");
}

Hdf5Writer::~Hdf5Writer() {
  silence_errors();
  image.close();
}

void Hdf5Writer::make_group(const std::vector<std::string>& parts) const {
  const Properties links = utf8_names(H5P_LINK_CREATE);
  const Properties properties(H5Pcreate(H5P_GROUP_CREATE));
  set_group_properties(properties);
  std::string path;
  for (const std::string& part : parts) {
    path += '/';
    path += part;
    const bool exists = H5Lexists(image.id(), path.c_str(), H5P_DEFAULT) > 0;
    const Group group(
        exists ? H5Gopen2(image.id(), path.c_str(), H5P_DEFAULT)
               : H5Gcreate2(image.id(), path.c_str(), links.id(), properties.id(), H5P_DEFAULT));
    if (!group) fail(path, "group can't be created");
  }
}

void Hdf5Writer::write(std::string_view path, const void* values, std::size_t count,
                       hid_t memory_type, hid_t file_type, const Shape64& shape) const {
  require_open();
  std::uint64_t product = 1;
  for (const std::uint64_t extent : shape) product *= extent;
  if (product != count) throw std::invalid_argument("Hdf5Output: shape does not fit the values");
  silence_errors();
  std::vector<std::string> parts = components(path);
  if (parts.empty()) throw std::invalid_argument("Hdf5Output: a dataset needs a name");
  parts.pop_back();
  make_group(parts);
  const std::string name(path);
  const Space space = space_of(shape);
  const Properties links = utf8_names(H5P_LINK_CREATE);
  const Properties properties = dataset_properties(shape, count, file_type);
  const Dataset dataset(H5Dcreate2(image.id(), name.c_str(), file_type, space.id(), links.id(),
                                   properties.id(), H5P_DEFAULT));
  if (!dataset) fail(path, "dataset can't be created");
  if (count > 0 && H5Dwrite(dataset.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    fail(path, "dataset can't be written");
  }
}

void Hdf5Writer::write_attribute(std::string_view path, std::string_view name, const void* values,
                                 hid_t memory_type, hid_t file_type, const Space& space) const {
  require_open();
  const Object object(H5Oopen(image.id(), std::string(path).c_str(), H5P_DEFAULT));
  const Properties names = utf8_names(H5P_ATTRIBUTE_CREATE);
  const Attribute attribute(H5Acreate2(object.id(), std::string(name).c_str(), file_type,
                                       space.id(), names.id(), H5P_DEFAULT));
  if (!object || !attribute || H5Awrite(attribute.id(), memory_type, values) < 0) {
    fail(path, quoted_attribute(name) + " can't be written");
  }
}

void Hdf5Writer::commit() {
  require_open();
  silence_errors();
  if (H5Fflush(image.id(), H5F_SCOPE_GLOBAL) < 0 || image.close() < 0 || !memory) {
    fail({}, "can't be made");
  }
  file.write({static_cast<const std::byte*>(memory.get()), file_size(memory)});
  file.commit();
}

}  // namespace cimstat::core::detail
