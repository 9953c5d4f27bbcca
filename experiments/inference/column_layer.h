#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "core/random/random.h"

#include "experiments/inference/aligned_vector.h"
#include "experiments/inference/bit_planes.h"
#include "experiments/inference/code_sampler.h"
#include "experiments/inference/column_kernel.h"
#include "experiments/inference/network.h"

/// A weighted layer on binary cells, bit-serial: partial sums become codes, codes add up.
///
/// For each output pixel, tile of word lines, activation plane i, weight plane j and output channel
/// a column is read: n rows are active, k of them in LRS, and a code comes out. It stands for
/// code_origin + code_step * code, and counts +-2^(i + j)-fold. Where no row is active, the digital
/// logic skips the read: the partial sum is 0.
namespace cimstat::experiments {

/// Something that turns LRS counts into codes, one read at a time; used by one thread.
class CodeSource {
 public:
  virtual ~CodeSource() = default;
  /// `counts`[vector][lane] holds k on entry and the code on return. Lanes beyond the layer's
  /// channels are counted (with k = 0) and ignored. read.active_rows > 0.
  virtual void read(const ColumnRead& read, const ColumnGroups& groups, const DrawOrigin& origin,
                    std::span<std::uint32_t> counts) = 0;
};

/// The converter without errors: code = k.
class IdealCodes : public CodeSource {
 public:
  void read(const ColumnRead&, const ColumnGroups&, const DrawOrigin&,
            std::span<std::uint32_t>) override {}
};

/// Codes drawn afresh for each read from an error table.
struct SampledCodes {
  const CodeSampler* sampler = nullptr;
  core::Stream stream = core::Stream::philox;
};

/// Codes from elsewhere.
struct SourcedCodes {
  CodeSource* source = nullptr;
  double code_step = 1.0;
  double code_origin = 0.0;
};

using ColumnReading = std::variant<SampledCodes, SourcedCodes>;

/// Sees every read, for statistics; used by one thread. What it does decides no code.
class ReadObserver {
 public:
  virtual ~ReadObserver() = default;
  /// LRS counts and codes of columns that the same word lines read, up to 16, one for each channel.
  virtual void see(std::uint32_t active_rows, std::span<const std::uint32_t> counts,
                   std::span<const std::uint32_t> codes) = 0;
};

class ColumnLayer {
 public:
  /// Scratch memory of one worker.
  struct Workspace {
    ReadObserver* observer = nullptr;  ///< of all reads, where there is one
    std::vector<std::uint8_t> padded;
    std::optional<ActivationPlanes> planes;
    std::vector<ColumnRead> reads;
    std::vector<std::uint64_t> first_batches;  ///< of the reads
    AlignedVector<std::uint32_t> words;
    AlignedVector<std::uint32_t> slots;
    AlignedVector<std::int32_t> sums;
    AlignedVector<std::uint32_t> seen;  ///< LRS counts for the observer
  };

  /// `layer` is a convolution or fully connected; `index` is its place in the network (below 2^14)
  /// and `first_batch` the number of random batches that the layers before it own per image.
  /// Throws UsageError for rows out of range.
  ColumnLayer(const Layer& layer, MapShape input, std::uint32_t input_bits, std::uint32_t rows,
              WeightMapping mapping, std::uint32_t index, std::uint64_t first_batch);

  /// Batches of random words that it owns per image: pixels x tiles x activation planes x batches
  /// of a read, in this order (reads without an active row own theirs too).
  std::uint64_t batches() const;
  /// Columns read per image, unused lanes and skipped reads left out and counted, respectively.
  std::uint64_t partial_sums() const;
  /// Rows of the fullest tile: the largest n that can occur.
  std::uint32_t most_active_rows() const { return layout_.height(0); }
  /// Whether sums of codes below `codes` fit in 32 bits.
  bool holds(std::uint32_t codes) const;
  Workspace workspace() const;

  // How it lies on arrays, for what reads its columns in another order.
  const TileLayout& layout() const { return layout_; }
  const PatchGeometry& geometry() const { return geometry_; }
  const WeightPlanes& weights() const { return weights_; }
  const ColumnGroups& groups() const { return groups_; }
  std::uint32_t input_bits() const { return input_bits_; }
  std::uint32_t index() const { return index_; }

  /// The estimates of one pixel from its sums of codes, [group][lane], and the sum of 2^shift over
  /// its reads (those without an active row are none).
  struct PixelSums {
    std::uint32_t pixel = 0;
    std::span<const std::int32_t> codes;
    std::int64_t units = 0;
  };
  void store_estimates(const PixelSums& sums, double code_step, double code_origin,
                       std::span<double> estimates) const;

  /// The estimates of acc = sum w x (network.h), [output][pixel]. `map` holds the input.
  void estimate(std::span<const std::uint8_t> map, const ColumnReading& reading,
                const DrawOrigin& origin, Workspace& workspace, std::span<double> estimates) const;

 private:
  void collect_reads(std::uint32_t pixel, Workspace& workspace) const;
  void sample(const SampledCodes& codes, const DrawOrigin& origin,
              std::optional<FastStream>& stream, Workspace& workspace) const;
  void sample(const SourcedCodes& codes, const DrawOrigin& origin,
              std::optional<FastStream>& stream, Workspace& workspace) const;

  TileLayout layout_;
  PatchGeometry geometry_;
  WeightPlanes weights_;
  ColumnGroups groups_;
  std::uint32_t input_bits_;
  std::uint32_t index_;
  std::uint64_t first_batch_;
};

}  // namespace cimstat::experiments
