#include "experiments/inference/step_kernel.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/step_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "experiments/inference/column_counts-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One read, and where its random words and codes are.
struct ReadDraws {
  const CodeSampler& sampler;
  const DrawOrigin& origin;
  const ColumnRead& read;
  const std::uint32_t* words;
  std::uint8_t* codes;
};

/// Second draws for the codes of a batch that `escaped` tells, by their place among its bytes.
/// `counts` are the batch's.
HWY_NOINLINE void replace_escapes(const ReadDraws& draws, std::uint32_t batch,
                                  std::uint64_t escaped, const std::uint8_t* counts) {
  for (; escaped != 0; escaped &= escaped - 1) {
    const auto place = static_cast<std::uint32_t>(hwy::Num0BitsBelowLS1Bit_Nonzero64(escaped));
    const std::uint64_t draw =
        draw_number(draws.read.first_batch, batch * batch_vectors + place % batch_vectors,
                    place / batch_vectors);
    draws.codes[batch * batch_words + place] = static_cast<std::uint8_t>(draws.sampler.escaped_code(
        {counts[place], draws.read.active_rows}, escape_word(draws.origin, draw)));
  }
}

#if HWY_TARGET <= HWY_AVX3_DL

/// Of 64 classes the bytes in a run of CodeSteps; the counts from 128 on are `far`.
HWY_INLINE __m512i bytes_of(const std::uint8_t* run, __m512i counts, __mmask64 far) {
  const auto near =
      _mm512_permutex2var_epi8(_mm512_load_si512(run), counts, _mm512_load_si512(run + 64));
  if (HWY_LIKELY(far == 0)) return near;
  const auto other =
      _mm512_permutex2var_epi8(_mm512_load_si512(run + 128), counts, _mm512_load_si512(run + 192));
  return _mm512_mask_mov_epi8(near, far, other);
}

/// Permutes the steps of all classes into the places of their draws.
template <unsigned steps>
HWY_INLINE void draw_batch(const ReadDraws& draws, std::uint32_t batch, Bytes counts_of_batch) {
  const __m512i counts = counts_of_batch.raw;
  const std::uint32_t rows = draws.read.active_rows;
  const std::uint8_t* run = draws.sampler.steps()->bytes(rows);
  const std::uint32_t length = CodeSteps::run(rows);
  const std::uint32_t* words = draws.words + batch * step_words;
  const __m512i upper = _mm512_load_si512(words);
  const __m512i lower = _mm512_load_si512(words + group_channels);
  const __mmask64 far = length == 128 ? 0 : _mm512_movepi8_mask(counts);
  __m512i code = bytes_of(run, counts, far);
  __mmask64 above = 0;
#pragma GCC unroll 7
  for (unsigned step = 0; step < steps; ++step) {
    const __m512i step_upper = bytes_of(run + (1 + 2 * step) * length, counts, far);
    const __m512i step_lower = bytes_of(run + (2 + 2 * step) * length, counts, far);
    const __mmask64 tie = _mm512_cmpeq_epu8_mask(upper, step_upper);
    above = _mm512_cmpgt_epu8_mask(upper, step_upper) |
            _mm512_mask_cmpgt_epu8_mask(tie, lower, step_lower);
    if (step + 1 < steps) {
      code = _mm512_mask_sub_epi8(code, above, code, _mm512_set1_epi8(-1));
    }
  }
  _mm512_store_si512(draws.codes + batch * batch_words, code);
  if (HWY_UNLIKELY(above != 0)) {
    alignas(64) std::uint8_t kept[batch_words];
    _mm512_store_si512(kept, counts);
    replace_escapes(draws, batch, above, kept);
  }
}

#elif HWY_TARGET <= HWY_AVX3

/// Of 32 classes, in the lower bytes of words, the numbers in a run of CodeSteps. Counts from 64 on
/// are `far`, those from 128 on `farther`.
HWY_INLINE __m512i numbers_of(const std::uint16_t* run, __m512i counts, __mmask32 far,
                              __mmask32 farther) {
  const auto some = [&](std::uint32_t first) {
    return _mm512_permutex2var_epi16(_mm512_load_si512(run + first), counts,
                                     _mm512_load_si512(run + first + 32));
  };
  auto number = some(0);
  if (HWY_LIKELY((far | farther) == 0)) return number;
  number = _mm512_mask_mov_epi16(number, far, some(64));
  if (HWY_LIKELY(farther == 0)) return number;
  const auto other = _mm512_mask_mov_epi16(some(128), far, some(192));
  return _mm512_mask_mov_epi16(number, farther, other);
}

/// 32 draws: their codes, in words; `above` becomes the escaped ones.
template <unsigned steps>
HWY_INLINE __m512i draw_words(const std::uint16_t* table, std::uint32_t length, __m512i counts,
                              __m512i words, __mmask32& above) {
  const __mmask32 far = length == 64 ? 0 : _mm512_test_epi16_mask(counts, _mm512_set1_epi16(64));
  const __mmask32 farther =
      length <= 128 ? 0 : _mm512_test_epi16_mask(counts, _mm512_set1_epi16(128));
  __m512i code = numbers_of(table, counts, far, farther);
#pragma GCC unroll 7
  for (unsigned step = 0; step < steps; ++step) {
    above = _mm512_cmpgt_epu16_mask(words,
                                    numbers_of(table + (1 + step) * length, counts, far, farther));
    if (step + 1 < steps) {
      code = _mm512_mask_sub_epi16(code, above, code, _mm512_set1_epi16(-1));
    }
  }
  return code;
}

/// As above, the draws of even bytes and those of odd ones for themselves.
template <unsigned steps>
HWY_INLINE void draw_batch(const ReadDraws& draws, std::uint32_t batch, Bytes counts_of_batch) {
  const __m512i counts = counts_of_batch.raw;
  const std::uint32_t rows = draws.read.active_rows;
  const std::uint16_t* table = draws.sampler.steps()->numbers(rows);
  const std::uint32_t length = CodeSteps::number_run(rows);
  const std::uint32_t* words = draws.words + batch * step_words;
  const __m512i upper = _mm512_load_si512(words);
  const __m512i lower = _mm512_load_si512(words + group_channels);
  const __m512i low_bytes = _mm512_set1_epi16(0xff);
  __mmask32 above_even = 0;
  __mmask32 above_odd = 0;
  const __m512i even = draw_words<steps>(
      table, length, counts,
      _mm512_or_si512(_mm512_slli_epi16(upper, 8), _mm512_and_si512(lower, low_bytes)), above_even);
  const __m512i odd = draw_words<steps>(
      table, length, _mm512_srli_epi16(counts, 8),
      _mm512_or_si512(_mm512_andnot_si512(low_bytes, upper), _mm512_srli_epi16(lower, 8)),
      above_odd);
  // An escaped code may be 256, and is replaced.
  _mm512_store_si512(draws.codes + batch * batch_words,
                     _mm512_or_si512(_mm512_and_si512(even, low_bytes), _mm512_slli_epi16(odd, 8)));
  if (HWY_UNLIKELY((above_even | above_odd) != 0)) {
    alignas(64) std::uint8_t kept[batch_words];
    _mm512_store_si512(kept, counts);
    const __m512i above =
        _mm512_or_si512(_mm512_and_si512(_mm512_movm_epi16(above_even), low_bytes),
                        _mm512_andnot_si512(low_bytes, _mm512_movm_epi16(above_odd)));
    replace_escapes(draws, batch, _mm512_movepi8_mask(above), kept);
  }
}

#else

using WideColumns = hn::Repartition<std::uint64_t, ByteColumns>;
using StepColumns = hn::Repartition<std::uint16_t, ByteColumns>;
/// Bytes of a register, of which 64 / register_bytes hold a batch.
inline constexpr std::uint32_t register_bytes = hn::MaxLanes(ByteColumns());
/// Batches whose entries are loaded before the first of them is needed, so that no vector load
/// waits for the stores behind it.
inline constexpr std::uint32_t batches_at_once = 4;

/// Copies the entries of a batch's classes by plain loads. A register's draws need entry_bytes
/// registers of entries: in each block of 16 bytes the i-th has the i-th one or two draws.
template <unsigned entry_bytes>
HWY_INLINE void load_entries(const std::uint16_t* HWY_RESTRICT table,
                             const std::uint8_t* HWY_RESTRICT counts,
                             std::uint16_t* HWY_RESTRICT entries) {
  constexpr std::uint32_t in_block = 16 / entry_bytes;
  for (std::uint32_t first = 0; first < batch_words; first += register_bytes) {
    for (std::uint32_t i = 0; i < entry_bytes; ++i) {
#pragma GCC unroll 8
      for (std::uint32_t lane = 0; lane < register_bytes / entry_bytes; ++lane) {
        const std::uint32_t draw = lane / in_block * 16 + i * in_block + lane % in_block;
        const std::uint32_t count = counts[first + draw];
        std::memcpy(entries, table + count * (entry_bytes / 2), entry_bytes);
        entries += entry_bytes / 2;
      }
    }
  }
}

/// Bytes of a block of eight words that the i-th vector of entries meets: a word for each number.
template <unsigned entry_bytes>
struct WordSpread {
  constexpr WordSpread() {
    constexpr unsigned in_block = 16 / entry_bytes;
    for (unsigned i = 0; i < 8 / in_block; ++i) {
      for (unsigned byte = 0; byte < 16; ++byte) {
        const unsigned draw = i * in_block + byte / entry_bytes;
        bytes[i][byte] = static_cast<std::uint8_t>(2 * draw + byte % 2);
      }
    }
  }
  alignas(16) std::uint8_t bytes[8][16] = {};
};
template <unsigned entry_bytes>
inline constexpr WordSpread<entry_bytes> word_spread;

/// Even bytes in the lower half of a block, odd ones in the upper: back in turn.
alignas(16) inline constexpr std::uint8_t in_turn[16] = {0, 8,  1, 9,  2, 10, 3, 11,
                                                         4, 12, 5, 13, 6, 14, 7, 15};

/// Which numbers of an entry are its first code, and which its last step.
template <unsigned entry_bytes>
struct EntryPlaces {
  constexpr EntryPlaces(unsigned steps) {
    for (unsigned i = 0; i < 8; ++i) {
      const unsigned number = i % (entry_bytes / 2);
      first_code[i] = number == entry_bytes / 2 - 1 ? 0xffff : 0;
      last_step[i] = number == steps - 1 ? 0xffff : 0;
      other_step[i] = number < steps - 1 ? 1 : 0;
    }
  }
  alignas(16) std::uint16_t first_code[8] = {};
  alignas(16) std::uint16_t last_step[8] = {};
  alignas(16) std::uint16_t other_step[8] = {};
};

/// Codes of a register of draws. `escaped` gathers what passes the last steps.
template <unsigned steps>
HWY_INLINE Bytes draw_register(const std::uint16_t* HWY_RESTRICT entries, Bytes upper, Bytes lower,
                               hn::Vec<StepColumns>& escaped) {
  constexpr unsigned entry_bytes = steps == 3 ? 8 : 16;
  static constexpr EntryPlaces<entry_bytes> places(steps);
  const ByteColumns d8;
  const StepColumns d16;
  const WideColumns d64;
  const auto first_code = hn::LoadDup128(d16, places.first_code);
  const auto last_step = hn::LoadDup128(d16, places.last_step);
  const auto other_step = hn::LoadDup128(d16, places.other_step);
  const Bytes words[] = {hn::InterleaveLower(d8, lower, upper),
                         hn::InterleaveUpper(d8, lower, upper)};
  // Of each draw the passed steps and first code, over the halves of its entry: in bytes of wide
  // lanes.
  hn::Vec<WideColumns> codes[entry_bytes / 8];
#pragma GCC unroll 16
  for (unsigned i = 0; i < entry_bytes; ++i) {
    constexpr unsigned of_words = entry_bytes / 2;  // vectors of entries for eight words
    const auto word = hn::BitCast(
        d16,
        hn::TableLookupBytes(words[i / of_words],
                             hn::LoadDup128(d8, word_spread<entry_bytes>.bytes[i % of_words])));
    const auto entry = hn::Load(d16, entries + i * (register_bytes / 2));
    const auto beyond = hn::SaturatedSub(word, hn::Or(entry, first_code));
    escaped = hn::Or(escaped, hn::And(beyond, last_step));
    const auto passed = hn::Min(beyond, other_step);
    const auto sum = hn::SumsOf8(hn::BitCast(d8, hn::Or(passed, hn::And(entry, first_code))));
    // What escapes may exceed a byte.
    const auto code = hn::And(sum, hn::Set(d64, 0xff));
    auto& to = codes[i / 8];
    to = i % 8 == 0 ? code : hn::Or(to, hn::ShiftLeftSame(code, static_cast<int>(8 * (i % 8))));
  }
  if constexpr (entry_bytes == 8) {
    return hn::TableLookupBytes(hn::BitCast(d8, codes[0]), hn::LoadDup128(d8, in_turn));
  } else {
    const auto lower_halves = hn::InterleaveLower(d64, codes[0], codes[1]);
    const auto upper_halves = hn::InterleaveUpper(d64, codes[0], codes[1]);
    return hn::Add(hn::BitCast(d8, lower_halves), hn::BitCast(d8, upper_halves));
  }
}

/// Replaces the counts of a read, where its codes will be, by the codes.
template <unsigned steps>
HWY_INLINE void draw_read(const ReadDraws& draws, std::uint32_t all_batches) {
  constexpr unsigned entry_bytes = steps == 3 ? 8 : 16;
  const ByteColumns d8;
  const StepColumns d16;
  const CodeSteps& of_classes = *draws.sampler.steps();
  const std::uint16_t* table = of_classes.entries(draws.read.active_rows);
  alignas(64) std::uint16_t entries[batches_at_once * batch_words * entry_bytes / 2];
  for (std::uint32_t first = 0; first < all_batches; first += batches_at_once) {
    const std::uint32_t end = std::min(all_batches, first + batches_at_once);
    for (std::uint32_t batch = first; batch < end; ++batch) {
      load_entries<entry_bytes>(table, draws.codes + batch * batch_words,
                                entries + (batch - first) * batch_words * (entry_bytes / 2));
    }
    for (std::uint32_t batch = first; batch < end; ++batch) {
      const std::uint16_t* of_batch = entries + (batch - first) * batch_words * (entry_bytes / 2);
      const auto* words = reinterpret_cast<const std::uint8_t*>(draws.words + batch * step_words);
      std::uint8_t* codes = draws.codes + batch * batch_words;
      alignas(64) std::uint8_t counts[batch_words];
      std::memcpy(counts, codes, batch_words);
      auto escaped = hn::Zero(d16);
      for (std::uint32_t at = 0; at < batch_words; at += register_bytes) {
        const Bytes drawn =
            draw_register<steps>(of_batch + at * (entry_bytes / 2), hn::Load(d8, words + at),
                                 hn::Load(d8, words + batch_words + at), escaped);
        hn::Store(drawn, d8, codes + at);
      }
      if (HWY_LIKELY(hn::AllTrue(d16, hn::Eq(escaped, hn::Zero(d16))))) continue;
      std::uint64_t places = 0;
      for (std::uint32_t i = 0; i < batch_words; ++i) {
        const std::uint32_t word = words[i] * 256U + words[batch_words + i];
        const bool beyond = word > table[counts[i] * (entry_bytes / 2) + steps - 1];
        places |= std::uint64_t{beyond} << i;
      }
      replace_escapes(draws, batch, places, counts);
    }
  }
}

#endif

/// Draws, or counts only where that is not done in registers, `batches` neighbouring batches of
/// `count` reads of the same cells.
template <unsigned steps, std::uint32_t count, std::uint32_t batches>
HWY_INLINE void draw_batches(const ActiveRows* rows, const ReadDraws* draws, std::uint32_t batch) {
  const ColumnRead& read = draws->read;
  const std::size_t stride = std::size_t{read.row_bytes} * batch_words;
  for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
    Bytes counts[count * batches];
    sum_bytes<count, batches>(rows, read.bytes + batch * stride + lane * batch_vectors, stride, 0,
                              read.row_bytes, counts);
#pragma GCC unroll 8
    for (std::uint32_t i = 0; i < count * batches; ++i) {
      const std::uint32_t at = batch + i % batches;
#if HWY_TARGET <= HWY_AVX3
      draw_batch<steps>(draws[i / batches], at, counts[i]);
#else
      hn::Store(counts[i], ByteColumns(),
                draws[i / batches].codes + at * batch_words + lane * batch_vectors);
#endif
    }
  }
}

template <unsigned steps, std::uint32_t count>
HWY_NOINLINE void draw_reads(const ReadDraws* draws, std::uint32_t all_batches) {
  ActiveRows rows[count];
  for (std::uint32_t r = 0; r < count; ++r) {
    find_rows(draws[r].read.input, draws[r].read.words, rows[r]);
  }
  std::uint32_t batch = 0;
  for (; batch + 2 <= all_batches; batch += 2) draw_batches<steps, count, 2>(rows, draws, batch);
  if (batch < all_batches) draw_batches<steps, count, 1>(rows, draws, batch);
#if HWY_TARGET > HWY_AVX3
  for (std::uint32_t r = 0; r < count; ++r) draw_read<steps>(draws[r], all_batches);
#endif
}

template <unsigned steps>
void draw_all(const StepDraws& draws, const ColumnGroups& groups, const CodeSampler& sampler,
              const DrawOrigin& origin, std::uint8_t* codes) {
  const std::uint32_t batches = groups.batches();
  const auto draws_of = [&](std::size_t i) {
    return ReadDraws{sampler, origin, draws.reads[i],
                     draws.words.data() + draws.first_words[i] * step_words,
                     codes + i * batches * batch_words};
  };
  const std::size_t size = draws.reads.size();
  for (std::size_t i = 0; i < size;) {
    std::size_t same = 1;
    while (same < most_reads && i + same < size &&
           draws.reads[i + same].bytes == draws.reads[i].bytes) {
      ++same;
    }
    const auto draw = [&]<std::size_t... each>(std::index_sequence<each...>) {
      const ReadDraws some[] = {draws_of(i + each)...};
      draw_reads<steps, sizeof...(each)>(some, batches);
    };
    switch (same) {
      case 1:
        draw(std::make_index_sequence<1>());
        break;
      case 2:
        draw(std::make_index_sequence<2>());
        break;
      case 3:
        draw(std::make_index_sequence<3>());
        break;
      default:
        draw(std::make_index_sequence<4>());
    }
    i += same;
  }
}

void draw_step_codes(const StepDraws& draws, const ColumnGroups& groups, const CodeSampler& sampler,
                     const DrawOrigin& origin, std::uint8_t* codes) {
  switch (sampler.steps()->steps()) {
    case 3:
      return draw_all<3>(draws, groups, sampler, origin, codes);
    case 5:
      return draw_all<5>(draws, groups, sampler, origin, codes);
    default:
      return draw_all<7>(draws, groups, sampler, origin, codes);
  }
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(draw_step_codes);

void draw_step_codes(const StepDraws& draws, const ColumnGroups& groups, const CodeSampler& sampler,
                     const DrawOrigin& origin, std::span<std::uint8_t> codes) {
  assert(sampler.steps());
  assert(draws.first_words.size() == draws.reads.size());
  assert(codes.size() >= draws.reads.size() * groups.batches() * batch_words);
  HWY_DYNAMIC_DISPATCH(draw_step_codes)(draws, groups, sampler, origin, codes.data());
}

}  // namespace cimstat::experiments
#endif
