#include "core/hdf5_file.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <sys/mman.h>
#include <system_error>
#include <type_traits>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include "core/atomic_file.h"
#include "core/error.h"

namespace cimstat::core {
namespace {

// ---- what both directions need ----------------------------------------------------------------

template <herr_t (*close_id)(hid_t)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Handle() { close(); }
  herr_t close() { return id_ >= 0 ? close_id(std::exchange(id_, -1)) : 0; }
  hid_t id() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
};

using File = Handle<H5Fclose>;
using Object = Handle<H5Oclose>;
using Group = Handle<H5Gclose>;
using Dataset = Handle<H5Dclose>;
using Attribute = Handle<H5Aclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;
using Properties = Handle<H5Pclose>;

/// For this thread, and for good: the library leaks memory when it meets a damaged object, and
/// unless it is silent it complains of that when the program ends.
void silence_errors() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

herr_t keep_first(unsigned position, const H5E_error2_t* error, void* data) {
  if (position == 0 && error->desc != nullptr) *static_cast<std::string*>(data) = error->desc;
  return 0;
}

/// The innermost entry of the library's error stack: the cause.
std::string cause() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string line(const std::filesystem::path& file, std::string_view path, std::string_view problem,
                 std::string_view why, std::string_view suggestion) {
  return fmt::format("{}: {}{}{}{}{}{}", file.string(), path, path.empty() ? "" : ": ", problem,
                     why.empty() ? "" : fmt::format(" ({})", why), suggestion.empty() ? "" : " ",
                     suggestion);
}

/// "/a/b/" -> {"a", "b"}.
std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

std::string quoted_attribute(std::string_view name) { return fmt::format("attribute '{}'", name); }

}  // namespace

// ---- writing -----------------------------------------------------------------------------------

namespace {

// The library builds the file in memory and hands the memory over when it closes the file. It does
// not write to the disk: it can neither close nor forget a file that it cannot write (a full disk),
// and crashes at the end.
using Memory = std::unique_ptr<void, decltype(&std::free)>;

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

}  // namespace

struct detail::Hdf5Writer {
  AtomicFile file;
  Memory memory{nullptr, &std::free};
  File image;  // declared last: it hands over to `memory` when it is closed

  explicit Hdf5Writer(std::filesystem::path target);
  ~Hdf5Writer();

  [[noreturn]] void fail(std::string_view path, std::string_view problem) const {
    throw Error(ExitCode::failure, line(file.target(), path, problem, cause(), {}));
  }
  void require_open() const {
    if (!image) throw std::logic_error("Hdf5Output: used after commit");
  }
  void make_group(const std::vector<std::string>& parts) const;
  void write(std::string_view path, const void* values, std::size_t count, hid_t memory_type,
             hid_t file_type, const Shape64& shape) const;
  void write_attribute(std::string_view path, std::string_view name, const void* values,
                       hid_t memory_type, hid_t file_type, const Space& space) const;
};

namespace {

constexpr std::uint64_t chunked_from_bytes = 2048;
constexpr std::uint64_t chunk_bytes = 128 * 1024;
constexpr std::uint64_t longest_row_bytes = 256 * 1024;
constexpr std::size_t memory_step_bytes = 1024 * 1024;
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

Space space_of(const Shape64& shape) {
  if (shape.empty()) return Space(H5Screate(H5S_SCALAR));
  const std::vector<hsize_t> extent(shape.begin(), shape.end());
  return Space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
}

Properties utf8_names(hid_t kind) {
  Properties properties(H5Pcreate(kind));
  H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8);
  return properties;
}

}  // namespace

detail::Hdf5Writer::Hdf5Writer(std::filesystem::path target) : file(std::move(target)) {
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
  if (!image) fail({}, "cannot be made");
}

detail::Hdf5Writer::~Hdf5Writer() {
  silence_errors();
  image.close();
}

void detail::Hdf5Writer::make_group(const std::vector<std::string>& parts) const {
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
    if (!group) fail(path, "group cannot be created");
  }
}

void detail::Hdf5Writer::write(std::string_view path, const void* values, std::size_t count,
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
  if (!dataset) fail(path, "dataset cannot be created");
  if (count > 0 && H5Dwrite(dataset.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
    fail(path, "dataset cannot be written");
  }
}

void detail::Hdf5Writer::write_attribute(std::string_view path, std::string_view name,
                                         const void* values, hid_t memory_type, hid_t file_type,
                                         const Space& space) const {
  require_open();
  const Object object(H5Oopen(image.id(), std::string(path).c_str(), H5P_DEFAULT));
  const Properties names = utf8_names(H5P_ATTRIBUTE_CREATE);
  const Attribute attribute(H5Acreate2(object.id(), std::string(name).c_str(), file_type,
                                       space.id(), names.id(), H5P_DEFAULT));
  if (!object || !attribute || H5Awrite(attribute.id(), memory_type, values) < 0) {
    fail(path, quoted_attribute(name) + " cannot be written");
  }
}

Hdf5Output::Hdf5Output(std::filesystem::path target)
    : writer_(std::make_unique<detail::Hdf5Writer>(std::move(target))) {}
Hdf5Output::Hdf5Output(Hdf5Output&&) noexcept = default;
Hdf5Output& Hdf5Output::operator=(Hdf5Output&&) noexcept = default;
Hdf5Output::~Hdf5Output() = default;

void Hdf5Output::group(std::string_view path) {
  writer_->require_open();
  silence_errors();
  writer_->make_group(components(path));
}

void Hdf5Output::dataset(std::string_view path, std::span<const double> values,
                         const Shape64& shape) {
  writer_->write(path, values.data(), values.size(), H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, shape);
}
void Hdf5Output::dataset(std::string_view path, std::span<const float> values,
                         const Shape64& shape) {
  writer_->write(path, values.data(), values.size(), H5T_NATIVE_FLOAT, H5T_IEEE_F32LE, shape);
}
void Hdf5Output::dataset(std::string_view path, std::span<const std::uint64_t> values,
                         const Shape64& shape) {
  writer_->write(path, values.data(), values.size(), H5T_NATIVE_UINT64, H5T_STD_U64LE, shape);
}
void Hdf5Output::dataset(std::string_view path, std::span<const std::uint32_t> values,
                         const Shape64& shape) {
  writer_->write(path, values.data(), values.size(), H5T_NATIVE_UINT32, H5T_STD_U32LE, shape);
}
void Hdf5Output::dataset(std::string_view path, std::span<const std::int32_t> values,
                         const Shape64& shape) {
  writer_->write(path, values.data(), values.size(), H5T_NATIVE_INT32, H5T_STD_I32LE, shape);
}
void Hdf5Output::dataset(std::string_view path, std::span<const std::int8_t> values,
                         const Shape64& shape) {
  writer_->write(path, values.data(), values.size(), H5T_NATIVE_INT8, H5T_STD_I8LE, shape);
}
void Hdf5Output::dataset(std::string_view path, std::span<const std::uint8_t> values,
                         const Shape64& shape) {
  writer_->write(path, values.data(), values.size(), H5T_NATIVE_UINT8, H5T_STD_U8LE, shape);
}

void Hdf5Output::attribute(std::string_view path, std::string_view name, std::string_view value) {
  silence_errors();
  if (value.find('\0') != std::string_view::npos) {
    writer_->fail(path, quoted_attribute(name) + " holds a NUL character");
  }
  const std::string text(value);
  const Type type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.id(), text.size() + 1);
  H5Tset_strpad(type.id(), H5T_STR_NULLTERM);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  writer_->write_attribute(path, name, text.c_str(), type.id(), type.id(), space_of({}));
}
void Hdf5Output::attribute(std::string_view path, std::string_view name, double value) {
  silence_errors();
  writer_->write_attribute(path, name, &value, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, space_of({}));
}
void Hdf5Output::attribute(std::string_view path, std::string_view name, std::int64_t value) {
  silence_errors();
  writer_->write_attribute(path, name, &value, H5T_NATIVE_INT64, H5T_STD_I64LE, space_of({}));
}
void Hdf5Output::attribute(std::string_view path, std::string_view name,
                           std::span<const std::int64_t> values) {
  silence_errors();
  writer_->write_attribute(path, name, values.data(), H5T_NATIVE_INT64, H5T_STD_I64LE,
                           space_of({values.size()}));
}
void Hdf5Output::attribute(std::string_view path, std::string_view name,
                           std::span<const double> values) {
  silence_errors();
  writer_->write_attribute(path, name, values.data(), H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE,
                           space_of({values.size()}));
}

void Hdf5Output::make_scale(std::string_view path, std::string_view name) {
  writer_->require_open();
  silence_errors();
  const Dataset dataset(H5Dopen2(writer_->image.id(), std::string(path).c_str(), H5P_DEFAULT));
  if (!dataset || H5DSset_scale(dataset.id(), std::string(name).c_str()) < 0) {
    writer_->fail(path, "cannot be made a dimension scale");
  }
}

void Hdf5Output::attach_scale(std::string_view dataset, std::string_view scale, unsigned axis) {
  writer_->require_open();
  silence_errors();
  const hid_t file = writer_->image.id();
  const Dataset data(H5Dopen2(file, std::string(dataset).c_str(), H5P_DEFAULT));
  const Dataset values(H5Dopen2(file, std::string(scale).c_str(), H5P_DEFAULT));
  if (!data || !values || H5DSattach_scale(data.id(), values.id(), axis) < 0) {
    writer_->fail(dataset, fmt::format("{} cannot be attached to axis {}", scale, axis));
  }
}

void Hdf5Output::commit() {
  writer_->require_open();
  silence_errors();
  if (H5Fflush(writer_->image.id(), H5F_SCOPE_GLOBAL) < 0 || writer_->image.close() < 0 ||
      !writer_->memory) {
    writer_->fail({}, "cannot be made");
  }
  const Memory& memory = writer_->memory;
  writer_->file.write({static_cast<const std::byte*>(memory.get()), file_size(memory)});
  writer_->file.commit();
}

// ---- reading -----------------------------------------------------------------------------------

struct detail::Hdf5Reader {
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

std::optional<std::uint64_t> product(const Shape64& shape) {
  std::uint64_t result = 1;
  for (const std::uint64_t extent : shape) {
    if (__builtin_mul_overflow(result, extent, &result)) return std::nullopt;
  }
  return result;
}

constexpr std::uint64_t largest_chunk_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t most_chunks_to_compare = 8192;
constexpr std::uint64_t checksum_bytes = 4;

struct Chunks {
  std::vector<hsize_t> shape;
  std::uint64_t bytes = 0;  // of one, unpacked
  std::uint64_t count = 1;
  unsigned optional_filters = 0;
};

std::string with_cause(std::string_view problem) {
  return fmt::format("{} ({})", problem, cause());
}

/// gzip is left out where it would not make a chunk smaller; no other filter may be.
unsigned optional_filters(const Properties& properties) {
  unsigned result = 0;
  const int filters = H5Pget_nfilters(properties.id());
  for (int filter = 0; filter < filters; ++filter) {
    unsigned flags = 0;
    std::size_t parameters = 0;
    const H5Z_filter_t kind = H5Pget_filter2(properties.id(), static_cast<unsigned>(filter), &flags,
                                             &parameters, nullptr, 0, nullptr, nullptr);
    if (kind == H5Z_FILTER_DEFLATE) result |= 1U << filter;
  }
  return result;
}

/// Moves to the next chunk in row-major order; false behind the last one.
bool advance(std::vector<hsize_t>& offset, const Chunks& chunks, const Shape64& shape) {
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    offset[axis] += chunks.shape[axis];
    if (offset[axis] < shape[axis]) return true;
    offset[axis] = 0;
  }
  return false;
}

/// By the look-up that reading uses.
std::string missing_chunk(hid_t dataset, const Chunks& chunks, const Shape64& shape) {
  std::vector<hsize_t> offset(shape.size(), 0);
  do {
    hsize_t stored = 0;
    if (H5Dget_chunk_storage_size(dataset, offset.data(), &stored) < 0) {
      return with_cause("index of chunks is damaged");
    }
    if (stored == 0) return "lacks a part of its values";
  } while (advance(offset, chunks, shape));
  return {};
}

std::string misplaced_chunk(hid_t dataset, const Chunks& chunks, const Shape64& shape) {
  const std::string damaged = "index of chunks is damaged";
  std::vector<std::pair<haddr_t, hsize_t>> places;
  std::vector<hsize_t> offset(shape.size(), 0);
  do {
    unsigned left_out = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t stored = 0;
    hsize_t found = 0;
    if (H5Dget_chunk_info_by_coord(dataset, offset.data(), &left_out, &address, &stored) < 0 ||
        H5Dget_chunk_storage_size(dataset, offset.data(), &found) < 0) {
      return with_cause(damaged);
    }
    const bool whole = stored >= chunks.bytes && stored <= chunks.bytes + checksum_bytes;
    if (address == HADDR_UNDEF || found != stored || (left_out & ~chunks.optional_filters) != 0 ||
        (left_out != 0 && !whole)) {
      return damaged;
    }
    places.emplace_back(address, stored);
  } while (advance(offset, chunks, shape));
  std::sort(places.begin(), places.end());
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (places[i].first - places[i - 1].first < places[i - 1].second) return damaged;
  }
  return {};
}

std::string chunk_problem(hid_t dataset, const Properties& properties, const Shape64& shape) {
  Chunks chunks;
  chunks.shape.resize(shape.size());
  const int rank = static_cast<int>(shape.size());
  if (H5Pget_chunk(properties.id(), rank, chunks.shape.data()) != rank) {
    return with_cause("layout cannot be read");
  }
  const Type type(H5Dget_type(dataset));
  Shape64 sizes(chunks.shape.begin(), chunks.shape.end());
  sizes.push_back(H5Tget_size(type.id()));
  const std::optional<std::uint64_t> bytes = product(sizes);
  if (!bytes || *bytes == 0 || *bytes > largest_chunk_bytes) {
    return "has chunks that are too large (64 MiB at most)";
  }
  chunks.bytes = *bytes;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    chunks.count *= (shape[axis] - 1) / chunks.shape[axis] + 1;
  }
  chunks.optional_filters = optional_filters(properties);
  const std::string missing = missing_chunk(dataset, chunks, shape);
  if (!missing.empty() || chunks.count > most_chunks_to_compare) return missing;
  return misplaced_chunk(dataset, chunks, shape);
}

/// What is wrong with where and how a dataset's values are stored; empty when nothing is. In files
/// of format 1.8 (not ours) the index of chunks carries no checksum, and the library reads a chunk
/// that it cannot find as zeros. So: each chunk found, filtered as declared, none on top of another
/// (the last two up to 8192 chunks only: the library walks the whole index to tell).
std::string storage_problem(hid_t dataset, const Shape64& shape) {
  const Properties properties(H5Dget_create_plist(dataset));
  const H5D_layout_t layout = properties ? H5Pget_layout(properties.id()) : H5D_LAYOUT_ERROR;
  if (layout == H5D_LAYOUT_ERROR) return with_cause("layout cannot be read");
  if (layout == H5D_VIRTUAL || H5Pget_external_count(properties.id()) != 0) {
    return "keeps its values in another file";
  }
  if (layout != H5D_CHUNKED || product(shape) == 0) return {};
  return chunk_problem(dataset, properties, shape);
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

detail::Hdf5Reader::Hdf5Reader(std::filesystem::path path) : name(std::move(path)) {
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
bool detail::Hdf5Reader::reachable(std::string_view path) const {
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

Object detail::Hdf5Reader::open_any(std::string_view path) const {
  if (!reachable(path)) fail(path, "is missing", "is this the right file?");
  Object object(H5Oopen(file.id(), std::string(path).c_str(), H5P_DEFAULT));
  if (!object) fail_with_cause(path, "object is damaged");
  return object;
}

Object detail::Hdf5Reader::open(std::string_view path, H5I_type_t kind,
                                std::string_view kind_name) const {
  Object object = open_any(path);
  if (H5Iget_type(object.id()) != kind) fail(path, fmt::format("is not a {}", kind_name));
  return object;
}

Attribute detail::Hdf5Reader::open_attribute(std::string_view path,
                                             std::string_view attribute) const {
  const Object object = open_any(path);
  const std::string attribute_name(attribute);
  const htri_t exists = H5Aexists(object.id(), attribute_name.c_str());
  if (exists == 0) fail(path, quoted_attribute(attribute) + " is missing");
  Attribute result(exists < 0 ? -1 : H5Aopen(object.id(), attribute_name.c_str(), H5P_DEFAULT));
  if (!result) fail_with_cause(path, quoted_attribute(attribute) + " is damaged");
  return result;
}

Shape64 detail::Hdf5Reader::shape_of(std::string_view path, const Space& space) const {
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
std::vector<Number> detail::Hdf5Reader::read(std::string_view path, std::uint64_t limit) const {
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
std::vector<Number> detail::Hdf5Reader::read_attribute(std::string_view path,
                                                       std::string_view attribute,
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
