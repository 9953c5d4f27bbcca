#include "experiments/inference/drawn_codes.h"

#include "experiments/inference/aligned_vector.h"

namespace cimstat::experiments {

void show_codes(const ColumnRead& read, const ColumnGroups& groups,
                std::span<const std::uint32_t> counts, std::span<const std::uint32_t> codes,
                ReadObserver& observer) {
  for (std::uint32_t vector = 0; vector < groups.vectors(); ++vector) {
    if (!read.planes.holds(vector % groups.planes)) continue;
    const std::size_t first = std::size_t{vector} * group_channels;
    const std::uint32_t lanes = groups.lanes(vector);
    observer.see(read.active_rows, counts.subspan(first, lanes), codes.subspan(first, lanes));
  }
}

void show_step_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                     std::span<const std::uint8_t> codes, ReadObserver& observer) {
  const std::size_t columns = std::size_t{groups.vectors()} * group_channels;
  AlignedVector<std::uint32_t> counts(columns);
  AlignedVector<std::uint32_t> of_columns(columns);
  for (const ColumnRead& read : reads) {
    count_lrs(read, groups, counts);
    for (std::size_t i = 0; i < columns; ++i) {
      const std::size_t vector = i / group_channels;
      const std::size_t lane = i % group_channels;
      of_columns[i] = codes[vector / batch_vectors * batch_words + lane * batch_vectors +
                            vector % batch_vectors];
    }
    show_codes(read, groups, counts, of_columns, observer);
    codes = codes.subspan(groups.batches() * batch_words);
  }
}

void show_drawn_codes(const DrawnReads& drawn, const ColumnGroups& groups,
                      const CodeSampler& sampler, const DrawOrigin& origin,
                      ReadObserver& observer) {
  const std::size_t columns = std::size_t{groups.vectors()} * group_channels;
  AlignedVector<std::uint32_t> counts(columns);
  AlignedVector<std::uint32_t> codes(columns);
  std::size_t first = 0;
  for (const ColumnRead& read : drawn.reads) {
    count_lrs(read, groups, counts);
    for (std::size_t i = 0; i < columns; ++i) {
      // Packed as code_sampler.h says: threshold << 16 | other code << 8 | own code.
      const std::uint32_t slot = drawn.slots[first + i];
      const bool own = drawn.words[first + i] >> 16 < slot >> 16;
      std::uint32_t code = (own ? slot : slot >> 8) & 0xff;
      if (code == CodeSampler::escape) {
        const std::uint64_t draw =
            draw_number(read.first_batch, static_cast<std::uint32_t>(i / group_channels),
                        static_cast<std::uint32_t>(i % group_channels));
        code = sampler.escaped_code({counts[i], read.active_rows}, escape_word(origin, draw));
      }
      codes[i] = code;
    }
    show_codes(read, groups, counts, codes, observer);
    first += groups.batches() * batch_words;
  }
}

}  // namespace cimstat::experiments
