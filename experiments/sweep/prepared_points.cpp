#include "experiments/sweep/prepared_points.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/provenance.h"

#include "experiments/inference/dataset.h"
#include "experiments/inference/network.h"
#include "experiments/inference/parallel_accuracy.h"

namespace cimstat::experiments {

class SweepInputs {
 public:
  SweepInputs(FindNetwork find_network, std::uint64_t most_images)
      : find_network_(std::move(find_network)), most_images_(most_images) {}

  void require(const Experiment& experiment) {
    const AccuracySettings& settings = experiment.accuracy;
    if (settings.noise == AccuracyNoise::frozen) {
      throw core::UsageError(core::error_line(
          "accuracy.noise", "\"frozen\" has no place in a sweep",
          "its accuracies are counts of images read with codes of the point's table",
          "write noise = \"table\", or run cimstat accuracy at each point"));
    }
    if (!settings.layer_tables.empty()) {
      throw core::UsageError(
          core::error_line("accuracy.layer_tables", "has no place in a sweep",
                           "each point makes the one table of its macro, for all layers",
                           "leave it out, or run cimstat accuracy at each point"));
    }
    for (const auto& [key, is_there] :
         {std::pair("half_width", settings.half_width.has_value()),
          std::pair("recalibration_images", settings.recalibration_images > 0),
          std::pair("layers", settings.layers), std::pair("sensitivity", settings.sensitivity)}) {
      if (!is_there) continue;
      throw core::UsageError(
          core::error_line(fmt::format("accuracy.{}", key), "has no place in a sweep",
                           "its points hold accuracies of all images alone",
                           "leave it out, or run cimstat accuracy at each point"));
    }
    const std::lock_guard lock(mutex_);
    auto& network = networks_[settings.network];
    if (!network) network = read(settings.network);
    auto& set = sets_[settings.data_set];
    if (!set) {
      set = std::make_unique<ImageSet>(read_named_images(settings.data_set, Split::test,
                                                         static_cast<std::size_t>(most_images_)));
    }
    if (images_ > 0 && set->size() != images_) {
      throw core::UsageError(core::error_line(
          "accuracy.data_set", fmt::format("{} has {} images", settings.data_set, set->size()),
          fmt::format("another of the sweep has {}", images_),
          "lower accuracy.images to what all have"));
    }
    images_ = set->size();
    const AccuracyOptions run = options(experiment, 0, images_);
    if (reads_weighted_counts(settings.array)) {
      check_parallel(network->network, *set, experiment.macro.design, run);
    } else {
      check_accuracy(network->network, *set, experiment.macro.design.ladder.codes, run);
    }
  }

  static AccuracyOptions options(const Experiment& experiment, std::uint64_t first,
                                 std::uint64_t count) {
    return {.array = experiment.accuracy.array,
            .key = experiment.key(),
            .stream = experiment.accuracy.stream,
            .reads = experiment.accuracy.reads,
            .images = static_cast<std::size_t>(count),
            .first_image = static_cast<std::size_t>(first)};
  }

  // After the last require().
  const Network& network(const std::string& name) const { return networks_.at(name)->network; }
  const ImageSet& images(const std::string& name) const { return *sets_.at(name); }
  std::uint64_t image_count() const { return images_; }

  std::string sha256() const {
    std::string all;
    for (const auto& [name, network] : networks_) all += network->sha256;
    for (const auto& [name, set] : sets_) {
      all += core::sha256(std::as_bytes(std::span(set->pixels)));
      all += core::sha256(std::as_bytes(std::span(set->labels)));
    }
    return core::sha256(all);
  }

 private:
  struct ReadNetwork {
    Network network;
    std::string sha256;
  };

  std::unique_ptr<ReadNetwork> read(const std::string& name) const {
    const std::filesystem::path file =
        find_network_ ? find_network_(name) : std::filesystem::path(name);
    auto network = std::make_unique<ReadNetwork>();
    network->network = read_network(file);
    network->sha256 = core::sha256_of_file(file);
    return network;
  }

  FindNetwork find_network_;
  std::uint64_t most_images_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ReadNetwork>> networks_;
  std::map<std::string, std::unique_ptr<ImageSet>> sets_;
  std::uint64_t images_ = 0;
};

PreparedPoint::PreparedPoint(Experiment experiment, const SweepInputs& inputs)
    : experiment_(std::move(experiment)),
      inputs_(inputs),
      classes_(experiment_.macro.design.row_states.empty() ? experiment_.classes()
                                                           : std::vector<circuits::ColumnClass>{}) {
}

const circuits::ColumnCounter& PreparedPoint::counter(core::Threads threads) const {
  const std::lock_guard lock(mutex_);
  if (!counter_) {
    const TableSettings& table = experiment_.table;
    counter_ = std::make_unique<circuits::ColumnCounter>(
        experiment_.macro.design, classes_,
        circuits::SamplingOptions{.trials = table.trials,
                                  .key = experiment_.key(),
                                  .stream = table.stream,
                                  .summation = table.summation},
        threads);
  }
  return *counter_;
}

AccuracySums PreparedPoint::accuracy(std::uint64_t first, std::uint64_t count,
                                     core::Threads threads) const {
  const AccuracySettings& settings = experiment_.accuracy;
  const Network& network = inputs_.network(settings.network);
  const ImageSet& images = inputs_.images(settings.data_set);
  const AccuracyOptions run = SweepInputs::options(experiment_, first, count);
  if (reads_weighted_counts(settings.array)) {
    {
      const std::lock_guard lock(mutex_);
      if (!parallel_) {
        parallel_ = std::make_unique<ParallelTables>(
            parallel_tables(network, experiment_.macro.design, settings.array));
      }
    }
    return accuracy_sums(accuracy_in_parallel(network, images, *parallel_, run, threads));
  }
  {
    const std::lock_guard lock(mutex_);
    if (!every_class_) {
      circuits::require_binary(experiment_.macro.design, "a network's accuracy");
      std::vector<std::uint32_t> all(experiment_.macro.design.rows + 1);
      std::iota(all.begin(), all.end(), 0U);
      every_class_ = std::make_unique<circuits::ErrorTable>(
          make_table(experiment_, circuits::classes_for(all), threads).table);
    }
  }
  return accuracy_sums(accuracy_with_table(network, images, *every_class_, run, threads));
}

PreparedPoint::~PreparedPoint() = default;

PreparedPoints::PreparedPoints(const SweepPlan& plan, const FindNetwork& find_network,
                               unsigned threads)
    : plan_(plan),
      inputs_(std::make_unique<SweepInputs>(find_network, plan.base().accuracy.images)),
      most_(2 * std::size_t{threads} + 2) {}

PreparedPoints::~PreparedPoints() = default;

void PreparedPoints::require_network(const Experiment& experiment) { inputs_->require(experiment); }
std::uint64_t PreparedPoints::images() const { return inputs_->image_count(); }
std::string PreparedPoints::inputs_sha256() const { return inputs_->sha256(); }

std::shared_ptr<const PreparedPoint> PreparedPoints::at(std::uint64_t point) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(point);
    if (found != entries_.end()) {
      found->second.last_use = ++uses_;
      return found->second.point;
    }
  }
  auto made = std::make_shared<const PreparedPoint>(plan_.experiment(point), *inputs_);
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[point];
  if (!entry.point) entry.point = std::move(made);  // another thread may have been faster
  entry.last_use = ++uses_;
  std::shared_ptr<const PreparedPoint> result = entry.point;
  if (entries_.size() > most_) {
    entries_.erase(std::min_element(
        entries_.begin(), entries_.end(),
        [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
  }
  return result;
}

}  // namespace cimstat::experiments
