// LRS counts of columns, in bytes. Included once for each instruction set, after hwy/highway.h.
#if defined(CIMSTAT_EXPERIMENTS_COLUMN_COUNTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CIMSTAT_EXPERIMENTS_COLUMN_COUNTS_INL_H
#undef CIMSTAT_EXPERIMENTS_COLUMN_COUNTS_INL_H
#else
#define CIMSTAT_EXPERIMENTS_COLUMN_COUNTS_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

#include "circuits/column.h"

#include "experiments/inference/column_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Columns in lanes: 16 for every instruction set, in one, two or four registers.
using Columns = hn::CappedTag<std::uint32_t, group_channels>;
using Words = hn::Vec<Columns>;
inline constexpr std::uint32_t width = hn::MaxLanes(Columns());
using ByteColumns = hn::Repartition<std::uint8_t, Columns>;
using Bytes = hn::Vec<ByteColumns>;

/// So many counts of up to eight add up in a byte.
inline constexpr std::uint32_t most_summed = 31;
/// Reads of the same cells that are counted together, so that each cell is loaded once: those of
/// the planes of an input.
inline constexpr std::uint32_t most_reads = 4;

#if HWY_TARGET <= HWY_AVX3_DL

/// Counts bits of bytes: a read's active rows, eight at a time, in each byte of a word.
struct ActiveRows {
  alignas(16) std::uint32_t bytes[circuits::row_limit / 8];
};

HWY_INLINE void find_rows(const std::uint32_t* HWY_RESTRICT input, std::uint32_t words,
                          ActiveRows& rows) {
  for (std::uint32_t word = 0; word < words; ++word) {
    for (std::uint32_t byte = 0; byte < 4; ++byte) {
      rows.bytes[4 * word + byte] = (input[word] >> 8 * byte & 0xff) * 0x01010101U;
    }
  }
}

/// Eight rows of a tile from `first` on, `end` left out, in `count` reads and as many neighbouring
/// batches as sums has room for: sums[read][batch], a byte for each column. `cells` are those of
/// the first batch, `stride` bytes before those of the next.
template <std::uint32_t count, std::uint32_t batches>
HWY_INLINE void sum_bytes(const ActiveRows* HWY_RESTRICT rows,
                          const std::uint8_t* HWY_RESTRICT cells, std::size_t stride,
                          std::uint32_t first, std::uint32_t end, Bytes (&sums)[count * batches]) {
  const Columns d;
  const ByteColumns d8;
#pragma GCC unroll 8
  for (std::uint32_t i = 0; i < count * batches; ++i) sums[i] = hn::Zero(d8);
  for (std::uint32_t byte = first; byte < end; ++byte) {
    Bytes eight[batches];
#pragma GCC unroll 4
    for (std::uint32_t b = 0; b < batches; ++b) {
      eight[b] = hn::Load(d8, cells + b * stride + byte * batch_words);
    }
#pragma GCC unroll 4
    for (std::uint32_t r = 0; r < count; ++r) {
      const Bytes active = hn::BitCast(d8, hn::Set(d, rows[r].bytes[byte]));
#pragma GCC unroll 4
      for (std::uint32_t b = 0; b < batches; ++b) {
        Bytes& sum = sums[r * batches + b];
        sum = hn::Add(sum, hn::PopulationCount(hn::And(active, eight[b])));
      }
    }
  }
}

#else

/// Row a of this table: LRS cells among the active ones of four rows, a and the cells in bits.
struct NibbleCounts {
  constexpr NibbleCounts() {
    for (unsigned a = 0; a < 16; ++a) {
      for (unsigned cells = 0; cells < 16; ++cells) {
        const unsigned both = a & cells;
        of[16 * a + cells] =
            static_cast<std::uint8_t>((both & 1) + (both >> 1 & 1) + (both >> 2 & 1) + (both >> 3));
      }
    }
  }
  alignas(64) std::uint8_t of[256] = {};
};
inline constexpr NibbleCounts nibble_counts;

/// Looks counts of four rows up, as many columns at a time as a register has bytes, with a third of
/// the instructions that counting the bits of words takes: where the rows of a read's activation,
/// four at a time, begin in the table.
struct ActiveRows {
  alignas(16) std::uint8_t begin[circuits::row_limit / 4];
};

HWY_INLINE void find_rows(const std::uint32_t* HWY_RESTRICT input, std::uint32_t words,
                          ActiveRows& rows) {
  for (std::uint32_t word = 0; word < words; ++word) {
    // Bytes 2 b and 2 b + 1 are those of the lower and upper half of byte b, 16 times each.
    std::uint64_t bytes = input[word];
    bytes = (bytes | bytes << 16) & 0x0000ffff0000ffffU;
    bytes = (bytes | bytes << 8) & 0x00ff00ff00ff00ffU;
    bytes = (bytes << 4 & 0x00f000f000f000f0U) | (bytes << 8 & 0xf000f000f000f000U);
    std::memcpy(rows.begin + 8 * word, &bytes, sizeof bytes);
  }
}

/// As above.
template <std::uint32_t count, std::uint32_t batches>
HWY_INLINE void sum_bytes(const ActiveRows* HWY_RESTRICT rows,
                          const std::uint8_t* HWY_RESTRICT cells, std::size_t stride,
                          std::uint32_t first, std::uint32_t end, Bytes (&sums)[count * batches]) {
  const Columns d;
  const ByteColumns d8;
  const Bytes low = hn::Set(d8, 15);
#pragma GCC unroll 8
  for (std::uint32_t i = 0; i < count * batches; ++i) sums[i] = hn::Zero(d8);
  for (std::uint32_t byte = first; byte < end; ++byte) {
    Bytes lower[batches];
    Bytes upper[batches];
#pragma GCC unroll 4
    for (std::uint32_t b = 0; b < batches; ++b) {
      const Bytes eight = hn::Load(d8, cells + b * stride + byte * batch_words);
      lower[b] = hn::And(eight, low);
      upper[b] = hn::And(hn::BitCast(d8, hn::ShiftRight<4>(hn::BitCast(d, eight))), low);
    }
#pragma GCC unroll 4
    for (std::uint32_t r = 0; r < count; ++r) {
      const std::uint8_t* begin = rows[r].begin + 2 * byte;
      const Bytes of_lower = hn::LoadDup128(d8, nibble_counts.of + begin[0]);
      const Bytes of_upper = hn::LoadDup128(d8, nibble_counts.of + begin[1]);
#pragma GCC unroll 4
      for (std::uint32_t b = 0; b < batches; ++b) {
        Bytes& sum = sums[r * batches + b];
        sum = hn::Add(sum, hn::TableLookupBytes(of_lower, lower[b]));
        sum = hn::Add(sum, hn::TableLookupBytes(of_upper, upper[b]));
      }
    }
  }
}

#endif

/// The counts of one vector among those of a batch.
HWY_INLINE Words count_of(Bytes sums, std::uint32_t vector) {
  const Columns d;
  const Words shifted = hn::ShiftRightSame(hn::BitCast(d, sums), static_cast<int>(8 * vector));
  return vector == 3 ? shifted : hn::And(shifted, hn::Set(d, 0xff));
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
