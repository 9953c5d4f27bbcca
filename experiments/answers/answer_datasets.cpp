#include "experiments/answers/answer_datasets.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

constexpr double tolerance = 1e-9;
constexpr std::uint64_t most_values = std::uint64_t{1} << 26;

std::string path_of(std::string_view name) { return fmt::format("/{}", name); }

std::uint64_t size_of(const core::Shape64& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

}  // namespace

void AnswerWriter::axis(std::string_view name, std::size_t size, std::string_view long_name) {
  std::vector<std::uint32_t> values(size);
  std::iota(values.begin(), values.end(), 0U);
  file_.dataset(path_of(name), std::span<const std::uint32_t>(values), {size});
  describe(name, {}, "1", long_name);
  file_.make_scale(path_of(name), name);
}

void AnswerWriter::describe(std::string_view name, const std::vector<Axis>& axes,
                            std::string_view units, std::string_view long_name) {
  const std::string path = path_of(name);
  file_.attribute(path, "units", units);
  file_.attribute(path, "long_name", long_name);
  for (unsigned i = 0; i < axes.size(); ++i) file_.attach_scale(path, path_of(axes[i].name), i);
}

std::uint64_t AnswerReader::axis(std::string_view name, std::uint64_t limit,
                                 const std::vector<std::string>& attributes) const {
  const std::string path = path_of(name);
  require_form(file_, header_, {path, "uint32", "1", attributes});
  const core::Shape64 shape = file_.shape(path);
  if (shape.size() != 1 || shape[0] > limit) fail(name, "is no axis", core::shape_text(shape));
  require_index_axis(file_, path, shape[0]);
  return shape[0];
}

std::vector<std::uint64_t> AnswerReader::counts(std::string_view name, std::string_view type,
                                                const core::Shape64& shape) const {
  require(name, type, "1", shape);
  return file_.unsigneds(path_of(name), std::min(size_of(shape), most_values));
}

std::vector<double> AnswerReader::numbers(std::string_view name, std::string_view units,
                                          const core::Shape64& shape) const {
  require(name, "float64", units, shape);
  return file_.doubles(path_of(name), std::min(size_of(shape), most_values));
}

void AnswerReader::require_equal(std::string_view name, double found, double expected) const {
  const double off = std::abs(found - expected);
  if (found == expected || off <= tolerance * std::max(1.0, std::abs(expected))) return;
  fail(name, "does not follow from the other numbers",
       fmt::format("{:.6g} instead of {:.6g}", found, expected));
}

void AnswerReader::fail(std::string_view name, std::string_view problem,
                        std::string_view why) const {
  file_.fail(path_of(name), problem, why, "make the result again with cimstat accuracy");
}

void AnswerReader::require(std::string_view name, std::string_view type, std::string_view units,
                           const core::Shape64& shape) const {
  require_form(file_, header_, {path_of(name), type, units});
  const core::Shape64 found = file_.shape(path_of(name));
  if (found == shape) return;
  fail(name, "does not go with its axes",
       fmt::format("{} instead of {}", core::shape_text(found), core::shape_text(shape)));
}

}  // namespace cimstat::experiments
