#include "experiments/inference/column_layer.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/counted.h"
#include "experiments/inference/digital_layer.h"
#include "experiments/inference/drawn_codes.h"
#include "experiments/inference/integer_layer.h"
#include "experiments/inference/parallel_codes.h"
#include "experiments/inference/vote.h"

namespace cimstat::experiments {
namespace {

/// Random words are made for this many batches of draws at a time: 4 KB, so that they, the slots,
/// weights and the table's rows stay in the first-level cache. It decides the bytes of the fast
/// stream by steps: each such run of reads begins with a whole batch of words.
constexpr std::size_t chunk_batches = 16;

std::uint32_t kernel_positions(const Layer& layer) {
  return layer.weight_shape[2] * layer.weight_shape[3];
}

std::uint32_t input_count(const Layer& layer) {
  return layer.weight_shape[1] * kernel_positions(layer);
}

PatchOrder order_of(Tiling tiling) {
  return tiling == Tiling::kernel_positions ? PatchOrder::positions_outside
                                            : PatchOrder::channels_outside;
}

InputRows input_rows(const ArrayOptions& options) {
  return rows_of_an_input(options.weights) == 2 ? InputRows::pair : InputRows::one;
}

/// The weights with their inputs, of each output, in the order of the tiling.
std::vector<std::int8_t> ordered_weights(const Layer& layer, Tiling tiling) {
  const std::size_t positions = kernel_positions(layer);
  const std::size_t channels = layer.weight_shape[1];
  if (order_of(tiling) == PatchOrder::channels_outside) return layer.weight;
  std::vector<std::int8_t> result(layer.weight.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::size_t output = i / (positions * channels);
    const std::size_t position = i / channels % positions;
    result[i] = layer.weight[(output * channels + i % channels) * positions + position];
  }
  return result;
}

/// ... and of each row.
std::vector<std::int8_t> weights_of_rows(const Layer& layer, const ArrayOptions& options) {
  std::vector<std::int8_t> weights = ordered_weights(layer, options.tiling);
  if (input_rows(options) == InputRows::one) return weights;
  std::vector<std::int8_t> result;
  result.reserve(2 * weights.size());
  for (const std::int8_t weight : weights) {
    result.push_back(weight);
    result.push_back(static_cast<std::int8_t>(-weight));
  }
  return result;
}

void check_agreement(const Layer& layer) {
  const bool is_binary = layer.weight_bits == 1;
  if (is_binary && layer.input_values == InputValues::signs) return;
  throw core::UsageError(core::error_line(
      "accuracy.weights",
      fmt::format("\"xnor\" can't hold layer '{}', whose {}", layer.name,
                  is_binary ? std::string("inputs are no signs")
                            : fmt::format("weights have {}", counted(layer.weight_bits, "bit"))),
      "weights and inputs are -1 and 1 there",
      "compute it digitally (first_layer, last_layer), or use \"differential\" or \"biased\""));
}

/// Cells go from -(2^(bits - 1) - 1) to 2^(bits - 1) - 1.
void check_signed_cells(const Layer& layer) {
  if (layer.weight_bits == 1) return;
  const int lowest = -(1 << (layer.weight_bits - 1));
  if (*std::min_element(layer.weight.begin(), layer.weight.end()) != lowest) return;
  throw core::UsageError(
      core::error_line("accuracy.weights", "\"native\" has no room for all weights",
                       fmt::format("layer '{}' has one of {}, and cells hold {} to {}", layer.name,
                                   lowest, lowest + 1, -lowest - 1),
                       "quantise them symmetrically, or use \"differential\""));
}

}  // namespace

ColumnLayer::ColumnLayer(const Layer& layer, MapShape input, std::uint32_t input_bits,
                         const ArrayOptions& options, std::uint32_t index,
                         std::uint64_t first_batch)
    : layout_(input_count(layer), kernel_positions(layer), options),
      geometry_(patch_geometry(layer, input, order_of(options.tiling), input_rows(options))),
      weights_(weight_planes(weights_of_rows(layer, options), layer.weight_shape[0],
                             layer.weight_bits, layout_, options.weights)),
      groups_{weights_.sets * weights_.groups, weights_.planes, weights_.top_plane_negative,
              weights_.outputs},
      diagonals_(options.diagonals),
      mapping_(options.weights),
      has_dummy_(mapping_ == WeightMapping::offset ||
                 (mapping_ == WeightMapping::xnor && options.zero_value > 0.0)),
      zero_value_(has_dummy_ || mapping_ == WeightMapping::native ? options.zero_value : 0.0),
      // Signs have no level that stands for 0.
      zero_level_(options.input_signs == InputSigns::cycle &&
                          layer.input_values != InputValues::signs
                      ? layer.zero_level
                      : 0),
      weight_bits_(layer.weight_bits),
      cycles_{zero_level_ > 0 ? bits_with_sign(input_bits, zero_level_) : input_bits,
              options.input_bits_per_cycle, zero_level_ > 0},
      slices_(slices_of(weights_.planes, options)),
      index_(index),
      first_batch_(first_batch) {
  assert(geometry_.inputs() == layout_.inputs());
  assert(index < 1U << 14);
  if (diagonals_.count > 0 && diagonals_.kind == Protection::converter && has_dummy_) {
    throw core::UsageError(core::error_line(
        "accuracy.protection",
        mapping_ == WeightMapping::offset ? "\"converter\" knows no offset weights"
                                          : "\"converter\" knows no dummy column",
        "ideal codes of a class are those of its LRS count", "protect by \"digital\" or \"vote\""));
  }
  if (diagonals_.count > 0 && diagonals_.kind == Protection::vote &&
      (diagonals_.votes < 2 || diagonals_.votes > most_votes)) {
    throw core::UsageError(core::error_line("accuracy.votes",
                                            fmt::format("{} reads can't vote", diagonals_.votes),
                                            fmt::format("2 to {} can", most_votes)));
  }
  check_cycles(cycles_, layer.name, diagonals_);
  check_weighted_reads(options);
  if (mapping_ == WeightMapping::native) check_signed_cells(layer);
  if (mapping_ == WeightMapping::xnor) check_agreement(layer);
  if (has_dummy_ || mapping_ == WeightMapping::biased || mapping_ == WeightMapping::xnor) {
    const bool is_binary = weight_bits_ == 1;
    code_weight_ = is_binary ? 2 : 1;
    excess_ = is_binary ? 1 : std::int64_t{1} << (weight_bits_ - 1);
  }
  geometry_.take_off(static_cast<std::uint8_t>(zero_level_));
  weigh_zero(layer.weight);
  // Pairs of rows see signs; one row sees 0 and 1.
  if (layer.input_values == InputValues::signs && mapping_ != WeightMapping::xnor) {
    sums_of_weights_ = sums_of_weights(layer, input);
  }
  for (std::uint32_t tile = 0; tile < layout_.tiles(); ++tile) {
    for (std::uint32_t part = 0; part < layout_.parts(); ++part) {
      for (std::uint32_t cycle = 0; cycle < cycles_.count(); ++cycle) {
        ReadPlace place;
        place.tile = tile;
        place.part = part;
        place.plane = cycles_.first_bit(cycle);
        place.bits = cycles_.bits(cycle);
        place.spared = protected_planes(cycle);
        place.plain = {0, place.spared.begin};
        const auto units_of = [&](const PlaneRange& planes) {
          return units(planes, place.plane) * highest_level(place.bits);
        };
        place.plain_units = units_of(place.plain);
        place.spared_units = units_of(place.spared);
        places_.push_back(place);
      }
    }
  }
}

void ColumnLayer::write(std::span<const std::int8_t> weights) {
  weights_ = weight_planes(weights, weights_.outputs, weight_bits_, layout_, mapping_);
  assert(weights_.planes == groups_.planes);
  weigh_zero(weights);
}

void ColumnLayer::weigh_zero(std::span<const std::int8_t> weights) {
  if (zero_level_ == 0) return;
  of_zero_.assign(weights_.outputs, 0.0);
  const std::size_t each = weights.size() / of_zero_.size();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    of_zero_[i / each] += static_cast<double>(zero_level_) * weights[i];
  }
}

std::uint64_t ColumnLayer::batches() const {
  return std::uint64_t{geometry_.pixels()} * layout_.tiles() * layout_.parts() * cycles_.count() *
         groups_.batches();
}

PlaneRange ColumnLayer::protected_planes(std::uint32_t cycle) const {
  // Called for each read: no division where it is bit by bit.
  const bool serial = cycles_.bits_per_cycle == 1;
  const std::uint32_t from_top = (serial ? cycles_.input_bits : cycles_.count()) - 1 - cycle;
  const std::uint32_t count =
      diagonals_.count > from_top ? std::min(diagonals_.count - from_top, groups_.planes) : 0;
  return {groups_.planes - count, groups_.planes};
}

std::int64_t ColumnLayer::units(const PlaneRange& planes, std::uint32_t shift) const {
  if (weights_.sets == 2) return 0;  // the two cancel
  const std::int64_t weight = (std::int64_t{1} << shift) * (cycles_.is_sign(shift) ? -1 : 1);
  if (slices_.has_sign) return std::int64_t{slices_.span(0)} * weight;
  const bool negative_top = groups_.top_plane_negative && planes.end == groups_.planes;
  const std::int64_t all = (std::int64_t{1} << planes.end) - (std::int64_t{1} << planes.begin);
  return (negative_top ? all - (std::int64_t{1} << planes.end) : all) * weight;
}

double ColumnLayer::offset_of(const ActivationPlanes& planes, Counted counted) const {
  if (excess_ == 0) return 0.0;
  std::int64_t halves = 0;
  for (std::uint32_t plane = 0; plane < cycles_.input_bits; ++plane) {
    PlaneRange converted = groups_.all_planes();
    if (counted == Counted::all || !has_dummy_) converted.end = 0;
    if (counted == Counted::spared && has_dummy_) {
      converted.end = protected_planes(cycles_.cycle_of(plane)).begin;
    }
    std::int64_t active = 0;
    for (std::uint32_t tile = 0; tile < layout_.tiles(); ++tile) {
      for (std::uint32_t part = 0; part < layout_.parts(); ++part) {
        active += planes.active_rows(tile, part, plane);
      }
    }
    const std::int64_t excess = (2 * excess_ << plane) * (cycles_.is_sign(plane) ? -1 : 1);
    halves += active * (code_weight_ * units(converted, plane) - excess);
  }
  return 0.5 * static_cast<double>(halves);
}

std::uint64_t ColumnLayer::partial_sums() const {
  std::uint64_t parts = 0;
  for (std::uint32_t tile = 0; tile < layout_.tiles(); ++tile) parts += layout_.parts(tile);
  std::uint64_t columns = 0;
  for (std::uint32_t cycle = 0; cycle < cycles_.count(); ++cycle) {
    const bool digital = diagonals_.kind == Protection::digital;
    if (slices_.count() < groups_.planes) {
      columns += slices_.count();
    } else {
      columns += digital ? protected_planes(cycle).begin : groups_.planes;
    }
  }
  return std::uint64_t{geometry_.pixels()} * parts * columns * weights_.sets * weights_.outputs;
}

bool ColumnLayer::holds(std::uint32_t codes) const {
  // A mean of votes is kept as their sum.
  const bool sums_votes = diagonals_.count > 0 && diagonals_.kind == Protection::vote &&
                          diagonals_.rule == VoteRule::mean;
  const double largest = static_cast<double>(layout_.tiles()) * layout_.parts() * codes *
                         (sums_votes ? diagonals_.votes : 1) *
                         static_cast<double>(1U << (cycles_.input_bits + weights_.planes));
  return largest < 2147483648.0;
}

ColumnLayer::Workspace ColumnLayer::workspace() const {
  Workspace result;
  result.planes.emplace(layout_, cycles_.input_bits);
  const std::size_t reads_at_once = std::max<std::size_t>(1, chunk_batches / groups_.batches());
  result.words.resize(reads_at_once * groups_.batches() * batch_words);
  result.slots.resize(result.words.size());
  result.codes.resize(result.words.size());
  result.sums.resize(std::size_t{groups_.groups} * group_channels);
  if (diagonals_.count > 0) result.protected_sums.resize(result.sums.size());
  return result;
}

void ColumnLayer::collect_reads(const ActivationPlanes& planes, std::uint32_t pixel, Reads which,
                                std::vector<ColumnRead>& reads) const {
  reads.clear();
  std::uint64_t first_batch =
      first_batch_ + std::uint64_t{pixel} * places_.size() * groups_.batches();
  for (const ReadPlace& place : places_) {
    const std::uint64_t batch = first_batch;
    first_batch += groups_.batches();
    const PlaneRange& range = which == Reads::spared ? place.spared : place.plain;
    std::uint32_t active_rows = planes.active_rows(place.tile, place.part, place.plane);
    for (std::uint32_t bit = 1; bit < place.bits; ++bit) {
      active_rows += planes.active_rows(place.tile, place.part, place.plane + bit) << bit;
    }
    if (active_rows == 0 || range.size() == 0) continue;
    ColumnRead& read = reads.emplace_back();  // in place: a copy would wait for its own stores
    read.input = planes.words(place.tile, place.part, place.plane);
    read.weights = weights_.words.data() + weights_.tile_begin[place.tile];
    read.words = layout_.words(place.tile);
    read.bytes = weights_.bytes.data() + weights_.byte_begin[place.tile];
    read.row_bytes = layout_.bytes(place.tile);
    read.active_rows = active_rows;
    read.shift = place.plane;
    read.first_batch = batch;
    read.planes = range;
    read.bits = place.bits;
    read.next_plane = layout_.plane_words();
    read.units = which == Reads::spared ? place.spared_units : place.plain_units;
  }
  if (!cycles_.has_sign) return;
  std::stable_partition(reads.begin(), reads.end(),
                        [&](const ColumnRead& read) { return cycles_.is_sign(read.shift); });
}

template <class Add>
void ColumnLayer::add_signed(std::span<const ColumnRead> reads, std::span<std::int32_t> sums,
                             const Add& add) const {
  std::fill(sums.begin(), sums.end(), 0);
  std::size_t signs = 0;
  while (signs < reads.size() && cycles_.is_sign(reads[signs].shift)) ++signs;
  if (signs > 0) {
    add(reads.first(signs));
    for (std::int32_t& sum : sums) sum = -sum;
  }
  add(reads.subspan(signs));
}

void ColumnLayer::draw_codes(const Draw& draw, std::span<const ColumnRead> reads,
                             Workspace& workspace, std::span<std::int32_t> sums) const {
  const std::size_t at_once = workspace.words.size() / (groups_.batches() * batch_words);
  for (std::size_t first = 0; first < reads.size(); first += at_once) {
    const auto some = reads.subspan(first, std::min(at_once, reads.size() - first));
    if (draw.sampler.steps()) {
      draw_steps(draw, some, workspace, sums);
    } else {
      draw_slots(draw, some, workspace, sums);
    }
  }
}

void ColumnLayer::draw_slots(const Draw& draw, std::span<const ColumnRead> reads,
                             Workspace& workspace, std::span<std::int32_t> sums) const {
  const std::span<std::uint32_t> words(workspace.words.data(),
                                       reads.size() * groups_.batches() * batch_words);
  if (draw.stream) {
    draw.stream->fill(words);
  } else {
    workspace.first_batches.clear();
    for (const ColumnRead& read : reads) workspace.first_batches.push_back(read.first_batch);
    fill_batches(draw.origin, core::Domain::code_sampling, workspace.first_batches,
                 groups_.batches(), words);
  }
  sample_codes(reads, groups_, draw.sampler, draw.origin, words, workspace.slots, sums);
  if (workspace.observer) {
    show_drawn_codes({reads, words, workspace.slots}, groups_, draw.sampler, draw.origin,
                     *workspace.observer);
  }
}

void ColumnLayer::read_source(const SourcedCodes& codes, const DrawOrigin& origin,
                              std::span<const ColumnRead> reads, Workspace& workspace) const {
  const std::span<std::uint32_t> counts(workspace.words.data(),
                                        std::size_t{groups_.vectors()} * group_channels);
  for (const ColumnRead& read : reads) {
    count_lrs(read, groups_, counts);
    if (workspace.observer) workspace.seen.assign(counts.begin(), counts.end());
    codes.source->read(read, groups_, origin, counts);
    if (workspace.observer) {
      show_codes(read, groups_, workspace.seen, counts, *workspace.observer);
    }
    add_codes(read, groups_, counts, workspace.sums);
  }
}

ColumnLayer::PixelSums ColumnLayer::pixel_sums(std::span<const ColumnRead> reads,
                                               std::span<const std::int32_t> codes) const {
  PixelSums result{.codes = codes};
  for (const ColumnRead& read : reads) result.units += read.units;
  return result;
}

template <class Take>
void ColumnLayer::visit_estimates(const PixelSums& sums, const Take& take) const {
  const auto weight = static_cast<double>(code_weight_);
  const double step = weight * sums.code_step;
  const double origin = weight * (sums.code_origin * static_cast<double>(sums.units));
  const std::int32_t* negative =
      weights_.sets == 2 ? sums.codes.data() + std::size_t{weights_.groups} * group_channels
                         : nullptr;
  for (std::uint32_t output = 0; output < weights_.outputs; ++output) {
    const std::int32_t sum = sums.codes[output] - (negative ? negative[output] : 0);
    take(output, step * sum + origin + sums.constant);
  }
}

void ColumnLayer::store_estimates(std::uint32_t pixel, const PixelSums& sums,
                                  std::span<double> estimates) const {
  double* const first = estimates.data() + pixel;
  const std::size_t pixels = geometry_.pixels();
  visit_estimates(sums,
                  [=](std::uint32_t output, double value) { first[output * pixels] = value; });
}

void ColumnLayer::add_estimates(std::uint32_t pixel, const PixelSums& sums,
                                std::span<double> estimates) const {
  double* const first = estimates.data() + pixel;
  const std::size_t pixels = geometry_.pixels();
  visit_estimates(sums,
                  [=](std::uint32_t output, double value) { first[output * pixels] += value; });
}

void ColumnLayer::finish(std::span<double> estimates) const {
  if (!sums_of_weights_.empty()) take_signs(sums_of_weights_, estimates);
  if (zero_level_ == 0) return;
  const std::size_t pixels = geometry_.pixels();
  for (std::size_t i = 0; i < estimates.size(); ++i) estimates[i] += of_zero_[i / pixels];
}

void ColumnLayer::add_protected_counts(const ActivationPlanes& planes, std::uint32_t pixel,
                                       Workspace& workspace, std::span<double> estimates) const {
  collect_reads(planes, pixel, Reads::spared, workspace.protected_reads);
  const std::span<std::uint32_t> counts(workspace.words.data(),
                                        std::size_t{groups_.vectors()} * group_channels);
  const std::span<std::int32_t> sums(workspace.protected_sums);
  add_signed(workspace.protected_reads, sums, [&](std::span<const ColumnRead> reads) {
    for (const ColumnRead& read : reads) {
      count_lrs(read, groups_, counts);
      add_codes(read, groups_, counts, sums);
    }
  });
  add_estimates(pixel, pixel_sums(workspace.protected_reads, sums), estimates);
}

void ColumnLayer::estimate(std::span<const std::uint8_t> map, const ColumnReading& reading,
                           const DrawOrigin& origin, Workspace& workspace,
                           std::span<double> estimates) const {
  const std::uint32_t pixels = geometry_.pixels();
  assert(estimates.size() == std::size_t{weights_.outputs} * pixels);
  const SampledCodes* sampled = std::get_if<SampledCodes>(&reading);
  const SourcedCodes* sourced = std::get_if<SourcedCodes>(&reading);
  const DrawnParallelCodes* parallel = std::get_if<DrawnParallelCodes>(&reading);
  const CodeSampler* spared = sampled ? sampled->protected_sampler : nullptr;
  const ParallelCodes* spared_cycles = parallel ? parallel->protected_codes : nullptr;
  const bool fast = (sampled && sampled->stream == core::Stream::fast) ||
                    (parallel && parallel->stream == core::Stream::fast);
  assert(parallel || cycles_.bits_per_cycle == 1 || (sourced && sourced->are_counts));

  geometry_.pad(map, workspace.padded);
  ActivationPlanes& planes = *workspace.planes;
  std::optional<FastStream> stream;
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    if (fast && pixel % geometry_.output_columns() == 0) {
      stream.emplace(origin, std::uint64_t{index_} << 20 | pixel / geometry_.output_columns());
    }
    planes.pack(geometry_, workspace.padded, pixel);
    const auto sample = [&](const CodeSampler& sampler, std::span<std::int32_t> codes) {
      add_signed(workspace.reads, codes, [&](std::span<const ColumnRead> reads) {
        draw_codes({sampler, origin, stream}, reads, workspace, codes);
      });
      PixelSums sums = pixel_sums(workspace.reads, codes);
      sums.code_step = sampler.code_step();
      sums.code_origin = sampler.code_origin() - zero_value_;
      return sums;
    };
    const auto draw = [&](const ParallelCodes& codes, std::span<std::int32_t> into) {
      add_signed(workspace.reads, into, [&](std::span<const ColumnRead> reads) {
        draw_parallel(codes, origin, stream, reads, workspace, into);
      });
      PixelSums sums = pixel_sums(workspace.reads, into);
      sums.code_step = codes.code_step();
      sums.code_origin = codes.code_origin() - zero_value_;
      return sums;
    };
    collect_reads(planes, pixel, Reads::plain, workspace.reads);
    if (parallel) {
      PixelSums sums = draw(*parallel->codes, workspace.sums);
      sums.constant = offset_of(planes, spared_cycles ? Counted::none : Counted::spared);
      store_estimates(pixel, sums, estimates);
    } else if (sampled) {
      PixelSums sums = sample(*sampled->sampler, workspace.sums);
      sums.constant = offset_of(planes, spared ? Counted::none : Counted::spared);
      store_estimates(pixel, sums, estimates);
    } else {
      add_signed(workspace.reads, workspace.sums, [&](std::span<const ColumnRead> reads) {
        read_source(*sourced, origin, reads, workspace);
      });
      PixelSums sums = pixel_sums(workspace.reads, workspace.sums);
      sums.code_step = sourced->code_step;
      sums.code_origin = sourced->code_origin - (sourced->are_counts ? 0.0 : zero_value_);
      sums.constant = offset_of(planes, sourced->are_counts ? Counted::all : Counted::spared);
      store_estimates(pixel, sums, estimates);
    }
    if (diagonals_.count == 0) continue;
    if (spared) {
      collect_reads(planes, pixel, Reads::spared, workspace.reads);
      add_estimates(pixel, sample(*spared, workspace.protected_sums), estimates);
    } else if (spared_cycles) {
      collect_reads(planes, pixel, Reads::spared, workspace.reads);
      add_estimates(pixel, draw(*spared_cycles, workspace.protected_sums), estimates);
    } else {
      add_protected_counts(planes, pixel, workspace, estimates);
    }
  }
  finish(estimates);
}

}  // namespace cimstat::experiments
