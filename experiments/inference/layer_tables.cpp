#include "experiments/inference/layer_tables.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/config/config.h"
#include "core/error.h"
#include "core/utf8.h"

#include "experiments/counted.h"
#include "experiments/inference/vote.h"

namespace cimstat::experiments {
namespace {

/// A class that a table lacks: the first one, so with k = 0 where none of its active rows is there.
std::string text_of(circuits::ColumnClass missing) {
  const std::string rows = counted(missing.active_rows, "active row");
  return missing.lrs_count == 0
             ? rows
             : fmt::format("{} among {}", counted(missing.lrs_count, "LRS cell"), rows);
}

/// The node of a layer on arrays.
std::size_t node_of(const ForwardPass& pass, const std::string& layer, const std::string& place) {
  std::vector<std::string> names;
  for (std::size_t node = 1; node < pass.nodes(); ++node) {
    if (pass.name(node) == layer && pass.analog(node).empty()) {
      throw core::UsageError(core::error_line(
          place, fmt::format("layer '{}' is on no array", core::excerpt(layer)),
          fmt::format("{} is computed digitally here", name_of(pass.layer(node).kind)),
          is_weighted(pass.layer(node).kind) || is_product(pass.layer(node).kind)
              ? "leave it out, or make it analog"
              : "leave it out"));
    }
    if (pass.name(node) == layer) return node;
    if (!pass.analog(node).empty()) names.push_back(pass.name(node));
  }
  const std::optional<std::string> meant = core::nearest(layer, names);
  constexpr std::size_t most_shown = 6;
  const bool has_more = names.size() > most_shown;
  names.resize(std::min(names.size(), most_shown));
  throw core::UsageError(core::error_line(
      place, fmt::format("the network has no layer '{}'", core::excerpt(layer)), {},
      meant ? fmt::format("did you mean {}?", *meant)
            : fmt::format("those on arrays are {}{}", fmt::join(names, ", "),
                          has_more ? " ... (cimstat show lists all)" : "")));
}

/// Throws UsageError where the table lacks a class that its nodes can meet.
void check_classes(const ForwardPass& pass, const CodeSampler& sampler, const std::string& name,
                   std::span<const std::size_t> nodes) {
  std::uint32_t rows = 0;
  for (const std::size_t node : nodes) rows = std::max(rows, pass.most_active_rows(node));
  if (const auto missing = sampler.first_missing(rows)) {
    throw core::UsageError(
        core::error_line(name, "has no class of " + text_of(*missing),
                         fmt::format("the network reads up to {} at a time", rows),
                         "make it with table.active_rows = \"all\""));
  }
}

/// [table]: nodes of its layers; the last ones are those that no table names.
std::vector<std::vector<std::size_t>> nodes_of(const ForwardPass& pass,
                                               std::span<const LayerTable> tables) {
  std::vector<std::vector<std::size_t>> result(tables.size() + 1);
  std::vector<std::uint8_t> is_named(pass.nodes(), 0);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    for (const std::string& layer : tables[i].layers) {
      result[i].push_back(node_of(pass, layer, tables[i].name));
      is_named[result[i].back()] = 1;
    }
  }
  for (std::size_t node = 1; node < pass.nodes(); ++node) {
    if (!pass.analog(node).empty() && is_named[node] == 0) result.back().push_back(node);
  }
  return result;
}

}  // namespace

ArrayOptions with_columns(ArrayOptions array, std::span<const LayerTable> tables) {
  for (const LayerTable& one : tables) {
    for (const std::string& layer : one.layers) {
      array.layer_columns.push_back({layer, one.rows, one.zero_value, one.name});
    }
  }
  return array;
}

void check_layer_tables(const ForwardPass& pass, std::span<const LayerTable> tables,
                        std::uint32_t codes) {
  const auto nodes = nodes_of(pass, tables);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const std::size_t node : nodes[i]) {
      pass.check_codes(node, i < tables.size() ? tables[i].table.codes : codes);
    }
    if (i < tables.size()) {
      check_classes(pass, CodeSampler(tables[i].table), tables[i].name, nodes[i]);
    }
  }
}

ColumnReading TableReadings::reading_of(const ForwardPass& pass, const NamedTable& table,
                                        std::span<const std::size_t> nodes,
                                        const ProtectedDiagonals& diagonals, core::Stream stream) {
  const CodeSampler& sampler = *samplers_.emplace_back(std::make_unique<CodeSampler>(table.table));
  check_classes(pass, sampler, table.name, nodes);
  const CodeSampler* spared = nullptr;  // counted, where there are any
  if (diagonals.count > 0 && diagonals.kind != Protection::digital) {
    spared = samplers_
                 .emplace_back(std::make_unique<CodeSampler>(
                     diagonals.kind == Protection::converter
                         ? faultless_table(table.table)
                         : voted_table(table.table, diagonals.votes, diagonals.rule)))
                 .get();
  }
  return SampledCodes{&sampler, stream, spared};
}

TableReadings::TableReadings(const ForwardPass& pass, const NamedTable& rest,
                             std::span<const LayerTable> tables,
                             const ProtectedDiagonals& diagonals, core::Stream stream)
    : are_alike_(tables.empty()) {
  const auto nodes = nodes_of(pass, tables);
  check_layer_tables(pass, tables, rest.table.codes);
  readings_.assign(pass.nodes(), reading_of(pass, rest, nodes.back(), diagonals, stream));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const ColumnReading reading =
        reading_of(pass, {tables[i].table, tables[i].name}, nodes[i], diagonals, stream);
    for (const std::size_t node : nodes[i]) readings_[node] = reading;
  }
}

Arithmetic TableReadings::arithmetic() const {
  return are_alike_ ? Arithmetic(readings_.front()) : Arithmetic(&readings_);
}

}  // namespace cimstat::experiments
