#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/file/hdf5_file.h"

#include "experiments/inference/accuracy_run.h"
#include "experiments/result_header.h"

/// Datasets with axes, units and names, as the files of accuracies hold them.
namespace cimstat::experiments {

inline double lower(const Estimate& estimate) { return estimate.interval.lower; }
inline double upper(const Estimate& estimate) { return estimate.interval.upper; }

class AnswerWriter {
 public:
  explicit AnswerWriter(core::Hdf5Output& file) : file_(file) {}
  core::Hdf5Output& file() { return file_; }

  /// 0 .. size - 1.
  void axis(std::string_view name, std::size_t size, std::string_view long_name);

  struct Axis {
    std::string_view name;
    std::uint64_t size;
  };
  template <class Value>
  void dataset(std::string_view name, const std::vector<Value>& values,
               const std::vector<Axis>& axes, std::string_view units, std::string_view long_name) {
    core::Shape64 shape;
    for (const Axis& axis : axes) shape.push_back(axis.size);
    file_.dataset("/" + std::string(name), std::span<const Value>(values), shape);
    describe(name, axes, units, long_name);
  }

 private:
  void describe(std::string_view name, const std::vector<Axis>& axes, std::string_view units,
                std::string_view long_name);
  core::Hdf5Output& file_;
};

/// All throw DataError for what is not as the page says.
class AnswerReader {
 public:
  AnswerReader(const core::Hdf5Input& file, const ResultHeader& header)
      : file_(file), header_(header) {}
  const core::Hdf5Input& file() const { return file_; }

  /// Its size.
  std::uint64_t axis(std::string_view name, std::uint64_t limit,
                     const std::vector<std::string>& attributes = {}) const;
  std::vector<std::uint64_t> counts(std::string_view name, std::string_view type,
                                    const core::Shape64& shape) const;
  std::vector<double> numbers(std::string_view name, std::string_view units,
                              const core::Shape64& shape) const;
  /// To what another machine's mathematics may change.
  void require_equal(std::string_view name, double found, double expected) const;
  [[noreturn]] void fail(std::string_view name, std::string_view problem,
                         std::string_view why) const;

 private:
  void require(std::string_view name, std::string_view type, std::string_view units,
               const core::Shape64& shape) const;
  const core::Hdf5Input& file_;
  const ResultHeader& header_;
};

}  // namespace cimstat::experiments
