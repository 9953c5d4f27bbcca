#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "circuits/column.h"
#include "circuits/references/reference_search.h"

/// Quantisers of the current as a whole: where uniform references begin and end.
namespace cimstat::circuits {

/// Sums over the classes of a search as functions of the current x, on an even grid with cubic
/// interpolation: for searches that need millions of values. Their results are to be judged by
/// ReferenceSearch::cost, which is exact.
class ReferenceMixture {
 public:
  explicit ReferenceMixture(const ReferenceSearch& search);

  double low() const { return low_; }
  double high() const { return low_ + step_ * static_cast<double>(nodes_.size() - 1); }
  double step() const { return step_; }
  std::size_t size() const { return nodes_.size(); }  ///< nodes, step apart; at most 8193
  /// Integrals from the lowest current to x of the density of the current, of that times the MAC
  /// value, and of that times the current [A].
  double weight(double x) const;
  double mac(double x) const;
  double current(double x) const;
  /// Their densities' values: d weight / dx, d mac / dx, interpolated linearly.
  double density(double x) const;
  double mac_density(double x) const;
  double mean_square_mac() const { return mean_square_mac_; }

 private:
  struct Node {
    double weight = 0.0;
    double mac = 0.0;
    double density = 0.0;
    double mac_density = 0.0;
    double area = 0.0;  ///< integral of weight
  };
  struct Place {
    const Node* left;
    const Node* right;
    double share;  ///< of the cell that lies below x, 0 .. 1
  };
  Place place(double x) const;

  double low_ = 0.0;
  double step_ = 1.0;
  double mean_square_mac_ = 0.0;
  std::vector<Node> nodes_;
};

/// Codes evenly spaced from the MAC value `lowest` to `highest`, references half way between their
/// mean currents at `active_rows`, which may be a mean of several numbers: uniform_ladder where the
/// values are 0 and active_rows.
Ladder clipped_ladder(const ColumnDesign& design, double active_rows, std::uint32_t codes,
                      std::uint32_t lowest, std::uint32_t highest);

/// The one over all MAC values of the classes, at their mean number of active rows.
Ladder whole_ladder(const ReferenceSearch& search, const ColumnDesign& design, std::uint32_t codes);

/// The clipped ladder of least mean square error at the mean number of active rows over whole
/// lowest < highest up to the largest MAC value (the search of CACTUS, Kavishwar and Shanbhag 2025,
/// arXiv:2507.09776), or `unclipped` where that costs no more by ReadingCost::squared.
Ladder best_clipped_ladder(const ReferenceSearch& search, const ReferenceMixture& mixture,
                           const ColumnDesign& design, const Ladder& unclipped);

}  // namespace cimstat::circuits
