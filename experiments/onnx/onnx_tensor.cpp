#include "experiments/onnx/onnx_tensor.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>
#include <system_error>

#include <Eigen/Core>
#include <fmt/format.h>

#include "core/error.h"
#include "core/file/readable_file.h"
#include "core/utf8.h"

#include "experiments/onnx/onnx_limits.h"

namespace cimstat::experiments {
namespace {

using Proto = onnx::TensorProto;

constexpr std::string_view again = "export the model again";

/// A type of the file: what it becomes, and bytes of a number in raw data.
struct StoredType {
  OnnxType type;
  std::size_t bytes;
};

std::optional<StoredType> stored_type(std::int32_t data_type) {
  switch (data_type) {
    case Proto::FLOAT:
      return StoredType{OnnxType::real, 4};
    case Proto::DOUBLE:
      return StoredType{OnnxType::real, 8};
    case Proto::FLOAT16:
    case Proto::BFLOAT16:
      return StoredType{OnnxType::real, 2};
    case Proto::INT8:
      return StoredType{OnnxType::int8, 1};
    case Proto::UINT8:
      return StoredType{OnnxType::uint8, 1};
    case Proto::BOOL:
      return StoredType{OnnxType::boolean, 1};
    case Proto::INT32:
      return StoredType{OnnxType::int32, 4};
    case Proto::INT64:
      return StoredType{OnnxType::int64, 8};
    default:
      return std::nullopt;
  }
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t index) {
  static_assert(std::endian::native == std::endian::little, "raw data are little-endian");
  Number number;
  std::memcpy(&number, bytes.data() + index * sizeof number, sizeof number);
  return number;
}

float half_of(std::uint16_t bits) {
  return Eigen::half_impl::half_to_float(Eigen::half_impl::raw_uint16_to_half(bits));
}

float brain_half_of(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

float raw_real(std::int32_t data_type, std::string_view bytes, std::size_t index) {
  switch (data_type) {
    case Proto::DOUBLE:
      return static_cast<float>(number_at<double>(bytes, index));
    case Proto::FLOAT16:
      return half_of(number_at<std::uint16_t>(bytes, index));
    case Proto::BFLOAT16:
      return brain_half_of(number_at<std::uint16_t>(bytes, index));
    default:
      return number_at<float>(bytes, index);
  }
}

std::int64_t raw_whole(std::int32_t data_type, std::string_view bytes, std::size_t index) {
  switch (data_type) {
    case Proto::INT8:
      return number_at<std::int8_t>(bytes, index);
    case Proto::INT32:
      return number_at<std::int32_t>(bytes, index);
    case Proto::INT64:
      return number_at<std::int64_t>(bytes, index);
    default:
      return number_at<std::uint8_t>(bytes, index);
  }
}

void take_raw(std::int32_t data_type, std::string_view bytes, OnnxTensor& result) {
  const std::size_t count = bytes.size() / stored_type(data_type)->bytes;
  if (result.type == OnnxType::real) {
    result.reals.resize(count);
    for (std::size_t i = 0; i < count; ++i) result.reals[i] = raw_real(data_type, bytes, i);
  } else {
    result.whole.resize(count);
    for (std::size_t i = 0; i < count; ++i) result.whole[i] = raw_whole(data_type, bytes, i);
  }
}

/// How many numbers stand in the list that the type uses.
std::uint64_t listed(const Proto& tensor, OnnxType type) {
  if (tensor.data_type() == Proto::FLOAT) return static_cast<unsigned>(tensor.float_data_size());
  if (tensor.data_type() == Proto::DOUBLE) return static_cast<unsigned>(tensor.double_data_size());
  if (type == OnnxType::int64) return static_cast<unsigned>(tensor.int64_data_size());
  return static_cast<unsigned>(tensor.int32_data_size());
}

void take_list(const Proto& tensor, OnnxTensor& result) {
  const auto as_reals = [&](const auto& list, auto&& real_of) {
    result.reals.resize(static_cast<std::size_t>(list.size()));
    std::transform(list.begin(), list.end(), result.reals.begin(), real_of);
  };
  switch (tensor.data_type()) {
    case Proto::FLOAT:
      as_reals(tensor.float_data(), [](float value) { return value; });
      break;
    case Proto::DOUBLE:
      as_reals(tensor.double_data(), [](double value) { return static_cast<float>(value); });
      break;
    case Proto::FLOAT16:
      as_reals(tensor.int32_data(),
               [](std::int32_t bits) { return half_of(static_cast<std::uint16_t>(bits)); });
      break;
    case Proto::BFLOAT16:
      as_reals(tensor.int32_data(),
               [](std::int32_t bits) { return brain_half_of(static_cast<std::uint16_t>(bits)); });
      break;
    case Proto::INT64:
      result.whole.assign(tensor.int64_data().begin(), tensor.int64_data().end());
      break;
    default:
      result.whole.assign(tensor.int32_data().begin(), tensor.int32_data().end());
  }
}

bool fits(OnnxType type, std::int64_t value) {
  switch (type) {
    case OnnxType::int8:
      return value >= -128 && value <= 127;
    case OnnxType::uint8:
      return value >= 0 && value <= 255;
    case OnnxType::boolean:
      return value == 0 || value == 1;
    default:
      return true;
  }
}

/// A number that is the whole text.
std::optional<std::uint64_t> number_of(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool lies_within(const std::filesystem::path& inner, const std::filesystem::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), inner.begin(), inner.end()).first ==
         folder.end();
}

}  // namespace

void OnnxTensorReader::refuse(std::string_view what, std::string_view problem, std::string_view why,
                              std::string_view remedy) const {
  throw core::DataError(core::error_line(fmt::format("{}: {}", file_.string(), core::excerpt(what)),
                                         core::excerpt(problem), why,
                                         remedy.empty() ? again : remedy));
}

std::string OnnxTensorReader::outside_bytes(const Proto& tensor, std::string_view what,
                                            std::uint64_t size) const {
  std::string location;
  std::uint64_t offset = 0;
  std::uint64_t length = size;
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset" || entry.key() == "length") {
      const auto number = number_of(entry.value());
      if (!number) refuse(what, fmt::format("'{}' is no {}", entry.value(), entry.key()));
      (entry.key() == "offset" ? offset : length) = *number;
    }
  }
  if (length != size) {
    refuse(what, fmt::format("{} bytes are stored outside, {} are needed", length, size));
  }
  const std::filesystem::path relative(location);
  std::error_code error;
  const auto parent = file_.has_parent_path() ? file_.parent_path() : std::filesystem::path(".");
  const auto folder = std::filesystem::weakly_canonical(parent, error);
  const auto place = std::filesystem::weakly_canonical(folder / relative, error);
  if (location.empty() || relative.is_absolute() || error || !lies_within(place, folder)) {
    refuse(what, fmt::format("is stored in '{}'", location),
           "outside data lie in the model's folder or below");
  }
  core::require_readable(place, "put the file that was exported with the model beside it");
  const std::uint64_t there = std::filesystem::file_size(place, error);
  if (error || offset > there || length > there - offset) {
    refuse(what, fmt::format("'{}' ends too early", location),
           fmt::format("{} bytes from {} on are needed, it has {}", length, offset, there));
  }
  std::string bytes(length, '\0');
  std::ifstream stream(place, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(length))) {
    refuse(what, fmt::format("'{}' can't be read to its end", location));
  }
  return bytes;
}

std::vector<std::int64_t> OnnxTensorReader::shape_of(const Proto& tensor, std::string_view what) {
  if (static_cast<std::size_t>(tensor.dims_size()) > most_onnx_axes) {
    refuse(what, fmt::format("has {} axes", tensor.dims_size()),
           fmt::format("at most {}", most_onnx_axes));
  }
  std::uint64_t count = 1;
  for (const std::int64_t extent : tensor.dims()) {
    if (extent < 0 || static_cast<std::uint64_t>(extent) >
                          most_onnx_elements / std::max<std::uint64_t>(count, 1)) {
      refuse(what, fmt::format("has the shape {}", fmt::join(tensor.dims(), " x ")),
             fmt::format("at most {} numbers", most_onnx_elements));
    }
    count *= static_cast<std::uint64_t>(extent);
  }
  elements_ += count;
  if (elements_ > most_onnx_elements) {
    refuse(what, fmt::format("is one of tensors of more than {} numbers", most_onnx_elements), {},
           "use a smaller model");
  }
  return {tensor.dims().begin(), tensor.dims().end()};
}

OnnxTensor OnnxTensorReader::read(const Proto& tensor, std::string_view what) {
  const auto stored = stored_type(tensor.data_type());
  if (!stored) {
    const std::string type = Proto::DataType_IsValid(tensor.data_type())
                                 ? Proto::DataType_Name(tensor.data_type())
                                 : fmt::format("number {}", tensor.data_type());
    refuse(what, fmt::format("is of type {}", type),
           "FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT8, UINT8, INT32, INT64, BOOL are known");
  }
  if (tensor.has_segment()) refuse(what, "is stored in segments");
  OnnxTensor result;
  result.type = stored->type;
  result.shape = shape_of(tensor, what);
  std::uint64_t count = 1;
  for (const std::int64_t extent : result.shape) count *= static_cast<std::uint64_t>(extent);

  // Nothing is reserved before the numbers are known to be there.
  if (tensor.data_location() == Proto::EXTERNAL || tensor.has_raw_data()) {
    std::string outside;
    if (!tensor.has_raw_data()) outside = outside_bytes(tensor, what, count * stored->bytes);
    const std::string_view bytes = tensor.has_raw_data() ? tensor.raw_data() : outside;
    if (bytes.size() != count * stored->bytes) {
      refuse(what, fmt::format("holds {} of {} bytes", bytes.size(), count * stored->bytes));
    }
    take_raw(tensor.data_type(), bytes, result);
  } else {
    const std::uint64_t there = listed(tensor, result.type);
    if (there != count) refuse(what, fmt::format("holds {} of {} numbers", there, count));
    take_list(tensor, result);
  }
  if (!std::all_of(result.reals.begin(), result.reals.end(),
                   [](float value) { return std::isfinite(value); })) {
    refuse(what, "holds a number that is not finite", {}, "train the network again");
  }
  for (const std::int64_t value : result.whole) {
    if (!fits(result.type, value)) refuse(what, fmt::format("holds {}", value), "its type can't");
  }
  return result;
}

}  // namespace cimstat::experiments
