#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/config/option.h"
#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/random/random.h"

/// Variation that neighbouring cells of an array share: a Gaussian random field over the die.
namespace cimstat::devices {

/// How the correlation of two cells falls with the distance between them, d_r along a column and
/// d_c along a row, in correlation lengths.
enum class FieldKernel {
  exponential,         ///< exp(-d_r) exp(-d_c): rough, Markov along rows and columns
  squared_exponential  ///< exp(-(d_r^2 + d_c^2) / 2): smooth, equal in all directions
};

inline constexpr core::Option<FieldKernel> field_kernel_options[] = {
    {FieldKernel::exponential, {"exponential", "exp(-(|x| + |y|) / length): rough"}},
    {FieldKernel::squared_exponential,
     {"squared_exponential", "exp(-(x^2 + y^2) / (2 length^2)): smooth"}}};

/// A stationary normal field of mean 0. Its unit is that of `sd`: V for thresholds, 1 for relative
/// changes of conductance.
struct SpatialField {
  FieldKernel kernel = FieldKernel::exponential;
  double sd = 0.0;                  ///< of each cell, over dies
  double correlation_length = 0.0;  ///< [m]; 0: cells are independent
  double row_pitch = 1e-6;          ///< between neighbouring cells of a column [m]
  double column_pitch = 1e-6;       ///< between neighbouring cells of a row [m]

  /// Of two cells so many rows and columns apart.
  double correlation(std::uint32_t rows_apart, std::uint32_t columns_apart) const;
  double covariance(std::uint32_t rows_apart, std::uint32_t columns_apart) const;

  /// Covariance of the means of two columns of `rows` cells, so many columns apart: sd^2 / n^2
  /// sum_ij correlation(|i - j|, columns_apart). With 0 it is the variance of a column's mean, with
  /// what all cells of a column have in common: a relative field moves the current of n equal cells
  /// by a normal common factor of exactly this variance.
  double column_mean_covariance(std::uint32_t rows, std::uint32_t columns_apart) const;
  /// The same for the rows of one column that are listed (such as the active ones).
  double mean_variance(std::span<const std::uint32_t> rows) const;

  /// Expected variance over the cells of one column about their own mean: sd^2 minus the variance
  /// of the mean. What is left of the field inside a column.
  double variance_within_column(std::uint32_t rows) const;
};

/// Draws of a field over an array, each a pure function of (seed, point, die) in domain
/// spatial_field: in any order, on any thread. Cell (i, j) has the same value in an array of any
/// size.
///
/// Exact: the covariance is a product over the two directions, so independent normals are filtered
/// along rows and columns. Exponential: an autoregression of first order. Squared exponential
/// longer than the pitch: Gaussian weights exp(-t^2 / length^2) on normals a third of a length
/// apart, whose Poisson sum is the kernel to exp(-44); shorter ones by Cholesky. Covariances are
/// right to 1e-14 of sd^2, however long the field.
class FieldSampler {
 public:
  /// Throws UsageError for no rows or columns, or more than 4,096 of either.
  FieldSampler(const SpatialField& field, std::uint32_t rows, std::uint32_t columns);

  /// The field of one die, row by row: rows x columns values in the unit of sd. die < 2^48.
  std::vector<double> draw(core::StreamKey key, std::uint64_t die) const;

  std::uint32_t rows() const { return rows_; }
  std::uint32_t columns() const { return columns_; }
  /// The covariance that the draws have by construction, for two cells; that of the field up to
  /// rounding.
  double drawn_covariance(std::uint32_t row, std::uint32_t column, std::uint32_t other_row,
                          std::uint32_t other_column) const;

 private:
  /// What one cell takes from independent normals (nodes): weights[k] of node first + k.
  struct Line {
    std::uint32_t first = 0;
    std::vector<double> weights;
  };
  /// One direction's filter.
  struct Filter {
    double decay = 0.0;  ///< exponential: correlation of neighbours; then there are no lines
    double fresh = 1.0;  ///< and what is new in each cell
    std::vector<Line> lines;
    std::uint32_t nodes = 0;

    /// From `nodes` values to `cells` values, both with the same stride.
    void apply(std::span<const double> from, std::span<double> to, std::size_t stride,
               std::uint32_t cells) const;
    double drawn_correlation(std::uint32_t cell, std::uint32_t other) const;
  };
  static Filter autoregression(double lengths_apart, std::uint32_t cells);
  static Filter cholesky(double lengths_apart, std::uint32_t cells);
  static Filter gaussian_weights(double lengths_apart, std::uint32_t cells);
  static Filter filter(FieldKernel kernel, double lengths_apart, std::uint32_t cells);

  SpatialField field_;
  std::uint32_t rows_;
  std::uint32_t columns_;
  Filter along_column_;
  Filter along_row_;
};

/// The optional section [spatial_field]: relative variation of conductance that neighbours share.
core::Section spatial_field_section();

/// Throws UsageError.
SpatialField read_spatial_field(const core::SectionReader& section);

}  // namespace cimstat::devices
