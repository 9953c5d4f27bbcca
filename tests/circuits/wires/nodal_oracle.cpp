#include "tests/circuits/wires/nodal_oracle.h"

#include <cstddef>
#include <numeric>

// GCC takes parts of Eigen's factorisation for conversions of ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <Eigen/SparseCholesky>
#pragma GCC diagnostic pop

namespace cimstat::testing {

namespace {

using Real = long double;

class Network {
 public:
  std::size_t add_node() {
    joined_.push_back(joined_.size());
    return joined_.size() - 1;
  }
  std::size_t add_source(Real volts) {
    const std::size_t node = add_node();
    sources_.push_back({node, volts});
    return node;
  }
  void add_resistor(std::size_t a, std::size_t b, double ohm) {
    if (ohm == 0.0) {
      joined_[root(a)] = root(b);
    } else {
      branches_.push_back({a, b, 1.0L / ohm});
    }
  }
  void add_conductance(std::size_t a, std::size_t b, double siemens) {
    if (siemens > 0.0) branches_.push_back({a, b, siemens});
  }
  void add_current(std::size_t from, std::size_t to, double ampere) {
    currents_.push_back({from, to, ampere});
  }

  void solve() {
    const std::size_t nodes = joined_.size();
    potential_.assign(nodes, 0.0L);
    std::vector<bool> is_fixed(nodes, false);
    for (const auto& [node, volts] : sources_) {
      is_fixed[root(node)] = true;
      potential_[root(node)] = volts;
    }
    std::vector<int> unknown(nodes, -1);
    int unknowns = 0;
    // A node that nothing leads to stays at 0.
    const auto number = [&](std::size_t node) {
      if (!is_fixed[node] && unknown[node] < 0) unknown[node] = unknowns++;
    };
    for (const Branch& branch : branches_) {
      number(root(branch.a));
      number(root(branch.b));
    }
    std::vector<Eigen::Triplet<Real>> entries;
    std::vector<Real> right(static_cast<std::size_t>(unknowns), 0.0L);
    for (const Branch& branch : branches_) {
      const std::size_t a = root(branch.a);
      const std::size_t b = root(branch.b);
      if (a == b) continue;
      for (const auto& [here, there] : {std::pair{a, b}, std::pair{b, a}}) {
        if (is_fixed[here]) continue;
        entries.emplace_back(unknown[here], unknown[here], branch.value);
        if (is_fixed[there]) {
          right[static_cast<std::size_t>(unknown[here])] += branch.value * potential_[there];
        } else {
          entries.emplace_back(unknown[here], unknown[there], -branch.value);
        }
      }
    }
    for (const Branch& current : currents_) {
      const int from = unknown[root(current.a)];
      const int to = unknown[root(current.b)];
      if (from >= 0) right[static_cast<std::size_t>(from)] -= current.value;
      if (to >= 0) right[static_cast<std::size_t>(to)] += current.value;
    }
    if (unknowns > 0) {
      Eigen::SparseMatrix<Real> matrix(unknowns, unknowns);
      matrix.setFromTriplets(entries.begin(), entries.end());
      const Eigen::SimplicialLDLT<Eigen::SparseMatrix<Real>> factors(matrix);
      const Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, 1>> vector(right.data(), unknowns);
      const Eigen::Matrix<Real, Eigen::Dynamic, 1> solution = factors.solve(vector);
      for (std::size_t node = 0; node < nodes; ++node) {
        if (unknown[node] >= 0) potential_[node] = solution[unknown[node]];
      }
    }
  }
  Real potential(std::size_t node) { return potential_[root(node)]; }

 private:
  struct Branch {
    std::size_t a;
    std::size_t b;
    Real value;
  };
  std::size_t root(std::size_t node) {
    while (joined_[node] != node) node = joined_[node] = joined_[joined_[node]];
    return node;
  }
  std::vector<std::size_t> joined_;
  std::vector<std::pair<std::size_t, Real>> sources_;
  std::vector<Branch> branches_;
  std::vector<Branch> currents_;
  std::vector<Real> potential_;
};

}  // namespace

NodalSolution solve_nodal(const circuits::CrossbarDesign& design,
                          std::span<const double> conductances, std::span<const double> inputs,
                          std::span<const double> injected) {
  using circuits::Pairing;
  using circuits::Supply;
  const std::size_t columns = design.columns;
  const std::size_t rows = design.rows();
  const std::size_t lines = design.pairing == Pairing::interleaved ? 2 : 1;
  const bool is_gated = design.supply != Supply::input_line;
  const circuits::WireResistances& wires = design.wires;
  Network network;
  std::vector<std::size_t> supply(rows * columns);
  std::vector<std::size_t> column(rows * columns);
  for (std::size_t& node : supply) node = network.add_node();
  for (std::size_t& node : column) node = network.add_node();
  const std::size_t ground = network.add_source(0.0L);
  const auto sign = [&](std::size_t row) { return row % lines == 0 ? 1.0 : -1.0; };
  const auto is_open = [&](std::size_t row) { return !is_gated || inputs[row / lines] != 0.0; };

  for (std::size_t j = 0; j < columns; ++j) {  // bit lines
    for (std::size_t i = 0; i < rows; ++i) {
      const double ohm = i % lines == lines - 1 ? wires.column_segment : 0.0;
      if (i + 1 < rows) {
        network.add_resistor(column[i * columns + j], column[(i + 1) * columns + j], ohm);
      } else {
        network.add_resistor(column[i * columns + j], ground, ohm + wires.sense);
      }
    }
  }
  if (design.supply == Supply::column_line) {
    for (std::size_t line = 0; line < lines; ++line) {
      const std::size_t source = network.add_source(sign(line) * design.read_voltage);
      for (std::size_t j = 0; j < columns; ++j) {
        network.add_resistor(source, supply[line * columns + j],
                             wires.driver + wires.supply_segment);
        for (std::size_t i = line; i + lines < rows; i += lines) {
          network.add_resistor(supply[i * columns + j], supply[(i + lines) * columns + j],
                               wires.supply_segment);
        }
      }
    }
  } else {
    for (std::size_t i = 0; i < rows; ++i) {
      const double volts = is_gated ? design.read_voltage : inputs[i / lines];
      const std::size_t source = network.add_source(sign(i) * volts);
      network.add_resistor(source, supply[i * columns], wires.driver + wires.supply_segment);
      for (std::size_t j = 0; j + 1 < columns; ++j) {
        network.add_resistor(supply[i * columns + j], supply[i * columns + j + 1],
                             wires.supply_segment);
      }
    }
  }
  for (std::size_t cell = 0; cell < rows * columns; ++cell) {
    if (!is_open(cell / columns)) continue;
    network.add_conductance(supply[cell], column[cell], conductances[cell]);
    if (!injected.empty()) network.add_current(supply[cell], column[cell], injected[cell]);
  }
  network.solve();

  NodalSolution solution{.currents = std::vector<double>(columns), .supply = {}, .column = {}};
  std::vector<Real> sums(columns, 0.0L);
  for (std::size_t cell = 0; cell < rows * columns; ++cell) {
    const Real u = network.potential(supply[cell]);
    const Real v = network.potential(column[cell]);
    solution.supply.push_back(static_cast<double>(u));
    solution.column.push_back(static_cast<double>(v));
    if (!is_open(cell / columns)) continue;
    sums[cell % columns] += conductances[cell] * (u - v);
    if (!injected.empty()) sums[cell % columns] += injected[cell];
  }
  for (std::size_t j = 0; j < columns; ++j) solution.currents[j] = static_cast<double>(sums[j]);
  return solution;
}

}  // namespace cimstat::testing
