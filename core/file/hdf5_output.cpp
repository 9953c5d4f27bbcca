#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/file/hdf5_file.h"
#include "core/file/hdf5_writer.h"

namespace cimstat::core {

using namespace detail;

Hdf5Output::Hdf5Output(std::filesystem::path target)
    : writer_(std::make_unique<detail::Hdf5Writer>(std::move(target))) {}
Hdf5Output::Hdf5Output(Hdf5Output&&) noexcept = default;
Hdf5Output& Hdf5Output::operator=(Hdf5Output&&) noexcept = default;
Hdf5Output::~Hdf5Output() = default;

void Hdf5Output::group(std::string_view path) {
  writer_->require_open();
  silence_errors();
  writer_->make_group(components(path));
  writer_->medium.require_written();
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

template <>
void Hdf5Output::start_rows<double>(std::string_view path, const Shape64& shape,
                                    std::size_t leading) {
  writer_->start_rows(path, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, shape, leading);
}
template <>
void Hdf5Output::start_rows<std::uint64_t>(std::string_view path, const Shape64& shape,
                                           std::size_t leading) {
  writer_->start_rows(path, H5T_NATIVE_UINT64, H5T_STD_U64LE, shape, leading);
}
template <>
void Hdf5Output::virtual_rows<double>(std::string_view path, const Shape64& shape,
                                      std::size_t leading, std::span<const VirtualRows> sources) {
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  writer_->write_virtual(path, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, &nothing, shape, leading,
                         sources);
}
template <>
void Hdf5Output::virtual_rows<std::uint64_t>(std::string_view path, const Shape64& shape,
                                             std::size_t leading,
                                             std::span<const VirtualRows> sources) {
  constexpr std::uint64_t nothing = std::numeric_limits<std::uint64_t>::max();
  writer_->write_virtual(path, H5T_NATIVE_UINT64, H5T_STD_U64LE, &nothing, shape, leading, sources);
}
void Hdf5Output::append_rows(std::string_view path, std::span<const double> rows) {
  writer_->append_rows(path, H5T_NATIVE_DOUBLE, std::as_bytes(rows), rows.size());
}
void Hdf5Output::append_rows(std::string_view path, std::span<const std::uint64_t> rows) {
  writer_->append_rows(path, H5T_NATIVE_UINT64, std::as_bytes(rows), rows.size());
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
                           std::span<const std::uint32_t> values) {
  silence_errors();
  writer_->write_attribute(path, name, values.data(), H5T_NATIVE_UINT32, H5T_STD_U32LE,
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
  const Dataset dataset(H5Dopen2(writer_->library.id(), std::string(path).c_str(), H5P_DEFAULT));
  if (!dataset || H5DSset_scale(dataset.id(), std::string(name).c_str()) < 0) {
    writer_->fail(path, "can't be made a dimension scale");
  }
  writer_->medium.require_written();
}

void Hdf5Output::attach_scale(std::string_view dataset, std::string_view scale, unsigned axis) {
  writer_->require_open();
  silence_errors();
  const hid_t file = writer_->library.id();
  const Dataset data(H5Dopen2(file, std::string(dataset).c_str(), H5P_DEFAULT));
  const Dataset values(H5Dopen2(file, std::string(scale).c_str(), H5P_DEFAULT));
  if (!data || !values || H5DSattach_scale(data.id(), values.id(), axis) < 0) {
    writer_->fail(dataset, fmt::format("{} can't be attached to axis {}", scale, axis));
  }
  writer_->medium.require_written();
}

void Hdf5Output::commit() { writer_->commit(); }

}  // namespace cimstat::core
