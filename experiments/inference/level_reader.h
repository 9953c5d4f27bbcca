#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "experiments/inference/level_chip.h"
#include "experiments/inference/level_kernel.h"

/// Reads the columns of chips with cells of several levels, bit-serially.
///
/// For each pixel, tile, part of its rows, activation bit z and slice k, the sum p of an output's
/// cells of active rows, added in the order of the rows, is converted, and so is, where codes are
/// subtracted, that of the tile's dummy column, q:
///     sum w x = sum_k,z L^k 2^z (C(p) - C(q)) / (1 - 1/R) + ((L^slices - 1) / 2 - 2^(bits - 1))
///     sum x
/// where the last term is digital. A converter of the column's range gives codes by its references,
/// and reads without an active row are skipped. One with an observed range stands for
///     C(t) = min + step clamp(floor((t - min) / step), 0, codes - 1), step = (max - min) / codes
/// with min and max over all outputs, pixels and images of one (tile, part, z, k), reads without an
/// active row among them; dummy columns have a range of their own for each (tile, part, z)
/// (NeuroSim V1.4). With CodeValue::middle it stands for half a step more where step isn't 0, and
/// reads without an active row are skipped, though ranges know them.
namespace cimstat::experiments {

/// Least and largest partial sums of one layer.
struct SeenRange {
  AlignedVector<double> low;  ///< [tile][part][activation bit][slice][width]
  AlignedVector<double> high;
  std::vector<double> dummy_low;  ///< [tile][part][activation bit]
  std::vector<double> dummy_high;

  void add(const SeenRange& other);
};

/// Converters of one layer whose range was observed.
struct ObservedCodes {
  std::vector<EvenCodes> columns;  ///< [tile][part][activation bit][slice]
  std::vector<EvenCodes> dummy;    ///< [tile][part][activation bit]
};
ObservedCodes observed_codes(const LevelDesign& design, const ColumnLayer& layer,
                             const LevelLayer& cells, const SeenRange& seen);

class LevelReader : public LayerSource {
 public:
  using Ranges = std::map<std::uint32_t, SeenRange>;  ///< by the layer's index()
  using Converters = std::map<std::uint32_t, ObservedCodes>;

  /// The design outlives it.
  explicit LevelReader(const LevelDesign& design);
  /// Reads this chip from now on.
  void use(const LevelNetwork& chip) { chip_ = &chip; }
  /// From now on estimates are 0, and what partial sums there are is kept.
  void look();
  /// Estimates from now on; `converters` of layers that are read have to be there where ranges are
  /// observed.
  void convert(const Converters* converters);
  const Ranges& seen() const { return seen_; }

  void estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map,
                const DrawOrigin& origin, std::span<double> estimates) override;

 private:
  struct Read;
  void read_pixel(const ColumnLayer& layer, const LevelLayer& cells, SeenRange* seen);
  void keep(const Read& read, const LevelLayer& cells, SeenRange& seen);
  void convert_read(const Read& read, const LevelLayer& cells, const ObservedCodes* codes);
  double value_by_references(double sum) const;

  const LevelDesign& design_;
  const LevelNetwork* chip_ = nullptr;
  const Converters* converters_ = nullptr;
  bool looking_ = false;
  Ranges seen_;
  std::vector<std::uint8_t> padded_;
  double zero_value_ = 0.0;  ///< of the layer being read, in steps
  std::vector<std::uint32_t> rows_;
  std::vector<ActivationPlanes> planes_;  ///< one, once there is a layer
  AlignedVector<double> sums_;
  AlignedVector<double> outputs_;
};

}  // namespace cimstat::experiments
