#pragma once

#include <algorithm>
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
#include "experiments/inference/input_cycles.h"
#include "experiments/inference/network.h"
#include "experiments/inference/weighted_reads.h"

/// A weighted layer on binary cells: partial sums become codes, codes add up.
///
/// For each output pixel, tile of word lines, part of its rows, activation plane i, weight plane j
/// and output channel a column is read: n rows are active, k of them in LRS, and a code comes out.
/// It stands for code_origin + code_step * code, and counts +-2^(i + j)-fold. Where no row is
/// active, the digital logic skips the read: the partial sum is 0.
///
/// With several activation bits in a cycle, rows are driven at levels 0 .. 2^b - 1 of the b planes
/// from i on; k and n then are sums of levels, and a code stands for 2^b - 1 times as much. With
/// several bits of a weight in a column (WeightSlices) k is a sum of products, and a code stands
/// for what its slice spans times as much.
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
  const CodeSampler* protected_sampler = nullptr;  ///< of protected reads; null: counted exactly
};

/// Codes from elsewhere; protected reads are counted exactly.
struct SourcedCodes {
  CodeSource* source = nullptr;
  double code_step = 1.0;
  double code_origin = 0.0;
  bool are_counts = false;  ///< LRS counts, not what a converter makes of a column's current
};

class ParallelCodes;

/// Codes drawn afresh for each read of several activation bits.
struct DrawnParallelCodes {
  const ParallelCodes* codes = nullptr;
  core::Stream stream = core::Stream::philox;
  const ParallelCodes* protected_codes = nullptr;  ///< as above
};

using ColumnReading = std::variant<SampledCodes, SourcedCodes, DrawnParallelCodes>;

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
    std::vector<ColumnRead> protected_reads;
    std::vector<std::uint64_t> first_batches;  ///< of random words
    std::vector<std::uint32_t> first_words;    ///< of theirs in `words` (step_kernel.h)
    AlignedVector<std::uint32_t> words;
    AlignedVector<std::uint32_t> slots;
    AlignedVector<std::uint8_t> codes;
    AlignedVector<std::int32_t> sums;
    AlignedVector<std::int32_t> protected_sums;
    AlignedVector<std::uint32_t> seen;  ///< LRS counts for the observer
  };

  /// `layer` is a convolution or fully connected; `index` is its place in the network (below 2^14)
  /// and `first_batch` the number of random batches that the layers before it own per image.
  /// `layer.zero_level` stands for a real 0 among the levels of its input, whatever its kind; above
  /// 0 it has a sign cycle with InputSigns::cycle.
  /// Throws UsageError for options that TileLayout refuses, for a faultless converter beside a
  /// dummy column, for fewer than two votes or more than most_votes, for more bits in a cycle than
  /// the input has, for what check_weighted_reads refuses, for native weights of -2^(weight_bits -
  /// 1), and with WeightMapping::xnor unless weights have 1 bit and inputs are signs.
  ColumnLayer(const Layer& layer, MapShape input, std::uint32_t input_bits,
              const ArrayOptions& options, std::uint32_t index, std::uint64_t first_batch);

  /// Batches of 64 draws that it owns per image: pixels x tiles x parts of a tile x cycles of
  /// activation planes x batches of a read, in this order (reads without an active row own theirs
  /// too).
  std::uint64_t batches() const;
  /// Columns read per image, unused lanes and skipped reads left out and counted, respectively.
  /// What is counted digitally is not read, and reads that vote count as one.
  std::uint64_t partial_sums() const;
  /// Of a part of the fullest tile: the largest n that can occur.
  std::uint32_t most_active_rows() const {
    return std::min(layout_.height(0), layout_.rows_per_read()) / rows_of_an_input(mapping_);
  }
  /// Whether sums of codes below `codes` fit in 32 bits.
  bool holds(std::uint32_t codes) const;
  Workspace workspace() const;

  /// Writes other weights, as many, into the arrays: of one kernel position, and of magnitudes
  /// below 2^(weight_bits - 1), as those that it was made with.
  void write(std::span<const std::int8_t> weights);

  // How it lies on arrays, for what reads its columns in another order.
  const TileLayout& layout() const { return layout_; }
  const PatchGeometry& geometry() const { return geometry_; }
  const WeightPlanes& weights() const { return weights_; }
  const ColumnGroups& groups() const { return groups_; }
  /// Activation planes: with a sign those of two's complement.
  std::uint32_t input_bits() const { return cycles_.input_bits; }
  const InputCycles& cycles() const { return cycles_; }
  const WeightSlices& slices() const { return slices_; }
  std::uint32_t index() const { return index_; }
  const ProtectedDiagonals& diagonals() const { return diagonals_; }

  /// Weight planes of a read of cycle `cycle` whose codes are protected: from .begin on all to the
  /// top.
  PlaneRange protected_planes(std::uint32_t cycle) const;
  /// What a unit of each code of a read adds up to: the signed sum of 2^(plane + shift), of native
  /// weights 2^shift times what a row spans; in a sign cycle, of which `shift` is the plane, less
  /// 0.
  std::int64_t units(const PlaneRange& planes, std::uint32_t shift) const;

  /// Which planes' codes are LRS counts, not what a converter makes of a column's current.
  enum class Counted { none, spared, all };
  /// What every output of a pixel has beside its codes, as digital logic counts it: that by which
  /// what the cells of n active rows hold exceeds the weights, less n / 2 for each unit of codes
  /// that a dummy column took it off of; else 0. So of offset weights sum w x = sum_j 2^j (k_j - n
  /// / 2) - n / 2, of biased ones sum_j 2^j k_j - 2^(bits - 1) n, and of 1 bit both are 2 k - n.
  double offset_of(const ActivationPlanes& planes, Counted counted) const;

  /// Sums of codes of one pixel, [group][lane], the units of their reads (those without an active
  /// row are none), what a code stands for, and what is added.
  struct PixelSums {
    std::span<const std::int32_t> codes;
    std::int64_t units = 0;
    double code_step = 1.0;
    double code_origin = 0.0;  ///< of converters of offset weights less zero_value()
    double constant = 0.0;
  };
  double zero_value() const { return zero_value_; }
  /// What a unit of weight plane 0 counts: 2 where a bit stands for -1 and +1, else 1.
  std::int64_t code_weight() const { return code_weight_; }
  /// code_weight() times what the cells of a row hold, less its weight.
  std::int64_t excess() const { return excess_; }
  /// Writes the estimates of a pixel, or adds to them. They are of what drives the rows until
  /// finish() has seen them all: it adds what other levels or signs stand for.
  void store_estimates(std::uint32_t pixel, const PixelSums& sums,
                       std::span<double> estimates) const;
  void add_estimates(std::uint32_t pixel, const PixelSums& sums, std::span<double> estimates) const;

  void finish(std::span<double> estimates) const;

  /// Adds what the protected planes of a pixel count, in exact integers, to the estimates. Memory
  /// of the workspace but its reads is used.
  void add_protected_counts(const ActivationPlanes& planes, std::uint32_t pixel,
                            Workspace& workspace, std::span<double> estimates) const;

  /// The estimates of acc = sum w x (network.h), [output][pixel]. `map` holds the input. Sampled
  /// codes, and sourced ones that are no counts, are of cycles and cells of one bit.
  void estimate(std::span<const std::uint8_t> map, const ColumnReading& reading,
                const DrawOrigin& origin, Workspace& workspace, std::span<double> estimates) const;

 private:
  /// What all pixels' reads at one place have in common.
  struct ReadPlace {
    std::uint32_t tile = 0;
    std::uint32_t part = 0;
    std::uint32_t plane = 0;  ///< the lowest of `bits` activation planes
    std::uint32_t bits = 1;
    PlaneRange plain;   ///< weight planes whose codes are not protected
    PlaneRange spared;  ///< those whose are
    std::int64_t plain_units = 0;
    std::int64_t spared_units = 0;
  };
  /// Draws codes of reads and adds them to sums.
  struct Draw {
    const CodeSampler& sampler;
    const DrawOrigin& origin;
    std::optional<FastStream>& stream;
  };
  enum class Reads { plain, spared };
  /// Reads of a pixel whose planes are protected, or those whose are not.
  /// Those of sign cycles come first.
  void collect_reads(const ActivationPlanes& planes, std::uint32_t pixel, Reads which,
                     std::vector<ColumnRead>& reads) const;
  /// add(reads) of sign cycles, whose sums are then negated, and of all others.
  template <class Add>
  void add_signed(std::span<const ColumnRead> reads, std::span<std::int32_t> sums,
                  const Add& add) const;
  void weigh_zero(std::span<const std::int8_t> weights);
  void draw_codes(const Draw& draw, std::span<const ColumnRead> reads, Workspace& workspace,
                  std::span<std::int32_t> sums) const;
  void draw_slots(const Draw& draw, std::span<const ColumnRead> reads, Workspace& workspace,
                  std::span<std::int32_t> sums) const;
  void draw_steps(const Draw& draw, std::span<const ColumnRead> reads, Workspace& workspace,
                  std::span<std::int32_t> sums) const;
  void draw_parallel(const ParallelCodes& codes, const DrawOrigin& origin,
                     std::optional<FastStream>& stream, std::span<const ColumnRead> reads,
                     Workspace& workspace, std::span<std::int32_t> sums) const;
  void read_source(const SourcedCodes& codes, const DrawOrigin& origin,
                   std::span<const ColumnRead> reads, Workspace& workspace) const;
  /// take(output, estimate) of each output of a pixel.
  template <class Take>
  void visit_estimates(const PixelSums& sums, const Take& take) const;
  PixelSums pixel_sums(std::span<const ColumnRead> reads,
                       std::span<const std::int32_t> codes) const;

  TileLayout layout_;
  PatchGeometry geometry_;
  WeightPlanes weights_;
  ColumnGroups groups_;
  ProtectedDiagonals diagonals_;
  WeightMapping mapping_;
  bool has_dummy_;
  double zero_value_;
  std::int64_t code_weight_ = 1;
  std::int64_t excess_ = 0;
  std::vector<double> sums_of_weights_;  ///< of inputs that are signs, on one row each; else empty
  std::uint32_t zero_level_;     ///< where that is taken off of what drives the rows; else 0
  std::vector<double> of_zero_;  ///< [output]: it times the sum of the weights
  std::uint32_t weight_bits_;
  InputCycles cycles_;
  WeightSlices slices_;
  std::uint32_t index_;
  std::uint64_t first_batch_;
  std::vector<ReadPlace> places_;  ///< [tile][part][cycle]
};

}  // namespace cimstat::experiments
