#include "experiments/answers/answers_file.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "experiments/answers/answer_datasets.h"
#include "experiments/answers/layers_file.h"
#include "experiments/inference/stopped_accuracy.h"

namespace cimstat::experiments {

namespace {

constexpr std::string_view again = "make the result again with cimstat accuracy";
constexpr std::uint64_t most_classes = 256;
constexpr std::uint64_t most_layers = 1U << 14;
constexpr double tolerance = 1e-9;  // of another machine's mathematics

std::vector<double> values_of(const Estimate& estimate) {
  return {estimate.value, lower(estimate), upper(estimate)};
}

struct SensitivityColumn {
  std::string_view name;
  std::string_view long_name;
  double (*of)(const LayerSensitivity& layer);
};
const SensitivityColumn sensitivity_columns[] = {
    {"alone_difference", "accuracy with this layer alone on columns less that of exact integers",
     [](const LayerSensitivity& l) { return l.alone.value; }},
    {"alone_difference_lower", "lower end of its interval over images",
     [](const LayerSensitivity& l) { return lower(l.alone); }},
    {"alone_difference_upper", "upper end of its interval over images",
     [](const LayerSensitivity& l) { return upper(l.alone); }},
    {"spared_difference", "accuracy with all but this layer on columns less that with all",
     [](const LayerSensitivity& l) { return l.spared.value; }},
    {"spared_difference_lower", "lower end of its interval over images",
     [](const LayerSensitivity& l) { return lower(l.spared); }},
    {"spared_difference_upper", "upper end of its interval over images",
     [](const LayerSensitivity& l) { return upper(l.spared); }}};

/// Of an array that holds something of each pass.
std::vector<AnswerWriter::Axis> passes_axes(const AccuracyResult& result) {
  std::vector<AnswerWriter::Axis> axes = {{"read", result.reads}, {"image", result.images()}};
  if (result.chips > 0) axes.insert(axes.begin(), {"chip", result.chips});
  return axes;
}

core::Shape64 shape_of(const std::vector<AnswerWriter::Axis>& axes) {
  core::Shape64 shape;
  for (const AnswerWriter::Axis& axis : axes) shape.push_back(axis.size);
  return shape;
}

void write_classes_of_images(AnswerWriter& writer, const AccuracyResult& result) {
  const ClassAnswers& answers = result.answers;
  const std::uint64_t classes = answers.classes;
  writer.axis("label", classes, "class that an image is of");
  writer.axis("answer", classes, "class that the network takes it for");
  writer.dataset("image_label", answers.labels, {{"image", result.images()}}, "1",
                 "class that the image is of");
  writer.dataset("exact_class", answers.exact, {{"image", result.images()}}, "1",
                 "class that exact integers take the image for");
  writer.dataset("sampled_class", answers.sampled, passes_axes(result), "1",
                 "class that columns take the image for");
  writer.dataset("exact_confusion", answers.exact_confusion().counts,
                 {{"label", classes}, {"answer", classes}}, "1",
                 "images of a label that exact integers take for a class");
  writer.dataset("sampled_confusion", answers.sampled_confusion().counts,
                 {{"label", classes}, {"answer", classes}}, "1",
                 "answers to images of a label that are a class");
}

void write_sensitivity(AnswerWriter& writer, const AccuracyRecord& record) {
  const SensitivityRecord& answers = record.result.sensitivity;
  const std::uint64_t layers = answers.layers.size();
  const std::uint64_t images = record.result.images();
  writer.dataset("alone_correct", answers.alone, {{"image", images}, {"layer", layers}}, "1",
                 "right answers with this layer alone on columns");
  writer.dataset("spared_correct", answers.spared, {{"image", images}, {"layer", layers}}, "1",
                 "right answers with all but this layer on columns");
  const auto found = layer_sensitivities(record.result, record.confidence);
  for (const SensitivityColumn& column : sensitivity_columns) {
    std::vector<double> values;
    for (const LayerSensitivity& layer : found) values.push_back(column.of(layer));
    writer.dataset(column.name, values, {{"layer", layers}}, "1", column.long_name);
  }
}

std::vector<std::string> names_of(const AccuracyRecord& record) {
  if (!record.result.sensitivity.layers.empty()) return record.result.sensitivity.layers;
  std::vector<std::string> names;
  for (const LayerFigures& layer : record.layers.layers) names.push_back(layer.name);
  return names;
}

/// Classes of an array; none beyond the axes of the confusion matrices.
std::vector<std::uint8_t> read_classes(const AnswerReader& reader, std::string_view name,
                                       const core::Shape64& shape, std::uint32_t classes) {
  std::vector<std::uint8_t> found;
  for (const std::uint64_t one : reader.counts(name, "uint8", shape)) {
    if (one >= classes) {
      reader.fail(name, fmt::format("{} is no class", one), fmt::format("there are {}", classes));
    }
    found.push_back(static_cast<std::uint8_t>(one));
  }
  return found;
}

/// Throws where classes are not right and wrong as `correct` says.
void require_agreement(const AnswerReader& reader, std::string_view name, const ClassAnswers& given,
                       const std::vector<std::uint8_t>& found,
                       const std::vector<std::uint8_t>& correct) {
  const std::size_t images = given.labels.size();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if ((found[i] == given.labels[i % images]) == (correct[i] == 1)) continue;
    reader.fail(
        name, "contradicts the answers",
        fmt::format("image {} of class {} is taken for {} and called {}", i % images,
                    given.labels[i % images], found[i], correct[i] == 1 ? "right" : "wrong"));
  }
}

void read_classes_of_images(const AnswerReader& reader, AccuracyResult& result) {
  ClassAnswers& answers = result.answers;
  answers.classes = static_cast<std::uint32_t>(reader.axis("label", most_classes));
  if (reader.axis("answer", most_classes) != answers.classes) {
    reader.fail("answer", "is not the axis that its name says", "as many as labels are needed");
  }
  answers.labels = read_classes(reader, "image_label", {result.images()}, answers.classes);
  answers.exact = read_classes(reader, "exact_class", {result.images()}, answers.classes);
  answers.sampled =
      read_classes(reader, "sampled_class", shape_of(passes_axes(result)), answers.classes);
  require_agreement(reader, "exact_class", answers, answers.exact, result.exact_correct);
  require_agreement(reader, "sampled_class", answers, answers.sampled, result.sampled_correct);
  for (const auto& [name, expected] :
       {std::pair("exact_confusion", answers.exact_confusion()),
        std::pair("sampled_confusion", answers.sampled_confusion())}) {
    const std::uint64_t classes = answers.classes;
    const auto found = reader.counts(name, "uint64", {classes, classes});
    const auto [wrong, right] = std::mismatch(found.begin(), found.end(), expected.counts.begin());
    if (wrong == found.end()) continue;
    const auto at = static_cast<std::uint64_t>(wrong - found.begin());
    reader.fail(name, "contradicts the classes of the answers",
                fmt::format("{} instead of {} of label {} are taken for {}", *wrong, *right,
                            at / classes, at % classes));
  }
}

std::vector<std::string> read_names(const AnswerReader& reader) {
  const std::uint64_t layers = reader.axis("layer", most_layers, {"labels"});
  std::vector<std::string> names(1);
  for (const char letter : reader.file().text_attribute("/layer", "labels")) {
    if (letter == '\n') {
      names.emplace_back();
    } else {
      names.back() += letter;
    }
  }
  if (names.size() != layers) {
    reader.fail("layer", "attribute 'labels' does not go with it",
                fmt::format("{} instead of {}", names.size(), layers));
  }
  return names;
}

void read_sensitivity(const AnswerReader& reader, const std::vector<std::string>& names,
                      AccuracyRecord& record) {
  SensitivityRecord& answers = record.result.sensitivity;
  answers.layers = names;
  const core::Shape64 shape = {record.result.images(), names.size()};
  for (const auto& [name, to] :
       {std::pair("alone_correct", &answers.alone), std::pair("spared_correct", &answers.spared)}) {
    for (const std::uint64_t right : reader.counts(name, "uint32", shape)) {
      if (right > record.result.passes()) {
        reader.fail(name, fmt::format("{} right answers to an image", right),
                    fmt::format("it was asked {} times", record.result.passes()));
      }
      to->push_back(static_cast<std::uint32_t>(right));
    }
  }
  const auto found = layer_sensitivities(record.result, record.confidence);
  for (const SensitivityColumn& column : sensitivity_columns) {
    const std::vector<double> values = reader.numbers(column.name, "1", {names.size()});
    for (std::size_t layer = 0; layer < values.size(); ++layer) {
      reader.require_equal(column.name, values[layer], column.of(found[layer]));
    }
  }
}

}  // namespace

bool has_answers(const AccuracyRecord& record) { return record.result.answers.classes > 0; }

std::vector<std::string> answer_members(const AccuracySettings& settings) {
  std::vector<std::string> names = {
      "label",         "answer",          "image_label",      "exact_class",
      "sampled_class", "exact_confusion", "sampled_confusion"};
  if (settings.layers || settings.sensitivity) names.emplace_back("layer");
  if (settings.layers) {
    const std::vector<std::string> more = layer_members();
    names.insert(names.end(), more.begin(), more.end());
  }
  if (settings.sensitivity) {
    names.insert(names.end(), {"alone_correct", "spared_correct"});
    for (const auto& column : sensitivity_columns) names.emplace_back(column.name);
  }
  return names;
}

std::vector<std::string> answer_attributes(const AccuracySettings& settings) {
  std::vector<std::string> names;
  if (settings.half_width) names.emplace_back("stopped_accuracy");
  if (settings.layers) names.insert(names.end(), {"code_step", "code_origin"});
  return names;
}

void write_answers(core::Hdf5Output& file, const AccuracySettings& settings,
                   const AccuracyRecord& record) {
  AnswerWriter writer(file);
  if (settings.half_width) {
    const Estimate stopped = stopped_accuracy(record.result, record.confidence);
    const std::vector<double> values = values_of(stopped);
    file.attribute("/", "stopped_accuracy", std::span<const double>(values));
  }
  write_classes_of_images(writer, record.result);
  if (settings.layers || settings.sensitivity) {
    const std::vector<std::string> names = names_of(record);
    writer.axis("layer", names.size(), "layer on arrays, in the network's order");
    file.attribute("/layer", "labels", fmt::format("{}", fmt::join(names, "\n")));
  }
  if (settings.layers) write_layers(writer, record.layers);
  if (settings.sensitivity) write_sensitivity(writer, record);
}

void read_answers(const core::Hdf5Input& file, const ResultHeader& header, AccuracyRecord& record) {
  const AccuracySettings& settings = header.experiment.accuracy;
  const AnswerReader reader(file, header);
  if (settings.half_width) {
    const Estimate stopped = stopped_accuracy(record.result, record.confidence);
    const std::vector<double> found = file.numbers_attribute("/", "stopped_accuracy");
    const std::vector<double> wanted = values_of(stopped);
    const auto equal = [](double a, double b) { return std::abs(a - b) <= tolerance; };
    if (!std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(), equal)) {
      file.fail(
          "/", "attribute 'stopped_accuracy' contradicts the answers",
          fmt::format("{:.6g} instead of {:.6g}", fmt::join(found, ", "), fmt::join(wanted, ", ")),
          again);
    }
  }
  read_classes_of_images(reader, record.result);
  if (!settings.layers && !settings.sensitivity) return;
  const std::vector<std::string> names = read_names(reader);
  if (settings.layers) read_layers(reader, names, record);
  if (settings.sensitivity) read_sensitivity(reader, names, record);
}

}  // namespace cimstat::experiments
