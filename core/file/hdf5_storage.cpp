#include "core/file/hdf5_storage.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/file/deflate.h"

namespace cimstat::core::detail {
namespace {

constexpr std::uint64_t largest_chunk_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t unpacked_without_trial = std::uint64_t{64} << 20;
constexpr std::uint64_t most_chunks_to_compare = 8192;
constexpr std::uint64_t checksum_bytes = 4;
constexpr std::string_view restore = "restore the file or make it again";
constexpr std::string_view rewrite =
    "write it again with no filters but gzip, shuffle and fletcher32";

struct Chunks {
  std::vector<hsize_t> shape;
  std::uint64_t bytes = 0;  // of one, unpacked
  std::uint64_t count = 1;
  unsigned optional_filters = 0;
  bool packed = false;
};

Refusal damaged_index(std::string why = {}) {
  return {"index of chunks is damaged", std::move(why), std::string(restore)};
}

std::vector<H5Z_filter_t> filters_of(const Properties& properties) {
  std::vector<H5Z_filter_t> filters;
  const int count = H5Pget_nfilters(properties.id());
  for (int filter = 0; filter < count; ++filter) {
    unsigned flags = 0;
    std::size_t parameters = 0;
    filters.push_back(H5Pget_filter2(properties.id(), static_cast<unsigned>(filter), &flags,
                                     &parameters, nullptr, 0, nullptr, nullptr));
  }
  return filters;
}

Block whole(const Shape64& shape) {
  return {std::vector<hsize_t>(shape.size(), 0), {shape.begin(), shape.end()}, 0};
}

/// Offset of the first chunk that holds a part of the block.
std::vector<hsize_t> first_chunk(const Chunks& chunks, const Block& block) {
  std::vector<hsize_t> offset = block.start;
  for (std::size_t axis = 0; axis < offset.size(); ++axis) {
    offset[axis] -= offset[axis] % chunks.shape[axis];
  }
  return offset;
}

/// Moves to the block's next chunk in row-major order; false behind the last one.
bool advance(std::vector<hsize_t>& offset, const Chunks& chunks, const Block& block) {
  for (std::size_t axis = offset.size(); axis-- > 0;) {
    offset[axis] += chunks.shape[axis];
    if (offset[axis] < block.start[axis] + block.count[axis]) return true;
    offset[axis] = block.start[axis] - block.start[axis] % chunks.shape[axis];
  }
  return false;
}

/// The library's buffer grows with what a chunk unpacks to, whatever size the chunk should have.
Refusal oversized_chunk(hid_t dataset, const Chunks& chunks, const std::vector<hsize_t>& offset,
                        hsize_t stored) {
  if (!chunks.packed || stored * most_deflate_ratio <= unpacked_without_trial) return {};
  const std::string problem = "has a chunk that unpacks to more than a chunk holds, or not at all";
  if (stored > chunks.bytes + chunks.bytes / 16 + 1024) return {problem, {}, std::string(restore)};
  std::vector<std::byte> packed(stored);
  std::uint32_t left_out = 0;
  if (H5Dread_chunk(dataset, H5P_DEFAULT, offset.data(), &left_out, packed.data()) < 0) {
    return {"values can't be read", cause(), std::string(restore)};
  }
  if ((left_out & chunks.optional_filters) != 0) return {};  // stored as it is
  if (unpacks_within(packed, chunks.bytes + checksum_bytes)) return {};
  return {problem, {}, std::string(restore)};
}

/// By the look-up that reading uses.
Refusal missing_chunk(hid_t dataset, const Chunks& chunks, const Block& block) {
  std::vector<hsize_t> offset = first_chunk(chunks, block);
  do {
    hsize_t stored = 0;
    if (H5Dget_chunk_storage_size(dataset, offset.data(), &stored) < 0) {
      return damaged_index(cause());
    }
    if (stored == 0) return {"lacks a part of its values", {}, std::string(restore)};
    if (Refusal refusal = oversized_chunk(dataset, chunks, offset, stored)) return refusal;
  } while (advance(offset, chunks, block));
  return {};
}

Refusal misplaced_chunk(hid_t dataset, const Chunks& chunks, const Block& block) {
  std::vector<std::pair<haddr_t, hsize_t>> places;
  std::vector<hsize_t> offset = first_chunk(chunks, block);
  do {
    unsigned left_out = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t stored = 0;
    hsize_t found = 0;
    if (H5Dget_chunk_info_by_coord(dataset, offset.data(), &left_out, &address, &stored) < 0 ||
        H5Dget_chunk_storage_size(dataset, offset.data(), &found) < 0) {
      return damaged_index(cause());
    }
    const bool is_whole = stored >= chunks.bytes && stored <= chunks.bytes + checksum_bytes;
    if (address == HADDR_UNDEF || found != stored || (left_out & ~chunks.optional_filters) != 0 ||
        (left_out != 0 && !is_whole)) {
      return damaged_index();
    }
    places.emplace_back(address, stored);
  } while (advance(offset, chunks, block));
  std::sort(places.begin(), places.end());
  for (std::size_t i = 1; i < places.size(); ++i) {
    if (places[i].first - places[i - 1].first < places[i - 1].second) return damaged_index();
  }
  return {};
}

Refusal larger_than_file(std::uint64_t bytes, std::uint64_t file_bytes) {
  return {"claims more values than the file can hold",
          fmt::format("{} bytes in a file of {}", bytes, file_bytes), std::string(restore)};
}

Refusal chunk_problem(hid_t dataset, const Properties& properties, const Shape64& shape,
                      std::uint64_t element_bytes, std::uint64_t file_bytes,
                      const std::vector<Block>& blocks) {
  Chunks chunks;
  chunks.shape.resize(shape.size());
  const int rank = static_cast<int>(shape.size());
  if (H5Pget_chunk(properties.id(), rank, chunks.shape.data()) != rank) {
    return {"layout can't be read", cause(), std::string(restore)};
  }
  Shape64 sizes(chunks.shape.begin(), chunks.shape.end());
  sizes.push_back(element_bytes);
  const std::optional<std::uint64_t> bytes = product(sizes);
  if (!bytes || *bytes == 0 || *bytes > largest_chunk_bytes) {
    return {"has chunks that are too large", "64 MiB at most", "write it again in smaller chunks"};
  }
  chunks.bytes = *bytes;
  const std::vector<H5Z_filter_t> filters = filters_of(properties);
  for (std::size_t filter = 0; filter < filters.size(); ++filter) {
    // gzip is left out where it would not make a chunk smaller; no other filter may be.
    if (filters[filter] == H5Z_FILTER_DEFLATE) chunks.optional_filters |= 1U << filter;
  }
  chunks.packed = chunks.optional_filters != 0;
  const std::uint64_t claimed = product(shape).value() * element_bytes;
  const std::uint64_t possible = file_bytes * (chunks.packed ? most_deflate_ratio : 1);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    chunks.count *= (shape[axis] - 1) / chunks.shape[axis] + 1;
  }
  if (claimed > possible || chunks.count > file_bytes) return larger_than_file(claimed, file_bytes);
  H5D_chunk_index_t index = H5D_CHUNK_IDX_BTREE;
  if (H5Dget_chunk_index_type(dataset, &index) < 0) return damaged_index(cause());
  const bool is_part = !blocks.empty() && index != H5D_CHUNK_IDX_BTREE;
  if (is_part) {
    for (const Block& block : blocks) {
      if (Refusal missing = missing_chunk(dataset, chunks, block)) return missing;
    }
    return {};
  }
  const Block all = whole(shape);
  Refusal missing = missing_chunk(dataset, chunks, all);
  if (missing || chunks.count > most_chunks_to_compare) return missing;
  return misplaced_chunk(dataset, chunks, all);
}

}  // namespace

Refusal foreign_storage(hid_t dataset) {
  const Properties properties(H5Dget_create_plist(dataset));
  const H5D_layout_t layout = properties ? H5Pget_layout(properties.id()) : H5D_LAYOUT_ERROR;
  if (layout == H5D_LAYOUT_ERROR) return {"layout can't be read", cause(), std::string(restore)};
  if (layout == H5D_VIRTUAL || H5Pget_external_count(properties.id()) != 0) {
    return {"keeps its values in another file", {}, "write the values into this file"};
  }
  std::vector<H5Z_filter_t> filters = filters_of(properties);
  for (const H5Z_filter_t filter : filters) {
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32) {
      return {"went through a filter that is not allowed here",
              fmt::format("number {} of HDF5's list", filter), std::string(rewrite)};
    }
  }
  std::sort(filters.begin(), filters.end());
  if (std::adjacent_find(filters.begin(), filters.end()) != filters.end()) {
    return {"went through the same filter twice", {}, std::string(rewrite)};
  }
  return {};
}

Refusal storage_problem(hid_t dataset, const Shape64& shape, std::uint64_t file_bytes) {
  return storage_problem(dataset, shape, file_bytes, {});
}

Refusal storage_problem(hid_t dataset, const Shape64& shape, std::uint64_t file_bytes,
                        const std::vector<Block>& blocks) {
  const std::optional<std::uint64_t> count = product(shape);
  if (count == 0) return {};
  const Type type(H5Dget_type(dataset));
  const std::uint64_t element_bytes = H5Tget_size(type.id());
  std::uint64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, element_bytes, &bytes)) {
    return {"claims more values than the file can hold", {}, std::string(restore)};
  }
  const Properties properties(H5Dget_create_plist(dataset));
  if (H5Pget_layout(properties.id()) == H5D_VIRTUAL) return {};  // its sources were checked
  if (H5Pget_layout(properties.id()) == H5D_CHUNKED) {
    return chunk_problem(dataset, properties, shape, element_bytes, file_bytes, blocks);
  }
  if (bytes > file_bytes) return larger_than_file(bytes, file_bytes);
  if (H5Dget_storage_size(dataset) < bytes) {
    return {"lacks a part of its values", {}, std::string(restore)};
  }
  return {};
}

}  // namespace cimstat::core::detail
