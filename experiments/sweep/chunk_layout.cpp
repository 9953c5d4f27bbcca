#include "experiments/sweep/chunk_layout.h"

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

/// Gives out places one behind the other.
class Places {
 public:
  std::size_t take(std::size_t size, bool is_there) {
    return std::exchange(end_, end_ + (is_there ? size : 0));
  }
  std::size_t end() const { return end_; }

 private:
  std::size_t end_ = 0;
};

}  // namespace

ChunkLayout::ChunkLayout(const SweepSettings& settings, const SweepLayout& layout)
    : has_margin(settings.asks(SweepOutput::margin)),
      has_rates(settings.asks(SweepOutput::misread) || settings.asks(SweepOutput::table)),
      has_table(settings.asks(SweepOutput::table)),
      has_accuracy(settings.asks(SweepOutput::accuracy)),
      has_keys(has_rates && !layout.same_classes),
      classes(layout.classes),
      codes(layout.codes) {
  const std::size_t entries = classes * codes;
  const bool sampled = layout.is_sampled;
  Places integer;
  lrs_count = integer.take(classes, has_keys);
  active_rows = integer.take(classes, has_keys);
  present = integer.take(classes, has_keys);
  code_count = integer.take(1, has_table && !layout.same_codes);
  gap = integer.take(1, has_margin);
  trials = integer.take(classes, has_rates && sampled);
  misreads = integer.take(classes, has_rates && sampled);
  last = integer.take(classes, has_rates && layout.misreads_wanted > 0);
  counts = integer.take(entries, has_table && sampled);
  accuracy = integer.take(accuracy_count, has_accuracy);
  integers = integer.end();
  Places number;
  margins = number.take(margin_count, has_margin);
  misread = number.take(classes, has_rates && !sampled);
  bound = number.take(classes, has_rates && !sampled);
  probability = number.take(entries, has_table && !sampled);
  entry_bound = number.take(classes, has_table && !sampled);
  numbers = number.end();
}

namespace {

SweepField point_field(std::string name, std::string long_name, std::string units = "1") {
  return {std::move(name), std::move(units), std::move(long_name), FieldShape::point};
}

SweepField row_field(std::string name, std::string long_name) {
  return {std::move(name), "1", std::move(long_name), FieldShape::row};
}

void add_with_interval(std::vector<SweepField>& fields, const std::string& name,
                       const std::string& long_name) {
  fields.push_back(point_field(name, long_name));
  fields.push_back(point_field(name + "_lower", "lower end of the interval: " + long_name));
  fields.push_back(point_field(name + "_upper", "upper end of the interval: " + long_name));
}

}  // namespace

SweepFields result_fields(const SweepLayout& layout, const ChunkLayout& places) {
  SweepFields fields;
  fields.classes = places.has_rates ? places.classes : 0;
  fields.codes = places.has_table ? places.codes : 0;
  std::vector<SweepField>& integers = fields.integers;
  std::vector<SweepField>& numbers = fields.numbers;
  if (places.has_keys) {
    integers.push_back(row_field("lrs_count", "LRS cells among the active rows of the class"));
    integers.push_back(row_field("active_rows", "active rows of the class"));
    integers.push_back(row_field("class_present", "1 where the point has a class of this number"));
  }
  if (places.has_table && !layout.same_codes) {
    integers.push_back(point_field("code_count", "codes of the converter"));
  }
  if (places.has_margin) {
    integers.push_back(point_field(
        "margin_gap", layout.has_states ? "MAC value below the smallest quantile margin, less the "
                                          "lowest MAC value"
                                        : "MAC value below the smallest quantile margin"));
    for (const auto& [name, what] : {std::pair("margin_quantile", "quantile"),
                                     {"margin_input_aware", "input-aware"},
                                     {"margin_pattern", "pattern"}}) {
      numbers.push_back(point_field(
          name, fmt::format("smallest {} margin of neighbouring MAC values", what), layout.unit));
    }
    numbers.push_back(point_field("overlap", "largest overlap of neighbouring MAC values"));
  }
  if (places.has_rates) {
    integers.push_back(point_field("worst_lrs_count", "LRS cells of the most misread class"));
    integers.push_back(point_field("worst_active_rows", "active rows of the most misread class"));
    add_with_interval(numbers, "misread_worst",
                      "P(code is not the ideal one) of the most misread class");
    add_with_interval(numbers, "misread_mean",
                      "P(code is not the ideal one), mean over all classes");
    if (layout.is_sampled) {
      integers.push_back(row_field("trials", "trials of the class"));
      integers.push_back(row_field("misreads", "trials of the class that gave another code"));
    } else {
      numbers.push_back(row_field("misread", "P(code is not the ideal one) of the class"));
      numbers.push_back(row_field("misread_error", "bound on the absolute error of misread"));
    }
    if (layout.misreads_wanted > 0) {
      integers.push_back(row_field("last_misread_trial",
                                   "trial, counted from 1, of the misread that the class was "
                                   "sampled for; 0: it never came"));
    }
  }
  if (places.has_table && layout.is_sampled) {
    integers.push_back({"counts", "1", "how often the code came", FieldShape::table});
  }
  if (places.has_table && !layout.is_sampled) {
    numbers.push_back({"probability", "1", "P(code | class)", FieldShape::table});
    numbers.push_back(
        row_field("error_bound", "bound on the absolute error of each probability of the class"));
  }
  if (places.has_accuracy) {
    integers.push_back(point_field("images", "images that the accuracy is of"));
    integers.push_back(point_field("exact_right", "images that exact integers classify right"));
    integers.push_back(
        point_field("right", "sum over images of c, how many of its reads are right"));
    integers.push_back(point_field("right_squared", "sum over images of c^2"));
    integers.push_back(
        point_field("right_both", "sum of c over images that exact integers classify right"));
    add_with_interval(numbers, "accuracy", "share of images classified right on the macro");
    add_with_interval(numbers, "accuracy_exact",
                      "share of images classified right in exact integers");
    add_with_interval(numbers, "accuracy_difference", "accuracy - accuracy_exact, paired by image");
  }
  return fields;
}

}  // namespace cimstat::experiments
