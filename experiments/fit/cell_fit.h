#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/law/law.h"
#include "core/parallel.h"
#include "core/statistics/shape_fit.h"

#include "experiments/fit/unit.h"

/// Laws of cells from cells that were measured or simulated one by one.
namespace cimstat::experiments {

/// Conductances [S] of one level, in the order of the file.
struct MeasuredCells {
  std::string level;   ///< "lrs" or "hrs"
  std::string column;  ///< name or number
  std::vector<double> conductance;
};

/// Which columns of a table hold which level; an empty name stands for none.
struct CellColumns {
  std::string lrs;
  std::string hrs;
  Unit unit;
  std::optional<double> read_voltage = {};  ///< [V], where currents were measured
};

/// Reads both columns in one pass. At most 10,000,000 rows. Throws UsageError or DataError.
std::vector<MeasuredCells> read_cells(const std::filesystem::path& file,
                                      const CellColumns& columns);

enum class LawChoice {
  best,  ///< normal or lognormal, by AIC
  normal,
  lognormal,
  empirical,  ///< the cells as they are
};

struct CellFitOptions {
  LawChoice law = LawChoice::best;
  core::Cut cut = {};              ///< [S]
  std::uint64_t replicates = 999;  ///< of the bootstrap
  std::uint64_t seed = 1;
};

struct CandidateFit {
  core::Family family = core::Family::normal;
  core::ShapeFitResult result;
  core::GoodnessOfFit goodness;  ///< where there is a fit
};

struct CellFit {
  std::string level;
  std::string column;
  std::size_t cells = 0;
  double mean = 0.0;  ///< [S]
  double sd = 0.0;
  double smallest = 0.0;
  double largest = 0.0;
  std::vector<CandidateFit> candidates;
  std::optional<std::size_t> chosen;  ///< of the candidates; none: the empirical law
  core::Empirical empirical;
};

/// Throws UsageError where the cells can't have that law: fewer than 8, outside of the cut, equal.
CellFit fit_cells(const MeasuredCells& cells, const CellFitOptions& options, core::Threads threads);

/// All cells where there are up to 1,024; of more, the 128 lowest and highest and 768 quantiles
/// between them.
core::Empirical empirical_of(const std::vector<double>& sorted);

struct CellFitReport {
  std::filesystem::path file;
  CellFitOptions options;
  std::vector<CellFit> fits;
};

/// What was fitted, how sure that is and how well it describes the cells.
std::string cell_fit_as_text(const CellFitReport& report);
/// [cell.lrs] and [cell.hrs] as an experiment file has them.
std::string cell_fit_as_toml(const CellFitReport& report);
std::string cell_fit_as_json(const CellFitReport& report);

}  // namespace cimstat::experiments
