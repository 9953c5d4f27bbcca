#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

/// The two stages of the column kernel on their own: the limits that it is measured against.
namespace cimstat::bench {

enum class Stage {
  philox,     ///< fill a tile with Philox words
  fast,       ///< ... with words of the fast stream
  transform,  ///< look up and add the quantiles of the words that a fill left
};

class KernelStages {
 public:
  explicit KernelStages(std::size_t rows);
  ~KernelStages();
  /// One tile of 64 trials and `rows` rows, in chunks of 32 rows as in the kernel.
  void run(Stage stage, std::uint64_t tile);
  /// Compares what the last run of `stage` left in memory with scalar code, word for word.
  bool last_result_is_right(Stage stage) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cimstat::bench
