#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"

#include "circuits/arrays/array_plane.h"
#include "circuits/sampled/code_search.h"

/// Matrix-vector products of a frozen array: inputs on the rows, sums of conductances on the
/// columns, read noise fresh in every product.
namespace cimstat::circuits {

/// An array as it is read: the cell gives conductance + noise_sd * z, z ~ N(0, 1) anew in every
/// product. Both in one unit of the caller's; equal shapes.
struct NoisyArray {
  ArrayPlane conductance;
  ArrayPlane noise_sd;
};

/// Every cell has the same read noise relative to its conductance.
NoisyArray with_relative_noise(ArrayPlane conductance, double relative_sd);
/// Two arrays whose columns are subtracted from each other, as one of signed conductances. Equal in
/// law for as long as the difference alone is converted: the difference of two normals is one.
NoisyArray difference(const NoisyArray& positive, const NoisyArray& negative);

enum class NoiseDraw {
  none,      ///< conductances as they are
  per_cell,  ///< one draw for each cell whose input is not 0
  per_sum,   ///< one draw for each sum, with the variance of its cells: equal in law, as the noise
             ///< of a cell is normal and independent of all others
};

inline constexpr std::uint64_t product_limit = std::uint64_t{1} << 27;

struct ProductOptions {
  ArrayPlace place = {};
  NoiseDraw noise = NoiseDraw::per_cell;
  core::Stream stream = core::Stream::philox;  ///< of per_cell
  /// Number of the first product among those of the array: each has noise of its own. With
  /// NoiseDraw::per_sum a multiple of 4, so that no result depends on how products are grouped.
  std::uint64_t first_product = 0;
  core::Threads threads = {1};
};

/// `inputs` [product][row], small whole numbers, as word-line levels or bits; `sums`
/// [product][column], in the unit of the array times that of the inputs. Rows are added in order,
/// in floats.
///
/// Noise of product p, cell by cell: the rows whose input is not 0 take words 0, 1, 2 ... of
/// (place, Domain::read_noise) from block 2^10 p on; the fast stream starts from block 2^36 + 16 p
/// of Domain::stream_seed. For each sum: word p mod 4 of block 2^37 + p / 4 of Domain::read_noise.
/// Throws UsageError for product numbers beyond product_limit and as check() does.
void multiply(const NoisyArray& array, std::span<const std::uint8_t> inputs,
              const ProductOptions& options, std::span<float> sums);

/// The bits of `inputs` [product][row] as inputs of their own, lowest first: [product][bit][row].
std::vector<std::uint8_t> bit_planes(std::span<const std::uint8_t> inputs, std::uint32_t rows,
                                     unsigned bits);

/// What a converter makes of each sum.
void convert(std::span<const float> sums, const CodeSearch& search, std::span<std::uint32_t> codes);

/// `codes` [product][bit][column]: shifted and added, [product][column].
std::vector<std::int64_t> shift_and_add(std::span<const std::uint32_t> codes, std::uint32_t columns,
                                        unsigned bits);

}  // namespace cimstat::circuits
