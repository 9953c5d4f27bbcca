#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

/// Randomness as a pure function of identity: no state is kept anywhere.
///
/// A 32-bit random word is addressed by (seed, point, instance, domain, draw). Philox4x32-10
/// (Salmon et al., SC11, doi 10.1145/2063384.2063405) maps key = seed and the counter
///     c0 = block[31:0]
///     c1 = block[37:32] | domain << 8 | instance[47:32] << 16
///     c2 = instance[31:0]
///     c3 = point
/// to four words; draw = 4 * block + word, so `block` has 38 bits where `draw` has 40.
namespace cimstat::core {

/// What a random number is for. Gaps are left so that a new effect renumbers nothing.
enum class Domain : std::uint8_t {
  programming = 16,          ///< conductances; frozen per chip
  spatial_field = 18,        ///< variation that neighbouring cells share; frozen per die
  drift = 20,                ///< drift exponents; frozen per chip
  column_cells = 24,         ///< conductances of a pool of columns; frozen per column
  read_noise = 32,           ///< fresh cell noise
  array_read = 36,           ///< fresh noise of reads of an array, cell by cell
  sense_offset = 48,         ///< frozen per column
  column_offset = 56,        ///< offsets of a pool of columns
  sense_noise = 64,          ///< fresh
  column_noise = 72,         ///< fresh noise of the reads of a pool of columns
  column_sum = 80,           ///< tables of sums of cells, offset and noise (one read of one column)
  row_state_sum = 84,        ///< the same of columns of more than two states a row
  stream_seed = 96,          ///< states of the fast stream
  converter_mismatch = 104,  ///< elements and comparators of a converter; frozen
  input_pattern = 112,
  column_pattern = 120,  ///< active rows of the reads of a pool of columns
  code_sampling = 128,   ///< codes drawn from an error table, by 32 bits
  code_steps = 136,      ///< the same, by 16 bits
  code_escape = 144,     ///< second draws of rare codes
  rare_event = 160,      ///< importance samples and Markov chains
  scrambling = 176,      ///< of low-discrepancy points
  bootstrap = 192,       ///< data drawn from a fitted law
  stopping = 208,        ///< times of trials, by which a sequential estimate is made (GBAS)
  die_factor = 224,      ///< common to all columns of a die
  sweep_points = 232,    ///< Latin hypercubes of sweeps
  test = 240,
};

/// Who asks: everything that stays constant over a run. Common random numbers set `point` to 0.
struct StreamKey {
  std::uint64_t seed = 0;
  std::uint32_t point = 0;
};

inline constexpr std::uint64_t instance_limit = std::uint64_t{1} << 48;
inline constexpr std::uint64_t block_limit = std::uint64_t{1} << 38;

/// Trials come in tiles of this many; chunks are aligned multiples of it.
inline constexpr std::size_t tile_trials = 64;

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline constexpr std::array<std::uint32_t, 2> philox_multiplier{0xD2511F53u, 0xCD9E8D57u};
inline constexpr std::array<std::uint32_t, 2> philox_key_step{0x9E3779B9u, 0xBB67AE85u};

/// Philox4x32-10, scalar. The reference for the vector code (core/random/philox-inl.h).
PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key);

PhiloxKey key_of(StreamKey key);

/// The counter of one block of four draws. Asserts the limits above (they are checked when a
/// configuration is read; this is the inner check).
PhiloxCounter counter_of(StreamKey key, Domain domain, std::uint64_t instance, std::uint64_t block);

/// The words of one (key, domain, instance) in draw order, as a Boost.Random and standard
/// UniformRandomBitGenerator. For set-up draws, reference implementations and tests.
class TrialRandom {
 public:
  using result_type = std::uint32_t;
  TrialRandom(StreamKey key, Domain domain, std::uint64_t instance, std::uint64_t first_block = 0);
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()();
  double uniform();  ///< (0, 1), 53 bits, from two words

 private:
  StreamKey key_;
  Domain domain_;
  std::uint64_t instance_;
  std::uint64_t block_;
  PhiloxCounter words_{};
  unsigned next_ = 4;
};

/// A run of blocks of one (key, domain), prepared for tiles: lanes are instances, so all lanes
/// share the block number, and what depends on it in Philox's first rounds is worked out here,
/// once.
class BlockSchedule {
 public:
  BlockSchedule() = default;
  /// The run must not cross a multiple of 2^32 blocks (asserted).
  BlockSchedule(StreamKey key, Domain domain, std::uint64_t first_block, std::size_t count);

  /// What the block number and the keys add to three words of the state after the second round; in
  /// word1 with the third round's key.
  struct Block {
    std::uint64_t word0;
    std::uint64_t word1;
    std::uint64_t word2;
  };
  const std::vector<Block>& blocks() const { return blocks_; }
  const std::array<PhiloxKey, 10>& round_keys() const { return round_keys_; }
  StreamKey key() const { return key_; }
  Domain domain() const { return domain_; }
  std::uint64_t first_block() const { return first_block_; }

 private:
  StreamKey key_;
  Domain domain_ = Domain::test;
  std::uint64_t first_block_ = 0;
  std::array<PhiloxKey, 10> round_keys_{};
  std::vector<Block> blocks_;
};

/// Which generator fills the tiles.
enum class Stream {
  philox,  ///< random access: any word of any trial
  fast,  ///< xoshiro128++ in 16 virtual lanes, seeded per tile from Philox: about 1.7 times as fast
};

}  // namespace cimstat::core
