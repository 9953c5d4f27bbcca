#include "experiments/inference/chip_reader.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

/// Apart from those of normal draws.
constexpr std::uint64_t logistic_addresses = std::uint64_t{1} << 33;

/// Batches of four positions of one vector of one tile.
std::uint64_t batches_of_a_vector(const ColumnLayer& layer) {
  return (std::uint64_t{layer.geometry().pixels()} * layer.input_bits() + 3) / 4;
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
    : design_(design), fast_(stream == core::Stream::fast), units_(run_pixels) {
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
  }
}

void ChipReader::collect_reads(const ColumnLayer& layer, std::uint32_t tile, Run run) {
  reads_.clear();
  for (std::uint32_t pixel = 0; pixel < run.count; ++pixel) {
    for (std::uint32_t plane = 0; plane < layer.input_bits(); ++plane) {
      const std::uint32_t active_rows = planes_[pixel].active_rows(tile, plane);
      if (active_rows == 0) continue;
      reads_.push_back({planes_[pixel].words(tile, plane), active_rows, plane, pixel,
                        pixel * layer.input_bits() + plane});
      units_[pixel] += std::int64_t{1} << plane;
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

void ChipReader::add_codes(const ColumnLayer& layer, const ChipLayer& chip, const Vector& vector) {
  const std::uint32_t plane = vector.number % layer.groups().planes;
  const std::uint32_t group = vector.number / layer.groups().planes;
  const ChipSums to{
      .sums = sums_.data() + std::size_t{group} * group_channels,
      .stride = std::size_t{layer.groups().groups} * group_channels,
      .plane = plane,
      .negative = layer.groups().top_plane_negative && plane + 1 == layer.groups().planes};
  if (even_) return add_even_codes(reads_, design_.ladders, currents_, to);
  const std::size_t first =
      (std::size_t{vector.tile} * layer.weights().vectors() + vector.number) * group_channels;
  for (const ChipRead& read : reads_) {
    for (std::size_t lane = 0; lane < group_channels; ++lane) {
      const std::size_t at = read.position * group_channels + lane;
      words_[at] = design_.converter
                       ? chip.converters[chip.converter_of[first + lane]](currents_[at])
                       : design_.ladder(read.active_rows).search(currents_[at]);
    }
  }
  add_chip_codes(reads_, words_, to);
}

void ChipReader::show_codes(const ColumnLayer& layer, const Vector& vector) {
  // The vector alone: one group of one plane.
  const ColumnGroups one{1, 1, false, layer.groups().lanes(vector.number)};
  const std::uint32_t words = layer.layout().words(vector.tile);
  const std::uint32_t* weights = layer.weights().words.data() +
                                 layer.weights().tile_begin[vector.tile] +
                                 std::size_t{vector.number} * words * group_channels;
  alignas(64) std::array<std::uint32_t, group_channels> counts{};
  alignas(64) std::array<std::int32_t, group_channels> sums{};
  std::array<std::uint32_t, group_channels> codes{};
  for (ChipRead read : reads_) {
    count_lrs({read.input, weights, words, read.active_rows, 0, 0}, one, counts);
    // Codes of even ladders are nowhere but in sums: of one read and place they are the sum.
    read.shift = 0;
    read.pixel = 0;
    sums.fill(0);
    const ChipSums to{.sums = sums.data(), .stride = group_channels, .plane = 0, .negative = false};
    if (even_) {
      add_even_codes({&read, 1}, design_.ladders, currents_, to);
    } else {
      add_chip_codes({&read, 1}, words_, to);
    }
    std::copy(sums.begin(), sums.end(), codes.begin());
    observer_->see(read.active_rows, std::span(counts).first(one.channels),
                   std::span(codes).first(one.channels));
  }
}

void ChipReader::read_vector(const ColumnLayer& layer, const ChipLayer& chip, const Vector& vector,
                             const DrawOrigin& origin, std::size_t positions) {
  const std::size_t column =
      (std::size_t{vector.tile} * layer.weights().vectors() + vector.number) * group_channels;
  const std::size_t rows = (layer.layout().height(vector.tile) + 3) / 4 * 4;
  const std::size_t first = (chip.first_row[vector.tile] + vector.number * rows) * group_channels;
  const std::size_t size = rows * group_channels;
  const std::span<float> tables(tables_.data(), rows / rows_of_a_choice * choice_table);
  draw_noise(origin, vector.batch, positions);
  if (design_.has_read_noise) {
    build_choices({chip.variances.data() + first, size}, tables);
    sum_choices(reads_, tables, chip.idle_variance.data() + column, variances_);
  }
  build_choices({chip.cells.data() + first, size}, tables);
  sense_currents({.reads = reads_,
                  .tables = tables,
                  .idle = chip.idle.data() + column,
                  .offset = chip.offset.data() + column,
                  .noise = noise_,
                  .variances = variances_,
                  .normal = normal_,
                  .logistic = logistic_},
                 currents_);
  add_codes(layer, chip, vector);
  if (observer_) show_codes(layer, vector);
}

void ChipReader::estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map,
                          const DrawOrigin& origin, std::span<double> estimates) {
  const auto& [chip, first_batch] = chip_->places.at(layer.index());
  const std::uint32_t pixels = layer.geometry().pixels();
  const std::size_t most_positions = std::size_t{std::min(run_pixels, pixels)} * layer.input_bits();
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

  layer.geometry().pad(map, padded_);
  for (std::uint32_t first = 0; first < pixels; first += run_pixels) {
    const Run run{first, std::min(run_pixels, pixels - first)};
    pack(layer, run);
    sums_.assign(run.count * stride, 0);
    for (std::uint32_t tile = 0; tile < layer.layout().tiles(); ++tile) {
      collect_reads(layer, tile, run);
      if (reads_.empty()) continue;
      for (std::uint32_t vector = 0; vector < layer.weights().vectors(); ++vector) {
        const std::uint64_t before = std::uint64_t{tile} * layer.weights().vectors() + vector;
        const std::uint64_t batch = first_batch + before * batches_of_a_vector(layer) +
                                    std::uint64_t{first} * layer.input_bits() / 4;
        read_vector(layer, chip, {tile, vector, batch}, origin,
                    std::size_t{run.count} * layer.input_bits());
      }
    }
    for (std::uint32_t pixel = 0; pixel < run.count; ++pixel) {
      layer.store_estimates(
          {first + pixel, std::span(sums_).subspan(pixel * stride, stride), units_[pixel]},
          design_.code_step, design_.code_origin, estimates);
    }
  }
}

}  // namespace cimstat::experiments
