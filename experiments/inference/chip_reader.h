#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/random/random.h"

#include "experiments/inference/chip_kernel.h"
#include "experiments/inference/column_layer.h"
#include "experiments/inference/draw_words.h"
#include "experiments/inference/forward_pass.h"

/// A network's analog layers, read on one chip: what chip_cells.h freezes, with fresh noise at each
/// read.
///
/// Given a chip, a read's normal part (read noise of its active cells, and Gaussian sense noise) is
/// one normal draw, whose variance is the sum of theirs; logistic sense noise is a draw of its own.
/// Sense noise that follows the current sees it without the cells' read noise, as in frozen_pool.h.
///
/// Random words of the noise, with the instance 2^47 + 2^28 chip + (image * reads + read): position
/// p = ((pixel * parts + part) * input_bits + activation plane) * votes + vote of vector v of tile
/// t takes word p mod 4 of block 16 b + lane, b = first batch + (t * vectors + v) * ceil(pixels *
/// parts * input_bits * votes / 4) + p / 4 (parts of a tile's rows: tile_layout.h; votes: those of
/// ProtectedDiagonals where protected reads vote, of which others are vote 0, else 1), of
/// Domain::column_noise (normal) and Domain::sense_noise (logistic); the first batch is the number
/// of those of the analog layers before, each group of a layer being a layer of its own. So four
/// reads of a column share a Philox block, where code_sampling shares it among four columns: a
/// vector is read by all pixels of a run before the next one, while its cells are in the
/// first-level cache. Chip 0 has numbers of its own, too. The fast stream begins anew for each run
/// of 64 pixels of each vector of each tile, at address b of the run's first position, normal draws
/// first, then (from 2^33 + b on) logistic ones.
namespace cimstat::experiments {

inline constexpr std::uint32_t run_pixels = 64;

constexpr std::uint64_t chip_read_instance(std::uint32_t chip, std::uint64_t image_read) {
  return chip_instances + (std::uint64_t{chip} << 28) + image_read;
}

/// All analog layers on one chip, by ColumnLayer::index().
struct ChipNetwork {
  struct Place {
    ChipLayer layer;
    std::uint64_t first_batch = 0;  ///< of its noise
  };
  std::map<std::uint32_t, Place> places;
};

/// Throws UsageError where the network's layers don't fit the contract's numbers.
void check_chip_network(const ChipDesign& design, const ForwardPass& pass);

ChipNetwork draw_chip(const ChipDesign& design, const ForwardPass& pass, core::StreamKey key,
                      std::uint32_t chip, core::Threads threads);

/// Reads a chip's columns, for one worker; design and chip must outlive it.
class ChipReader : public LayerSource {
 public:
  ChipReader(const ChipDesign& design, core::Stream stream);
  void use(const ChipNetwork& chip) { chip_ = &chip; }
  void observe(ReadObserver* observer) override { observer_ = observer; }

  /// `origin.instance` is that of chip_read_instance().
  void estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map,
                const DrawOrigin& origin, std::span<double> estimates) override;

 private:
  /// Pixels first .. first + count - 1 of a layer.
  struct Run {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  struct Vector {
    std::uint32_t tile = 0;
    std::uint32_t number = 0;  ///< in the tile
    std::uint64_t batch = 0;   ///< of its random words
  };
  void pack(const ColumnLayer& layer, Run run);
  void collect_reads(const ColumnLayer& layer, std::uint32_t tile, Run run);
  /// Splits the reads of the tile into those of the vector that are not protected and the votes of
  /// those that are.
  void select_reads(const ColumnLayer& layer, std::uint32_t plane);
  void draw_noise(const DrawOrigin& origin, std::uint64_t batch, std::size_t positions);
  void read_vector(const ColumnLayer& layer, const ChipLayer& chip, const Vector& vector,
                   const DrawOrigin& origin, std::size_t positions);
  /// Currents of the reads, and their codes where references are not even.
  void sense(const ColumnLayer& layer, const ChipLayer& chip, const Vector& vector,
             std::span<const ChipRead> reads);
  /// [lane], of a read whose currents are known.
  std::array<std::uint32_t, group_channels> codes_of(const ChipRead& read) const;
  ChipSums sums_of(const ColumnLayer& layer, const Vector& vector, std::int32_t* sums) const;
  /// add(reads, to) of magnitudes and of a sign cycle, whose codes count negatively: it comes last.
  template <class Add>
  static void add_signed(const ColumnLayer& layer, std::span<const ChipRead> reads, ChipSums to,
                         const Add& add);
  void add_codes(const ColumnLayer& layer, const Vector& vector);
  void add_votes(const ColumnLayer& layer, const Vector& vector);
  /// Shows reads of the vector; the codes of voted ones stand at their positions.
  void show_codes(const ColumnLayer& layer, const Vector& vector, std::span<const ChipRead> reads,
                  bool voted);

  const ChipDesign& design_;
  bool fast_;
  ChipNoise noise_;
  bool even_;  ///< all ladders, and no converter differs
  const ChipNetwork* chip_ = nullptr;
  ReadObserver* observer_ = nullptr;
  std::vector<std::uint8_t> padded_;
  std::vector<ActivationPlanes> planes_;  ///< [pixel of the run]
  std::vector<ChipRead> tile_reads_;      ///< each once, of all planes
  std::vector<ChipRead> reads_;           ///< of a vector, not protected
  std::vector<ChipRead> votes_;      ///< of a vector, protected, with all votes of each in turn
  std::vector<std::int64_t> units_;  ///< [pixel of the run], of reads that are not protected
  std::vector<std::int64_t> vote_units_;  ///< ... of those that vote
  AlignedVector<std::int32_t> sums_;
  AlignedVector<std::int32_t> vote_sums_;
  AlignedVector<float> tables_;
  AlignedVector<std::uint32_t> words_;
  AlignedVector<std::uint32_t> index_;
  AlignedVector<float> normal_;
  AlignedVector<float> logistic_;
  AlignedVector<float> variances_;
  AlignedVector<float> currents_;
};

}  // namespace cimstat::experiments
