#include "experiments/inference/column_layer.h"

#include <algorithm>
#include <cassert>

#include "experiments/inference/digital_layer.h"
#include "experiments/inference/drawn_codes.h"

namespace cimstat::experiments {
namespace {

/// Random words are made for this many batches at a time: 4 KB, so that they, the slots, weights
/// and the table's rows stay in the first-level cache.
constexpr std::size_t chunk_batches = 16;

std::uint32_t input_count(const Layer& layer) {
  return layer.weight_shape[1] * layer.weight_shape[2] * layer.weight_shape[3];
}

}  // namespace

ColumnLayer::ColumnLayer(const Layer& layer, MapShape input, std::uint32_t input_bits,
                         std::uint32_t rows, WeightMapping mapping, std::uint32_t index,
                         std::uint64_t first_batch)
    : layout_(input_count(layer), rows),
      geometry_(patch_geometry(layer, input)),
      weights_(
          weight_planes(layer.weight, layer.weight_shape[0], layer.weight_bits, layout_, mapping)),
      groups_{weights_.sets * weights_.groups, weights_.planes, weights_.top_plane_negative,
              weights_.outputs},
      input_bits_(input_bits),
      index_(index),
      first_batch_(first_batch) {
  assert(geometry_.inputs() == layout_.inputs());
  assert(index < 1U << 14);
}

std::uint64_t ColumnLayer::batches() const {
  return std::uint64_t{geometry_.pixels()} * layout_.tiles() * input_bits_ * groups_.batches();
}

std::uint64_t ColumnLayer::partial_sums() const {
  return std::uint64_t{geometry_.pixels()} * layout_.tiles() * input_bits_ * weights_.sets *
         weights_.planes * weights_.outputs;
}

bool ColumnLayer::holds(std::uint32_t codes) const {
  const double largest = static_cast<double>(layout_.tiles()) * codes *
                         static_cast<double>(1U << (input_bits_ + weights_.planes));
  return largest < 2147483648.0;
}

ColumnLayer::Workspace ColumnLayer::workspace() const {
  Workspace result;
  result.planes.emplace(layout_, input_bits_);
  const std::size_t reads_at_once = std::max<std::size_t>(1, chunk_batches / groups_.batches());
  result.words.resize(reads_at_once * groups_.batches() * batch_words);
  result.slots.resize(result.words.size());
  result.sums.resize(std::size_t{groups_.groups} * group_channels);
  return result;
}

void ColumnLayer::collect_reads(std::uint32_t pixel, Workspace& workspace) const {
  workspace.planes->pack(geometry_, workspace.padded, pixel);
  workspace.reads.clear();
  workspace.first_batches.clear();
  for (std::uint32_t tile = 0; tile < layout_.tiles(); ++tile) {
    for (std::uint32_t plane = 0; plane < input_bits_; ++plane) {
      const std::uint32_t active_rows = workspace.planes->active_rows(tile, plane);
      if (active_rows == 0) continue;
      const std::uint64_t number =
          (std::uint64_t{pixel} * layout_.tiles() + tile) * input_bits_ + plane;
      workspace.first_batches.push_back(first_batch_ + number * groups_.batches());
      workspace.reads.push_back(
          {workspace.planes->words(tile, plane), weights_.words.data() + weights_.tile_begin[tile],
           layout_.words(tile), active_rows, plane, workspace.first_batches.back()});
    }
  }
}

void ColumnLayer::sample(const SampledCodes& codes, const DrawOrigin& origin,
                         std::optional<FastStream>& stream, Workspace& workspace) const {
  const std::size_t read_words = groups_.batches() * batch_words;
  const std::size_t at_once = workspace.words.size() / read_words;
  for (std::size_t first = 0; first < workspace.reads.size(); first += at_once) {
    const std::size_t count = std::min(at_once, workspace.reads.size() - first);
    const std::span<const ColumnRead> reads(workspace.reads.data() + first, count);
    const std::span<std::uint32_t> words(workspace.words.data(), count * read_words);
    if (stream) {
      stream->fill(words);
    } else {
      fill_batches(origin, core::Domain::code_sampling,
                   std::span(workspace.first_batches).subspan(first, count), groups_.batches(),
                   words);
    }
    sample_codes(reads, groups_, *codes.sampler, origin, words, workspace.slots, workspace.sums);
    if (workspace.observer) {
      show_drawn_codes({reads, words, workspace.slots}, groups_, *codes.sampler, origin,
                       *workspace.observer);
    }
  }
}

void ColumnLayer::sample(const SourcedCodes& codes, const DrawOrigin& origin,
                         std::optional<FastStream>&, Workspace& workspace) const {
  const std::size_t columns = std::size_t{groups_.vectors()} * group_channels;
  const std::span<std::uint32_t> counts(workspace.words.data(), columns);
  for (const ColumnRead& read : workspace.reads) {
    count_lrs(read, groups_, counts);
    if (workspace.observer) workspace.seen.assign(counts.begin(), counts.end());
    codes.source->read(read, groups_, origin, counts);
    if (workspace.observer) {
      show_codes(read.active_rows, groups_, workspace.seen, counts, *workspace.observer);
    }
    add_codes(read, groups_, counts, workspace.sums);
  }
}

void ColumnLayer::store_estimates(const PixelSums& sums, double code_step, double code_origin,
                                  std::span<double> estimates) const {
  // The planes' signed units add up to -1 (two's complement) or cancel (differential).
  const double offset = weights_.sets == 1 ? -code_origin * static_cast<double>(sums.units) : 0.0;
  for (std::uint32_t output = 0; output < weights_.outputs; ++output) {
    std::int32_t sum = sums.codes[output];
    if (weights_.sets == 2) {
      sum -= sums.codes[std::size_t{weights_.groups} * group_channels + output];
    }
    estimates[std::size_t{output} * geometry_.pixels() + sums.pixel] = code_step * sum + offset;
  }
}

void ColumnLayer::estimate(std::span<const std::uint8_t> map, const ColumnReading& reading,
                           const DrawOrigin& origin, Workspace& workspace,
                           std::span<double> estimates) const {
  const std::uint32_t pixels = geometry_.pixels();
  assert(estimates.size() == std::size_t{weights_.outputs} * pixels);
  const SampledCodes* sampled = std::get_if<SampledCodes>(&reading);
  const SourcedCodes* sourced = std::get_if<SourcedCodes>(&reading);
  const double code_step = sampled ? sampled->sampler->code_step() : sourced->code_step;
  const double code_origin = sampled ? sampled->sampler->code_origin() : sourced->code_origin;
  const bool fast = sampled && sampled->stream == core::Stream::fast;

  geometry_.pad(map, workspace.padded);
  std::optional<FastStream> stream;
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    if (fast && pixel % geometry_.output_columns() == 0) {
      stream.emplace(origin, std::uint64_t{index_} << 20 | pixel / geometry_.output_columns());
    }
    collect_reads(pixel, workspace);
    std::fill(workspace.sums.begin(), workspace.sums.end(), 0);
    std::visit([&](const auto& codes) { sample(codes, origin, stream, workspace); }, reading);

    std::int64_t units = 0;
    for (const ColumnRead& read : workspace.reads) units += std::int64_t{1} << read.shift;
    store_estimates({pixel, workspace.sums, units}, code_step, code_origin, estimates);
  }
}

}  // namespace cimstat::experiments
