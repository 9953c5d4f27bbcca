#include "experiments/sweep/sweep_axis_file.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

constexpr std::uint64_t most_values = std::uint64_t{1} << 26;
/// Longer lists of flags say nothing to anyone, and an attribute has its limits.
constexpr std::size_t most_flags = 4096;
constexpr std::string_view again = "make the result again with cimstat sweep";

std::string joined(const std::vector<std::string>& words, char between) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

std::vector<std::string> split(std::string_view text, char between) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(between), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// CF separates flag meanings by blanks.
std::string flag_meaning(std::string label) {
  for (char& letter : label) {
    if (letter == ' ' || letter == '\t') letter = '_';
  }
  return label;
}

struct Labels {
  std::vector<std::string> names;      ///< each once, in the order in which they come first
  std::vector<std::uint32_t> indices;  ///< [value]
};

Labels labels_of(const SweepAxis& axis) {
  Labels labels;
  std::map<std::string_view, std::uint32_t> known;
  for (const std::string& label : axis.labels) {
    const auto [place, is_new] =
        known.emplace(label, static_cast<std::uint32_t>(labels.names.size()));
    if (is_new) labels.names.push_back(label);
    labels.indices.push_back(place->second);
  }
  return labels;
}

void write_labels(core::Hdf5Output& file, const std::string& path, const SweepAxis& axis) {
  const Labels labels = labels_of(axis);
  file.dataset(path, std::span(labels.indices), {labels.indices.size()});
  file.attribute(path, "labels", joined(labels.names, '\n'));
  if (labels.names.size() > most_flags) return;
  std::vector<std::uint32_t> values(labels.names.size());
  std::iota(values.begin(), values.end(), 0U);
  std::vector<std::string> meanings;
  for (const std::string& label : labels.names) meanings.push_back(flag_meaning(label));
  file.attribute(path, "flag_values", std::span<const std::uint32_t>(values));
  file.attribute(path, "flag_meanings", joined(meanings, ' '));
}

void read_labels(const core::Hdf5Input& file, const std::string& path, SweepAxis& axis) {
  const std::vector<std::string> names = split(file.text_attribute(path, "labels"), '\n');
  for (const std::uint64_t index : file.unsigneds(path, most_values)) {
    if (index >= names.size()) {
      file.fail(path, fmt::format("holds the index {}", index),
                fmt::format("there are {} labels", names.size()), again);
    }
    axis.labels.push_back(names[index]);
  }
  if (names.size() > most_flags) return;
  std::vector<std::string> meanings;
  for (const std::string& label : names) meanings.push_back(flag_meaning(label));
  const std::vector<std::int64_t> values = file.integers_attribute(path, "flag_values");
  bool counts = values.size() == names.size();
  for (std::size_t i = 0; counts && i < values.size(); ++i) {
    counts = std::cmp_equal(values[i], i);
  }
  if (!counts || file.text_attribute(path, "flag_meanings") != joined(meanings, ' ')) {
    file.fail(path, "attributes 'flag_values' and 'flag_meanings' contradict 'labels'", {}, again);
  }
}

}  // namespace

void write_axis(core::Hdf5Output& file, const SweepAxis& axis) {
  const std::string path = "/" + axis.name;
  if (axis.labels.empty()) {
    file.dataset(path, std::span(axis.numbers), {axis.numbers.size()});
  } else {
    write_labels(file, path, axis);
  }
  file.attribute(path, "units", axis.units);
  file.attribute(path, "long_name", axis.meaning);
  file.attribute(path, "keys", joined(axis.keys, ' '));
  if (axis.kind == SweepAxis::Kind::listed) {
    file.make_scale(path, axis.name);
  } else {
    file.attach_scale(path, "/sample", 0);
  }
}

SweepAxis read_axis(const core::Hdf5Input& file, const ResultHeader& header,
                    const std::string& name, SweepAxis::Kind kind) {
  const std::string path = "/" + name;
  const bool is_labelled = file.has_attribute(path, "labels");
  SweepAxis axis{.name = name,
                 .kind = kind,
                 .keys = split(file.text_attribute(path, "keys"), ' '),
                 .meaning = file.text_attribute(path, "long_name"),
                 .units = file.text_attribute(path, "units"),
                 .numbers = {},
                 .labels = {}};
  require_form(
      file, header,
      {path, is_labelled ? "uint32" : "float64", axis.units,
       is_labelled ? std::vector<std::string>{"keys", "labels", "flag_values", "flag_meanings"}
                   : std::vector<std::string>{"keys"}});
  const core::Shape64 shape = file.shape(path);
  if (shape.size() != 1 || shape[0] == 0 || axis.keys.empty()) {
    file.fail(path, "is no axis of a sweep",
              axis.keys.empty() ? "it sets no key" : core::shape_text(shape), again);
  }
  if (is_labelled) {
    read_labels(file, path, axis);
  } else {
    axis.numbers = file.doubles(path, most_values);
  }
  return axis;
}

void write_index_axis(core::Hdf5Output& file, const std::string& name, std::size_t size,
                      std::string_view long_name) {
  const std::string path = "/" + name;
  std::vector<std::uint32_t> index(size);
  std::iota(index.begin(), index.end(), 0U);
  file.dataset(path, std::span<const std::uint32_t>(index), {size});
  file.attribute(path, "units", "1");
  file.attribute(path, "long_name", long_name);
  file.make_scale(path, name);
}

}  // namespace cimstat::experiments
