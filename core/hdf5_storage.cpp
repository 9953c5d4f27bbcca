#include "core/hdf5_storage.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace cimstat::core::detail {
namespace {

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

}  // namespace

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

}  // namespace cimstat::core::detail
