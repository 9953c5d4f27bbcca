#include "experiments/inference/chip_reader.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/inference/vote.h"

namespace cimstat::experiments {
namespace {

/// Apart from those of normal draws.
constexpr std::uint64_t logistic_addresses = std::uint64_t{1} << 33;

/// Of one read; 1 where nothing votes.
std::uint32_t votes_of(const ColumnLayer& layer) {
  const ProtectedDiagonals& diagonals = layer.diagonals();
  return diagonals.count > 0 && diagonals.kind == Protection::vote ? diagonals.votes : 1;
}

/// Reads of a column for one pixel.
std::uint32_t reads_of_a_pixel(const ColumnLayer& layer) {
  return layer.layout().parts() * layer.input_bits() * votes_of(layer);
}

/// Batches of four positions of one vector of one tile.
std::uint64_t batches_of_a_vector(const ColumnLayer& layer) {
  return (std::uint64_t{layer.geometry().pixels()} * reads_of_a_pixel(layer) + 3) / 4;
}

std::uint64_t batches_of(const ColumnLayer& layer) {
  return std::uint64_t{layer.layout().tiles()} * layer.weights().vectors() *
         batches_of_a_vector(layer);
}

}  // namespace

void check_chip_network(const ChipDesign& design, const ForwardPass& pass) {
  std::uint64_t batches = 0;
  for (std::size_t node = 0; node < pass.nodes(); ++node) {
    for (const ColumnLayer& layer : pass.analog(node)) {
      check_chip_layer(design, layer);
      batches += batches_of(layer);
    }
  }
  if (batches >= logistic_addresses) {
    throw core::UsageError(core::error_line(
        "accuracy.network", fmt::format("takes {} random batches an image", batches),
        fmt::format("the random-number contract has room for {}", logistic_addresses),
        "use more rows"));
  }
}

ChipNetwork draw_chip(const ChipDesign& design, const ForwardPass& pass, core::StreamKey key,
                      std::uint32_t chip, core::Threads threads) {
  ChipNetwork result;
  std::uint64_t next_batch = 0;
  for (std::size_t node = 0; node < pass.nodes(); ++node) {
    for (const ColumnLayer& layer : pass.analog(node)) {
      result.places[layer.index()] = {draw_chip_layer(design, layer, key, chip, threads),
                                      next_batch};
      next_batch += batches_of(layer);
    }
  }
  return result;
}

ChipReader::ChipReader(const ChipDesign& design, core::Stream stream)
    : design_(design),
      fast_(stream == core::Stream::fast),
      units_(run_pixels),
      vote_units_(run_pixels) {
  noise_.variance = design.noise_sd * design.noise_sd;
  noise_.slope = noise_.variance * design.per_knee;
  noise_.has_cells = design.has_read_noise;
  noise_.logistic = design.logistic.has_value();
  // No read has 0 active rows.
  const auto read_first = design.ladders.begin() + (design.ladders.size() > 1 ? 1 : 0);
  even_ = !design.converter && std::all_of(read_first, design.ladders.end(),
                                           [](const ChipLadder& one) { return one.is_even; });
}

void ChipReader::pack(const ColumnLayer& layer, Run run) {
  for (std::uint32_t pixel = 0; pixel < run.count; ++pixel) {
    planes_[pixel].pack(layer.geometry(), padded_, run.first + pixel);
    units_[pixel] = 0;
    vote_units_[pixel] = 0;
  }
}

void ChipReader::collect_reads(const ColumnLayer& layer, std::uint32_t tile, Run run) {
  tile_reads_.clear();
  const std::uint32_t votes = votes_of(layer);
  for (std::uint32_t pixel = 0; pixel < run.count; ++pixel) {
    for (std::uint32_t part = 0; part < layer.layout().parts(); ++part) {
      for (std::uint32_t plane = 0; plane < layer.input_bits(); ++plane) {
        const std::uint32_t active_rows = planes_[pixel].active_rows(tile, part, plane);
        if (active_rows == 0) continue;
        const std::uint32_t read = part * layer.input_bits() + plane;
        tile_reads_.push_back({planes_[pixel].words(tile, part, plane), active_rows, plane, pixel,
                               pixel * reads_of_a_pixel(layer) + read * votes});
        const PlaneRange spared = layer.protected_planes(plane);
        units_[pixel] += layer.units({0, spared.begin}, plane);
        if (votes > 1) vote_units_[pixel] += layer.units(spared, plane);
      }
    }
  }
  if (!layer.cycles().has_sign) return;
  std::stable_partition(tile_reads_.begin(), tile_reads_.end(),
                        [&](const ChipRead& read) { return !layer.cycles().is_sign(read.shift); });
}

void ChipReader::select_reads(const ColumnLayer& layer, std::uint32_t plane) {
  reads_.clear();
  votes_.clear();
  const std::uint32_t votes = votes_of(layer);
  for (const ChipRead& read : tile_reads_) {
    if (!layer.protected_planes(read.shift).holds(plane)) {
      reads_.push_back(read);
    } else if (votes > 1) {
      for (std::uint32_t vote = 0; vote < votes; ++vote) {
        votes_.push_back(read);
        votes_.back().position += vote;
      }
    }
  }
}

void ChipReader::draw_noise(const DrawOrigin& origin, std::uint64_t batch, std::size_t positions) {
  const std::size_t batches = (positions + 3) / 4;
  const std::span<std::uint32_t> words(words_.data(), batches * batch_words);
  const auto draw = [&](const core::QuantileTable& table, core::Domain domain,
                        std::uint64_t address, AlignedVector<float>& deviates) {
    if (fast_) {
      FastStream(origin, address).fill(words);
    } else {
      fill_batches(origin, domain, {&batch, 1}, static_cast<std::uint32_t>(batches), words);
    }
    draw_deviates(table, words, index_, deviates);
  };
  if (noise_.has_normal()) {
    draw(design_.normal, core::Domain::column_noise, batch, normal_);
  }
  if (noise_.has_logistic()) {
    draw(*design_.logistic, core::Domain::sense_noise, logistic_addresses + batch, logistic_);
  }
}

ChipSums ChipReader::sums_of(const ColumnLayer& layer, const Vector& vector,
                             std::int32_t* sums) const {
  const std::uint32_t plane = vector.number % layer.groups().planes;
  const std::uint32_t group = vector.number / layer.groups().planes;
  return {.sums = sums + std::size_t{group} * group_channels,
          .stride = std::size_t{layer.groups().groups} * group_channels,
          .plane = plane,
          .negative = layer.groups().top_plane_negative && plane + 1 == layer.groups().planes};
}

void ChipReader::sense(const ColumnLayer& layer, const ChipLayer& chip, const Vector& vector,
                       std::span<const ChipRead> reads) {
  const std::size_t column =
      (std::size_t{vector.tile} * layer.weights().vectors() + vector.number) * group_channels;
  const std::size_t rows = (layer.layout().height(vector.tile) + 3) / 4 * 4;
  const std::size_t first = (chip.first_row[vector.tile] + vector.number * rows) * group_channels;
  const std::size_t size = rows * group_channels;
  const std::span<float> tables(tables_.data(), rows / rows_of_a_choice * choice_table);
  if (design_.has_read_noise) {
    build_choices({chip.variances.data() + first, size}, tables);
    sum_choices(reads, tables, chip.idle_variance.data() + column, variances_);
  }
  build_choices({chip.cells.data() + first, size}, tables);
  sense_currents({.reads = reads,
                  .tables = tables,
                  .idle = chip.idle.data() + column,
                  .offset = chip.offset.data() + column,
                  .noise = noise_,
                  .variances = variances_,
                  .normal = normal_,
                  .logistic = logistic_},
                 currents_);
  if (even_) return;
  for (const ChipRead& read : reads) {
    for (std::size_t lane = 0; lane < group_channels; ++lane) {
      const std::size_t at = read.position * group_channels + lane;
      words_[at] = design_.converter
                       ? chip.converters[chip.converter_of[column + lane]](currents_[at])
                       : design_.ladder(read.active_rows).search(currents_[at]);
    }
  }
}

std::array<std::uint32_t, group_channels> ChipReader::codes_of(const ChipRead& read) const {
  // Codes of even ladders are nowhere but in sums: of one read and place they are the sum.
  ChipRead alone = read;
  alone.shift = 0;
  alone.pixel = 0;
  alignas(64) std::array<std::int32_t, group_channels> sums{};
  const ChipSums to{.sums = sums.data(), .stride = group_channels, .plane = 0, .negative = false};
  if (even_) {
    add_even_codes({&alone, 1}, design_.ladders, currents_, to);
  } else {
    add_chip_codes({&alone, 1}, words_, to);
  }
  std::array<std::uint32_t, group_channels> codes;
  std::copy(sums.begin(), sums.end(), codes.begin());
  return codes;
}

template <class Add>
void ChipReader::add_signed(const ColumnLayer& layer, std::span<const ChipRead> reads, ChipSums to,
                            const Add& add) {
  std::size_t magnitudes = reads.size();
  while (magnitudes > 0 && layer.cycles().is_sign(reads[magnitudes - 1].shift)) --magnitudes;
  add(reads.first(magnitudes), to);
  if (magnitudes == reads.size()) return;
  to.negative = !to.negative;
  add(reads.subspan(magnitudes), to);
}

void ChipReader::add_codes(const ColumnLayer& layer, const Vector& vector) {
  add_signed(layer, reads_, sums_of(layer, vector, sums_.data()),
             [&](std::span<const ChipRead> reads, const ChipSums& to) {
               if (even_) return add_even_codes(reads, design_.ladders, currents_, to);
               add_chip_codes(reads, words_, to);
             });
}

void ChipReader::add_votes(const ColumnLayer& layer, const Vector& vector) {
  const std::size_t votes = votes_of(layer);
  std::vector<std::array<std::uint32_t, group_channels>> codes(votes);
  std::vector<std::uint32_t> of_lane(votes);
  std::size_t voters = 0;
  for (std::size_t first = 0; first < votes_.size(); first += votes) {
    for (std::size_t vote = 0; vote < votes; ++vote) codes[vote] = codes_of(votes_[first + vote]);
    const ChipRead& read = votes_[first];
    for (std::size_t lane = 0; lane < group_channels; ++lane) {
      for (std::size_t vote = 0; vote < votes; ++vote) of_lane[vote] = codes[vote][lane];
      words_[read.position * group_channels + lane] = voted_code(of_lane, layer.diagonals().rule);
    }
    votes_[voters++] = read;
  }
  votes_.resize(voters);
  add_signed(layer, votes_, sums_of(layer, vector, vote_sums_.data()),
             [&](std::span<const ChipRead> reads, const ChipSums& to) {
               add_chip_codes(reads, words_, to);
             });
}

void ChipReader::show_codes(const ColumnLayer& layer, const Vector& vector,
                            std::span<const ChipRead> reads, bool voted) {
  const std::uint32_t lanes = layer.groups().lanes(vector.number);
  const std::uint32_t words = layer.layout().words(vector.tile);
  const std::uint32_t* weights = layer.weights().words.data() +
                                 layer.weights().tile_begin[vector.tile] +
                                 std::size_t{vector.number} * words * group_channels;
  std::array<std::uint32_t, group_channels> counts;
  for (const ChipRead& read : reads) {
    for (std::uint32_t lane = 0; lane < group_channels; ++lane) {
      counts[lane] = count_lrs(read.input, weights + lane, words);
    }
    std::array<std::uint32_t, group_channels> codes;
    if (voted) {
      std::copy_n(words_.begin() + static_cast<std::ptrdiff_t>(read.position * group_channels),
                  group_channels, codes.begin());
    } else {
      codes = codes_of(read);
    }
    observer_->see(read.active_rows, std::span(counts).first(lanes), std::span(codes).first(lanes));
  }
}

void ChipReader::read_vector(const ColumnLayer& layer, const ChipLayer& chip, const Vector& vector,
                             const DrawOrigin& origin, std::size_t positions) {
  if (layer.diagonals().count > 0) select_reads(layer, vector.number % layer.groups().planes);
  draw_noise(origin, vector.batch, positions);
  if (!reads_.empty()) {
    sense(layer, chip, vector, reads_);
    add_codes(layer, vector);
    if (observer_) show_codes(layer, vector, reads_, false);
  }
  if (!votes_.empty()) {
    sense(layer, chip, vector, votes_);
    add_votes(layer, vector);
    if (observer_) show_codes(layer, vector, votes_, true);
  }
}

void ChipReader::estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map,
                          const DrawOrigin& origin, std::span<double> estimates) {
  const auto& [chip, first_batch] = chip_->places.at(layer.index());
  const std::uint32_t pixels = layer.geometry().pixels();
  const std::size_t most_positions =
      std::size_t{std::min(run_pixels, pixels)} * reads_of_a_pixel(layer);
  const std::size_t buffer = (most_positions + 3) / 4 * batch_words;
  for (AlignedVector<float>* floats : {&normal_, &logistic_, &variances_, &currents_}) {
    floats->resize(buffer);
  }
  words_.resize(buffer);
  index_.resize(buffer);
  const std::size_t stride = std::size_t{layer.groups().groups} * group_channels;
  tables_.resize((std::size_t{layer.layout().height(0)} + 3) / 4 * choice_table);
  planes_.assign(std::min(run_pixels, pixels),
                 ActivationPlanes(layer.layout(), layer.input_bits()));

  const std::uint32_t votes = votes_of(layer);
  votes_.clear();
  const bool counts = layer.diagonals().count > 0 && votes == 1;
  ColumnLayer::Workspace counting;
  if (counts) counting = layer.workspace();
  const auto counted = counts ? ColumnLayer::Counted::spared : ColumnLayer::Counted::none;
  const double code_origin = design_.code_origin - layer.zero_value();
  const double vote_step =
      layer.diagonals().rule == VoteRule::mean ? design_.code_step / votes : design_.code_step;

  layer.geometry().pad(map, padded_);
  for (std::uint32_t first = 0; first < pixels; first += run_pixels) {
    const Run run{first, std::min(run_pixels, pixels - first)};
    pack(layer, run);
    sums_.assign(run.count * stride, 0);
    if (votes > 1) vote_sums_.assign(run.count * stride, 0);
    for (std::uint32_t tile = 0; tile < layer.layout().tiles(); ++tile) {
      collect_reads(layer, tile, run);
      if (tile_reads_.empty()) continue;
      if (layer.diagonals().count == 0) reads_ = tile_reads_;
      for (std::uint32_t vector = 0; vector < layer.weights().vectors(); ++vector) {
        const std::uint64_t before = std::uint64_t{tile} * layer.weights().vectors() + vector;
        const std::uint64_t batch = first_batch + before * batches_of_a_vector(layer) +
                                    std::uint64_t{first} * reads_of_a_pixel(layer) / 4;
        read_vector(layer, chip, {tile, vector, batch}, origin,
                    std::size_t{run.count} * reads_of_a_pixel(layer));
      }
    }
    for (std::uint32_t pixel = 0; pixel < run.count; ++pixel) {
      layer.store_estimates(
          first + pixel,
          {std::span(sums_).subspan(pixel * stride, stride), units_[pixel], design_.code_step,
           code_origin, layer.offset_of(planes_[pixel], counted)},
          estimates);
      if (counts) {
        layer.add_protected_counts(planes_[pixel], first + pixel, counting, estimates);
      } else if (votes > 1) {
        layer.add_estimates(first + pixel,
                            {std::span(vote_sums_).subspan(pixel * stride, stride),
                             vote_units_[pixel], vote_step, code_origin},
                            estimates);
      }
    }
  }
  layer.finish(estimates);
}

}  // namespace cimstat::experiments
