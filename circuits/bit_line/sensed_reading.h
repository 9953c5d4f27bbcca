#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/law/law.h"
#include "core/parallel.h"

#include "circuits/bit_line/noiseless_reading.h"
#include "circuits/column.h"
#include "circuits/exact/exact_column.h"

/// The distribution of what a sense amplifier sees behind a line that is more than a sum.
namespace cimstat::circuits {

/// Why it can't be had without sampling, or nothing where it can. The line is not ideal.
std::optional<std::string> reading_obstacle(const ColumnDesign& design);

/// What the line delivers, its own noise, offset and noise of the sense amplifier, in A or V as the
/// line has it; before what comparators add. Nodes of the noiseless reading, each with the noise
/// around it; in closed form where there is no noise, or next to none.
class SensedReading {
 public:
  double mean() const { return mean_; }
  double sd() const { return sd_; }
  /// P(X <= x) or P(X > x), within about 1e-9.
  double tail_probability(core::Tail side, double x) const;
  double density(double x) const;
  /// The reading with the given tail probability.
  double quantile(core::Tail side, double probability) const;

 private:
  friend std::vector<SensedReading> sensed_readings(const ColumnDesign&,
                                                    std::span<const ColumnClass>,
                                                    const ExactOptions&, core::Threads);
  /// What the reading is where nothing is added to it.
  struct ClosedForm {
    std::function<double(core::Tail, double)> tail;
    std::function<double(double)> density;
    double low = 0.0;  ///< between which nearly all of it lies
    double high = 0.0;
  };
  SensedReading(const NoiselessReading& reading, const AddedNoise& noise);
  /// Half open range of nodes that noise can carry to x.
  std::pair<std::size_t, std::size_t> near(double x) const;

  double mean_ = 0.0;
  double sd_ = 0.0;
  AddedNoise noise_;
  std::vector<double> reading_;  ///< ascending
  std::vector<double> weight_;   ///< of each, together 1
  std::vector<double> below_;    ///< weight of all before
  std::vector<double> above_;    ///< weight of all from here on
  std::optional<ClosedForm> closed_;
};

/// Of each class. Throws ExactObstacle where there is a reading_obstacle.
std::vector<SensedReading> sensed_readings(const ColumnDesign& design,
                                           std::span<const ColumnClass> classes,
                                           const ExactOptions& options, core::Threads threads);

/// Standard deviation of the reading of a class, to first order in what varies, with line noise,
/// offset and noise of the sense amplifier; of an ideal line exact. NaN along a resistive wire,
/// whose reading depends on where its cells are.
double first_order_sd(const ColumnDesign& design, ColumnClass column_class);

}  // namespace cimstat::circuits
