#include "experiments/inference/column_layer.h"
#include "experiments/inference/drawn_codes.h"
#include "experiments/inference/step_kernel.h"

namespace cimstat::experiments {
namespace {

constexpr std::uint32_t halves = batch_words / step_words;

/// A batch of draws takes half a batch of words: that of draws g has the half g mod 2 of the words
/// g / 2. Lists the batches of words that the reads need, in turn, and where each read begins in
/// them; neighbours share one. There are no more than the reads have batches of draws.
void list_words(std::span<const ColumnRead> reads, std::uint32_t batches,
                std::vector<std::uint64_t>& listed, std::vector<std::uint32_t>& first_words) {
  listed.clear();
  first_words.clear();
  for (const ColumnRead& read : reads) {
    std::uint64_t next = read.first_batch / halves;
    const std::uint64_t end = (read.first_batch + batches + halves - 1) / halves;
    if (!listed.empty() && listed.back() == next) {
      ++next;
      first_words.push_back(static_cast<std::uint32_t>((listed.size() - 1) * halves));
    } else {
      first_words.push_back(static_cast<std::uint32_t>(listed.size() * halves));
    }
    first_words.back() += static_cast<std::uint32_t>(read.first_batch % halves);
    for (; next < end; ++next) listed.push_back(next);
  }
}

}  // namespace

void ColumnLayer::draw_steps(const Draw& draw, std::span<const ColumnRead> reads,
                             Workspace& workspace, std::span<std::int32_t> sums) const {
  const std::uint32_t batches = groups_.batches();
  std::vector<std::uint32_t>& first_words = workspace.first_words;
  std::size_t used = 0;  // batches of words
  if (draw.stream) {
    first_words.clear();
    for (std::uint32_t i = 0; i < reads.size(); ++i) first_words.push_back(i * batches);
    used = (reads.size() * batches + halves - 1) / halves;
    draw.stream->fill(std::span(workspace.words).first(used * batch_words));
  } else {
    list_words(reads, batches, workspace.first_batches, first_words);
    used = workspace.first_batches.size();
    fill_batches(draw.origin, core::Domain::code_steps, workspace.first_batches, 1,
                 std::span(workspace.words).first(used * batch_words));
  }
  draw_step_codes({reads, std::span(workspace.words).first(used * batch_words), first_words},
                  groups_, draw.sampler, draw.origin, workspace.codes);
  add_step_codes(reads, groups_, workspace.codes, sums);
  if (workspace.observer) {
    show_step_codes(reads, groups_, workspace.codes, *workspace.observer);
  }
}

}  // namespace cimstat::experiments
