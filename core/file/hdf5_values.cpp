#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "core/file/hdf5_reader.h"
#include "core/file/hdf5_rows.h"
#include "core/file/hdf5_storage.h"
#include "core/utf8.h"

namespace cimstat::core::detail {
namespace {

constexpr std::uint64_t largest_text_bytes = std::uint64_t{16} << 20;
constexpr std::string_view restore = "restore the file or make it again";

template <typename Number>
hid_t memory_type() {
  if constexpr (std::is_same_v<Number, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<Number, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<Number, std::int64_t>) return H5T_NATIVE_INT64;
}

bool is_one_of(hid_t type, const std::vector<hid_t>& known) {
  return std::any_of(known.begin(), known.end(),
                     [&](hid_t candidate) { return H5Tequal(type, candidate) > 0; });
}

/// Of one kind, integer or floating-point, in one of the forms that processors have.
template <typename Number>
bool is_of_kind(hid_t type) {
  if constexpr (std::is_floating_point_v<Number>) {
    return is_one_of(type, {H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_IEEE_F32LE, H5T_IEEE_F32BE});
  }
  return is_one_of(
      type, {H5T_STD_U64LE, H5T_STD_U64BE, H5T_STD_I64LE, H5T_STD_I64BE, H5T_STD_U32LE,
             H5T_STD_U32BE, H5T_STD_I32LE, H5T_STD_I32BE, H5T_STD_U16LE, H5T_STD_U16BE,
             H5T_STD_I16LE, H5T_STD_I16BE, H5T_STD_U8LE, H5T_STD_I8LE, H5T_STD_U8BE, H5T_STD_I8BE});
}

template <typename Number>
constexpr std::string_view kind_remedy =
    std::is_floating_point_v<Number> ? "write it as float64 or float32"
                                     : "write it as an integer of 8, 16, 32 or 64 bits";

/// What a type that is refused is, for people.
std::string class_name(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return fmt::format("integers of {} bits", 8 * H5Tget_size(type));
    case H5T_FLOAT:
      return fmt::format("floating-point numbers of {} bits", 8 * H5Tget_size(type));
    case H5T_STRING:
      return "text";
    case H5T_ENUM:
      return "an enumeration, such as booleans";
    case H5T_COMPOUND:
      return "compound values";
    case H5T_REFERENCE:
      return "references";
    case H5T_VLEN:
      return "lists of variable length";
    case H5T_ARRAY:
      return "arrays";
    case H5T_OPAQUE:
      return "opaque bytes";
    case H5T_BITFIELD:
      return "bit fields";
    default:
      return "values of an unknown type";
  }
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

template <typename Number>
void Hdf5Reader::require_kind(std::string_view path, const Type& type) const {
  if (is_of_kind<Number>(type.id())) return;
  fail(path,
       std::is_integral_v<Number> ? "does not hold integers"
                                  : "does not hold floating-point numbers",
       fmt::format("it holds {}", class_name(type.id())), kind_remedy<Number>);
}

template <typename Number>
std::vector<Number> Hdf5Reader::read(std::string_view path, std::uint64_t limit) const {
  silence_errors();
  const Object dataset = open_dataset(path);
  const Type type(H5Dget_type(dataset.id()));
  require_kind<Number>(path, type);
  const Space space(H5Dget_space(dataset.id()));
  const Shape64 shape = shape_of(path, space);
  const std::optional<std::uint64_t> count = product(shape);
  if (!count || *count > limit) {
    fail(path, fmt::format("has more than the {} elements that it may have", limit),
         shape_text(shape), restore);
  }
  const Refusal refusal = storage_problem(dataset.id(), shape, file_bytes);
  if (refusal) fail(path, refusal.problem, refusal.why, refusal.remedy);
  std::vector<Number> values(*count);
  if (*count == 0) return values;
  const bool fits = read_values(type.id(), values, [&](hid_t memory, void* place) {
    if (H5Dread(dataset.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, place) < 0) {
      fail_with_cause(path, "values can't be read");
    }
  });
  if (!fits) fail(path, "holds an integer that is out of range", {}, restore);
  return values;
}

template <typename Number>
std::vector<Number> Hdf5Reader::read_rows(std::string_view path, RowRange rows,
                                          std::uint64_t limit) const {
  silence_errors();
  const Object dataset = open_dataset(path);
  const Type type(H5Dget_type(dataset.id()));
  require_kind<Number>(path, type);
  const Space space(H5Dget_space(dataset.id()));
  const Shape64 shape = shape_of(path, space);
  const std::size_t leading = rows.leading;
  if (leading < 1 || leading > shape.size()) throw std::out_of_range("Hdf5Input: no such rows");
  const auto behind_leading = shape.begin() + static_cast<std::ptrdiff_t>(leading);
  const std::optional<std::uint64_t> there = product({shape.begin(), behind_leading});
  const std::optional<std::uint64_t> width = product({behind_leading, shape.end()});
  if (!there || !width || !product(shape)) {
    fail(path, "claims more values than a file can hold", shape_text(shape), restore);
  }
  if (rows.first > *there || rows.count > *there - rows.first) {
    throw std::out_of_range("Hdf5Input: no such rows");
  }
  if (*width > 0 && rows.count > limit / *width) {
    fail(path, fmt::format("has more than the {} elements that it may have", limit),
         shape_text({rows.count, *width}), restore);
  }
  if (rows.count * *width == 0) return {};
  const std::vector<Block> blocks = blocks_of_rows(shape, leading, rows.first, rows.count);
  const Refusal refusal = storage_problem(dataset.id(), shape, file_bytes, blocks);
  if (refusal) fail(path, refusal.problem, refusal.why, refusal.remedy);
  std::vector<Number> values(rows.count * *width);
  const bool fits = read_values(type.id(), values, [&](hid_t memory_type, void* place) {
    auto* bytes = static_cast<std::byte*>(place);
    for (const Block& block : blocks) {
      const Space memory(
          H5Screate_simple(static_cast<int>(block.count.size()), block.count.data(), nullptr));
      if (H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, block.start.data(), nullptr,
                              block.count.data(), nullptr) < 0 ||
          H5Dread(dataset.id(), memory_type, memory.id(), space.id(), H5P_DEFAULT, bytes) < 0) {
        fail_with_cause(path, "values can't be read");
      }
      bytes += block.rows * *width * sizeof(Number);
    }
  });
  if (!fits) fail(path, "holds an integer that is out of range", {}, restore);
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
    fail(path,
         label + (std::is_integral_v<Number> ? " is not an integer"
                                             : " is not a floating-point number"),
         fmt::format("it holds {}", class_name(type.id())), kind_remedy<Number>);
  }
  const Space space(H5Aget_space(opened.id()));
  const std::optional<std::uint64_t> count = product(shape_of(path, space));
  if (!count || *count > limit) {
    fail(path, label + " has too many elements", fmt::format("{} at most", limit), restore);
  }
  std::vector<Number> values(*count);
  if (*count == 0) return values;
  const bool fits = read_values(type.id(), values, [&](hid_t memory, void* place) {
    if (H5Aread(opened.id(), memory, place) < 0) fail_with_cause(path, label + " can't be read");
  });
  if (!fits) fail(path, label + " is out of range", {}, restore);
  return values;
}

std::string Hdf5Reader::read_text(std::string_view path, std::string_view name_of_text) const {
  silence_errors();
  const Attribute attribute = open_attribute(path, name_of_text);
  const Type type(H5Aget_type(attribute.id()));
  const Space space(H5Aget_space(attribute.id()));
  const std::string label = quoted_attribute(name_of_text);
  if (H5Tget_class(type.id()) != H5T_STRING || product(shape_of(path, space)) != 1) {
    fail(path, label + " is not one text", {}, restore);
  }
  // Texts of variable length lie in a heap without checksums, and the library trusts their lengths.
  if (H5Tis_variable_str(type.id()) != 0) {
    fail(path, label + " is a text of variable length", "such texts carry no checksum",
         "write it with a fixed length, in h5py as numpy.bytes_(text.encode())");
  }
  const std::size_t size = H5Tget_size(type.id());
  if (size > largest_text_bytes || size > file_bytes) {
    fail(path, label + " is too long", fmt::format("{} bytes", size), restore);
  }
  std::string text(size + 1, '\0');
  const Type memory(H5Tcopy(H5T_C_S1));
  H5Tset_cset(memory.id(), H5Tget_cset(type.id()));
  H5Tset_size(memory.id(), text.size());
  if (H5Aread(attribute.id(), memory.id(), text.data()) < 0) {
    fail_with_cause(path, label + " can't be read");
  }
  text.resize(std::strlen(text.c_str()));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const auto first = static_cast<unsigned char>(text[at]);
    if (length == 0 || (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F) {
      fail(path, label + " is not plain text", fmt::format("byte {:#04x} at {}", first, at),
           "write it as UTF-8 without control characters");
    }
    at += length;
  }
  return text;
}

template std::vector<double> Hdf5Reader::read(std::string_view, std::uint64_t) const;
template std::vector<std::uint64_t> Hdf5Reader::read(std::string_view, std::uint64_t) const;
template std::vector<std::int64_t> Hdf5Reader::read(std::string_view, std::uint64_t) const;
template std::vector<double> Hdf5Reader::read_rows(std::string_view, RowRange, std::uint64_t) const;
template std::vector<std::uint64_t> Hdf5Reader::read_rows(std::string_view, RowRange,
                                                          std::uint64_t) const;
template std::vector<double> Hdf5Reader::read_attribute(std::string_view, std::string_view,
                                                        std::uint64_t) const;
template std::vector<std::int64_t> Hdf5Reader::read_attribute(std::string_view, std::string_view,
                                                              std::uint64_t) const;

}  // namespace cimstat::core::detail
