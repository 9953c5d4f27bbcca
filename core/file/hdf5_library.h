#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <hdf5.h>
#include <hdf5_hl.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"
#include "core/utf8.h"

/// Not public: the HDF5 library behind hdf5_file.h, and what both directions need of it.
namespace cimstat::core::detail {

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
inline void silence_errors() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

inline herr_t keep_first(unsigned position, const H5E_error2_t* error, void* data) {
  if (position == 0 && error->desc != nullptr) *static_cast<std::string*>(data) = error->desc;
  return 0;
}

/// The innermost entry of the library's error stack: the cause.
inline std::string cause() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// "file: /object: problem (why); remedy".
inline std::string line(const std::filesystem::path& file, std::string_view path,
                        std::string_view problem, std::string_view why, std::string_view remedy) {
  const std::string place =
      path.empty() ? file.string() : fmt::format("{}: {}", file.string(), excerpt(path));
  return error_line(place, excerpt(problem), excerpt(why), remedy);
}

/// "/a/b/" -> {"a", "b"}.
inline std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

inline std::string quoted_attribute(std::string_view name) {
  return fmt::format("attribute '{}'", name);
}

/// The number of elements; nothing when it does not fit 64 bits.
inline std::optional<std::uint64_t> product(const Shape64& shape) {
  std::uint64_t result = 1;
  for (const std::uint64_t extent : shape) {
    if (__builtin_mul_overflow(result, extent, &result)) return std::nullopt;
  }
  return result;
}

}  // namespace cimstat::core::detail
