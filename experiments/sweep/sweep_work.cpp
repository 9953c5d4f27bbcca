#include "experiments/sweep/sweep_work.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"
#include "core/interrupt.h"
#include "core/statistics/gamma_bernoulli.h"

#include "circuits/bit_line/line_reading.h"
#include "circuits/exact/exact_column.h"

#include "experiments/margin/margin_levels.h"
#include "experiments/sweep/chunk_computation.h"
#include "experiments/sweep/chunk_layout.h"
#include "experiments/sweep/point_summary.h"
#include "experiments/sweep/prepared_points.h"

namespace cimstat::experiments {

namespace {

/// Answers in a chunk of an accuracy: some seconds for small networks.
constexpr std::uint64_t answers_per_chunk = 1024;

/// What a look at every point finds.
struct Survey {
  bool is_sampled = false;
  std::string obstacle;  ///< of the exact engine, at some point
  std::size_t classes = 0;
  std::size_t codes = 0;
  bool same_classes = true;
  bool same_codes = true;
  bool has_states = false;  ///< rows of more than two
  std::string unit;         ///< of readings
  bool same_unit = true;

  void add(const Survey& other) {
    has_states = has_states || other.has_states;
    if (unit.empty()) unit = other.unit;
    same_unit = same_unit && other.same_unit && (other.unit.empty() || unit == other.unit);
    is_sampled = is_sampled || other.is_sampled;
    if (obstacle.empty()) obstacle = other.obstacle;
    same_classes = same_classes && other.same_classes;
    same_codes = same_codes && other.same_codes;
    classes = std::max(classes, other.classes);
    codes = std::max(codes, other.codes);
  }
};

Survey survey_of(const Experiment& experiment, const SweepPlan& plan) {
  const Experiment& base = plan.base();
  Survey found;
  found.unit = circuits::reading_unit(experiment.macro.design);
  found.has_states = !experiment.macro.design.row_states.empty();
  if (experiment.macro.design.row_states.is_digital()) {
    throw core::UsageError(core::error_line("mapping.subtraction", "\"digital\" can't be swept",
                                            "sweeps know one column and its converter",
                                            "use cimstat table for each point"));
  }
  if (found.has_states) {
    for (const SweepOutput output :
         {SweepOutput::misread, SweepOutput::table, SweepOutput::accuracy}) {
      if (!plan.settings().asks(output)) continue;
      throw core::UsageError(
          core::error_line("sweep.outputs", "only margins can be swept of this column",
                           "its rows have more than two states", "write outputs = [\"margin\"]"));
    }
    margin_levels(experiment.macro.design, experiment.margin.active_rows);
    return found;
  }
  const auto classes = experiment.classes();
  check_table(experiment, classes);
  found.classes = classes.size();
  found.codes = experiment.macro.design.ladder.codes;
  found.same_classes = experiment.table.active_rows == base.table.active_rows;
  found.same_codes = found.codes == base.macro.design.ladder.codes;
  if (experiment.table.method == Method::automatic) {
    found.obstacle = circuits::exact_obstacle(experiment.macro.design).value_or("");
  }
  found.is_sampled = experiment.table.method == Method::monte_carlo || !found.obstacle.empty();
  return found;
}

/// An error with the point in front of its line.
[[noreturn]] void throw_at_point(const SweepPlan& plan, std::uint64_t point,
                                 const core::Error& error) {
  throw core::Error(error.code(),
                    fmt::format("point {} ({}): {}", point, plan.point_text(point), error.what()));
}

Survey survey_all(const SweepPlan& plan, PreparedPoints& prepared, core::Threads threads,
                  const core::Progress& progress) {
  constexpr std::uint64_t points_per_block = 64;
  const std::uint64_t points = plan.points();
  std::mutex mutex;
  Survey all;
  core::for_each_block(
      static_cast<std::size_t>((points + points_per_block - 1) / points_per_block), threads,
      [&](std::size_t block, std::size_t) {
        Survey of_block;
        const std::uint64_t first = block * points_per_block;
        for (std::uint64_t point = first; point < std::min(first + points_per_block, points);
             ++point) {
          const Experiment experiment = plan.experiment(point);
          try {
            of_block.add(survey_of(experiment, plan));
            if (plan.settings().asks(SweepOutput::accuracy)) prepared.require_network(experiment);
          } catch (const core::Interrupted&) {
            throw;
          } catch (const core::Error& error) {
            throw_at_point(plan, point, error);
          }
        }
        const std::lock_guard lock(mutex);
        all.add(of_block);
      },
      progress);
  return all;
}

}  // namespace

struct SweepWork::State {
  SweepPlan plan;
  PreparedPoints prepared;
  SweepLayout layout;
  std::string identity;
  std::vector<circuits::ColumnClass> classes;
  std::unique_ptr<ChunkLayout> places;
  SweepFields fields;
  std::unique_ptr<ChunkComputation> computation;
  std::unique_ptr<PointSummary> summary;

  State(SweepPlan given, const FindNetwork& find_network, core::Threads threads,
        const core::Progress& progress)
      : plan(std::move(given)), prepared(plan, find_network, core::resolved(threads)) {
    lay_out(survey_all(plan, prepared, threads, progress));
    identity = plan.sha256();
    if (asks(SweepOutput::accuracy)) identity = core::sha256(identity + prepared.inputs_sha256());
    places = std::make_unique<ChunkLayout>(plan.settings(), layout);
    fields = result_fields(layout, *places);
    computation = std::make_unique<ChunkComputation>(layout, *places);
    summary = std::make_unique<PointSummary>(plan, layout, *places, classes);
  }

  bool asks(SweepOutput output) const { return plan.settings().asks(output); }
  bool asks_rates() const { return asks(SweepOutput::misread) || asks(SweepOutput::table); }

  void lay_out(const Survey& survey) {
    const TableSettings& table = plan.base().table;
    layout.is_sampled = survey.is_sampled && asks_rates();
    layout.classes = survey.classes;
    layout.codes = survey.codes;
    layout.same_classes = survey.same_classes;
    layout.same_codes = survey.same_codes;
    layout.has_states = survey.has_states;
    layout.unit = survey.unit;
    if (asks(SweepOutput::margin) && !survey.same_unit) {
      throw core::UsageError(core::error_line(
          "sweep.outputs", "margins of these points have no common unit",
          "some lines deliver currents, some voltages", "sweep those by themselves"));
    }
    if (layout.same_classes && !layout.has_states) classes = plan.base().classes();
    if (layout.is_sampled && table.target_relative_error) {
      layout.misreads_wanted =
          core::gamma_bernoulli_successes(*table.target_relative_error, table.confidence);
    }
    const std::uint64_t chunk_trials = plan.settings().chunk_trials;
    const bool has_tables = asks_rates() || asks(SweepOutput::margin);
    layout.table_chunks = layout.is_sampled ? (table.trials + chunk_trials - 1) / chunk_trials
                                            : std::uint64_t{has_tables};
    if (asks(SweepOutput::accuracy)) {
      const AccuracySettings& accuracy = plan.base().accuracy;
      layout.images_per_chunk = std::max<std::uint64_t>(answers_per_chunk / accuracy.reads, 1);
      layout.accuracy_chunks =
          (prepared.images() + layout.images_per_chunk - 1) / layout.images_per_chunk;
    }
    layout.is_point_whole = layout.misreads_wanted > 0 || layout.accuracy_chunks > 1;
    std::uint64_t all = 0;
    if (__builtin_mul_overflow(plan.points(), layout.chunks_per_point(), &all) ||
        all > most_chunks) {
      throw core::UsageError(core::error_line(
          "sweep",
          fmt::format("{} points in {} chunks each are too many", plan.points(),
                      layout.chunks_per_point()),
          fmt::format("{} chunks at most", most_chunks), "raise sweep.chunk_trials"));
    }
  }

  static constexpr std::uint64_t most_chunks = std::uint64_t{1} << 30;

  std::uint64_t which(std::uint64_t chunk) const { return chunk % layout.chunks_per_point(); }
  circuits::TrialRange trials_of(std::uint64_t which_chunk) const {
    const std::uint64_t size = plan.settings().chunk_trials;
    return {which_chunk * size, std::min((which_chunk + 1) * size, plan.base().table.trials)};
  }
  std::uint64_t first_image(std::uint64_t which_chunk) const {
    return (which_chunk - layout.table_chunks) * layout.images_per_chunk;
  }
};

SweepWork::SweepWork(SweepPlan plan, const FindNetwork& find_network, core::Threads threads,
                     const core::Progress& progress)
    : state_(std::make_unique<State>(std::move(plan), find_network, threads, progress)) {}

SweepWork::~SweepWork() = default;

const SweepPlan& SweepWork::plan() const { return state_->plan; }
const SweepLayout& SweepWork::layout() const { return state_->layout; }
const std::string& SweepWork::identity() const { return state_->identity; }
std::size_t SweepWork::chunk_integers() const { return state_->places->integers; }
std::size_t SweepWork::chunk_numbers() const { return state_->places->numbers; }
const SweepFields& SweepWork::fields() const { return state_->fields; }
std::vector<circuits::ColumnClass> SweepWork::classes() const { return state_->classes; }

std::uint64_t SweepWork::chunks() const { return plan().points() * layout().chunks_per_point(); }

std::uint64_t SweepWork::units() const {
  return layout().is_point_whole ? plan().points() : chunks();
}

std::uint64_t SweepWork::point_of(std::uint64_t chunk) const {
  return chunk / layout().chunks_per_point();
}

std::string SweepWork::chunk_text(std::uint64_t chunk) const {
  const std::uint64_t point = point_of(chunk);
  const std::uint64_t which = state_->which(chunk);
  std::string text = fmt::format("point {}", point);
  if (!plan().axes().empty()) text += fmt::format(" ({})", plan().point_text(point));
  if (which >= layout().table_chunks) {
    const std::uint64_t first = state_->first_image(which);
    return text +
           fmt::format(", images {} to {}", first,
                       std::min(first + layout().images_per_chunk, state_->prepared.images()) - 1);
  }
  if (!layout().is_sampled) return text;
  const circuits::TrialRange range = state_->trials_of(which);
  return text + fmt::format(", trials {} to {}", range.first, range.end - 1);
}

ChunkResult SweepWork::compute(std::uint64_t chunk, const std::vector<ChunkResult>& before,
                               core::Threads threads) const {
  const std::uint64_t point = point_of(chunk);
  const std::uint64_t which = state_->which(chunk);
  ChunkResult result{.chunk = chunk, .integers = {}, .numbers = {}};
  result.integers.resize(chunk_integers());
  result.numbers.resize(chunk_numbers());
  try {
    const std::shared_ptr<const PreparedPoint> prepared = state_->prepared.at(point);
    if (which < layout().table_chunks) {
      state_->computation->add_tables(*prepared, state_->trials_of(which), before, threads, result);
    } else {
      const std::uint64_t first = state_->first_image(which);
      const std::uint64_t images =
          std::min(layout().images_per_chunk, state_->prepared.images() - first);
      state_->computation->add_accuracy(*prepared, first, images, threads, result);
    }
  } catch (const core::Interrupted&) {
    throw;
  } catch (const core::Error& error) {
    throw_at_point(plan(), point, error);
  }
  return result;
}

std::optional<std::uint64_t> SweepWork::next(std::uint64_t point,
                                             const std::vector<ChunkResult>& results) const {
  const std::uint64_t per_point = layout().chunks_per_point();
  std::uint64_t which = results.empty() ? 0 : state_->which(results.back().chunk) + 1;
  if (which < layout().table_chunks && which > 0 && layout().misreads_wanted > 0) {
    // A class that a point lacks has no trials at all and wants none.
    const std::size_t rows = state_->places->classes;
    const std::vector<std::uint64_t> wanted = state_->computation->wanted(rows, results);
    bool any = false;
    for (std::size_t row = 0; row < rows; ++row) {
      any = any || (wanted[row] > 0 && results.front().integers[state_->places->trials + row] > 0);
    }
    if (!any) which = layout().table_chunks;
  }
  if (which >= per_point) return std::nullopt;
  return point * per_point + which;
}

PointValues SweepWork::values(std::uint64_t point, const std::vector<ChunkResult>& results) const {
  return state_->summary->values(point, results);
}

}  // namespace cimstat::experiments
