#include "core/file/hdf5_rows.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace cimstat::core::detail {
namespace {

constexpr std::uint64_t chunk_bytes = std::uint64_t{128} << 10;
constexpr std::uint64_t largest_chunk_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t fewest_rows = 16;

std::uint64_t product_of(const Shape64& shape, std::size_t first, std::size_t last) {
  std::uint64_t result = 1;
  for (std::size_t axis = first; axis < last; ++axis) result *= shape[axis];
  return result;
}

/// The fewest equal pieces of at most `most` that `extent` makes.
std::uint64_t even_piece(std::uint64_t extent, std::uint64_t most) {
  const std::uint64_t pieces = (extent + most - 1) / most;
  return (extent + pieces - 1) / pieces;
}

/// Fills chunk[first .. last - 1], from the last axis on, with at most `most` elements in all.
void fill_chunk(std::vector<hsize_t>& chunk, const Shape64& shape, std::size_t first,
                std::size_t last, std::uint64_t most) {
  for (std::size_t axis = last; axis-- > first;) {
    chunk[axis] = even_piece(shape[axis], std::max<std::uint64_t>(1, most));
    if (chunk[axis] < shape[axis]) return;
    most /= shape[axis];
  }
}

}  // namespace

std::vector<Block> blocks_of_rows(const Shape64& shape, std::size_t leading, std::uint64_t first,
                                  std::uint64_t count) {
  std::vector<Block> blocks;
  while (count > 0) {
    // The outermost axis along which a step is whole, then as many steps as fit.
    std::size_t axis = leading;
    std::uint64_t step = 1;
    while (axis > 1 && first % (step * shape[axis - 1]) == 0 && step * shape[axis - 1] <= count) {
      --axis;
      step *= shape[axis];
    }
    Block block;
    block.start.assign(shape.size(), 0);
    block.count.assign(shape.begin(), shape.end());
    std::uint64_t rest = first;
    for (std::size_t a = leading; a-- > 0;) {
      block.start[a] = rest % shape[a];
      rest /= shape[a];
      if (a + 1 < axis) block.count[a] = 1;
    }
    block.rows = step;
    if (axis > 0) {
      const std::uint64_t steps =
          std::min<std::uint64_t>(count / step, shape[axis - 1] - block.start[axis - 1]);
      block.count[axis - 1] = steps;
      block.rows *= steps;
    }
    first += block.rows;
    count -= block.rows;
    blocks.push_back(std::move(block));
  }
  return blocks;
}

std::vector<hsize_t> chunk_of_rows(const Shape64& shape, std::size_t leading,
                                   std::uint64_t element_bytes) {
  std::vector<hsize_t> chunk(shape.size(), 1);
  const std::uint64_t row_bytes = element_bytes * product_of(shape, leading, shape.size());
  if (row_bytes > largest_chunk_bytes) {
    fill_chunk(chunk, shape, leading, shape.size(), largest_chunk_bytes / element_bytes);
    return chunk;
  }
  std::copy(shape.begin() + static_cast<std::ptrdiff_t>(leading), shape.end(),
            chunk.begin() + static_cast<std::ptrdiff_t>(leading));
  const std::uint64_t rows =
      std::max(chunk_bytes / row_bytes, std::min(fewest_rows, largest_chunk_bytes / row_bytes));
  fill_chunk(chunk, shape, 0, leading, rows);
  return chunk;
}

RowsInMaking::RowsInMaking(Dataset dataset, hid_t memory_type, Shape64 shape, std::size_t leading,
                           const std::vector<hsize_t>& chunk)
    : dataset_(std::move(dataset)),
      memory_type_(memory_type),
      shape_(std::move(shape)),
      leading_(leading) {
  rows_ = product_of(shape_, 0, leading_);
  row_elements_ = product_of(shape_, leading_, shape_.size());
  row_bytes_ = row_elements_ * H5Tget_size(memory_type);
  chunk_rows_ = period_rows_ = rows_;
  if (chunk.empty()) return;
  chunk_rows_ = period_rows_ = 1;
  for (std::size_t axis = leading_; axis-- > 0;) {
    chunk_rows_ *= chunk[axis];
    period_rows_ *= shape_[axis];
    if (chunk[axis] < shape_[axis]) break;
  }
}

std::uint64_t RowsInMaking::collected_rows() const {
  return row_bytes_ == 0 ? 0 : collected_.size() / row_bytes_;
}

std::uint64_t RowsInMaking::next_rows() const {
  return std::min(chunk_rows_, period_rows_ - written_ % period_rows_);
}

bool RowsInMaking::write(std::span<const std::byte> rows) {
  // One block: rows that begin and end with a chunk.
  const std::uint64_t count = rows.size() / row_bytes_;
  for (const Block& block : blocks_of_rows(shape_, leading_, written_, count)) {
    const Space place(H5Dget_space(dataset_.id()));
    const Space memory(
        H5Screate_simple(static_cast<int>(shape_.size()), block.count.data(), nullptr));
    if (H5Sselect_hyperslab(place.id(), H5S_SELECT_SET, block.start.data(), nullptr,
                            block.count.data(), nullptr) < 0 ||
        H5Dwrite(dataset_.id(), memory_type_, memory.id(), place.id(), H5P_DEFAULT, rows.data()) <
            0) {
      return false;
    }
    rows = rows.subspan(block.rows * row_bytes_);
  }
  written_ += count;
  return true;
}

bool RowsInMaking::append(std::span<const std::byte> rows) {
  while (!rows.empty()) {
    const std::uint64_t wanted = next_rows() * row_bytes_;
    if (collected_.empty() && rows.size() >= wanted) {
      if (!write(rows.first(wanted))) return false;
      rows = rows.subspan(wanted);
      continue;
    }
    const std::size_t taken = std::min<std::size_t>(wanted - collected_.size(), rows.size());
    if (collected_.capacity() == 0) collected_.reserve(chunk_rows_ * row_bytes_);
    collected_.insert(collected_.end(), rows.begin(),
                      rows.begin() + static_cast<std::ptrdiff_t>(taken));
    rows = rows.subspan(taken);
    if (collected_.size() < wanted) continue;
    if (!write(collected_)) return false;
    collected_.clear();
  }
  return true;
}

}  // namespace cimstat::core::detail
