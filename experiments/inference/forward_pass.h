#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "experiments/inference/array_options.h"
#include "experiments/inference/column_layer.h"
#include "experiments/inference/digital_layer.h"
#include "experiments/inference/integer_layer.h"
#include "experiments/inference/network.h"

/// A network laid out on arrays, and one image through it.
namespace cimstat::experiments {

/// Why frozen chips have no attend layers.
inline constexpr std::string_view written_cells_are_no_chips =
    "each image writes cells of its own there, which nothing freezes";

/// How the analog layers are computed: exact integers everywhere, or columns read one way or
/// another.
struct ExactIntegers {};
/// Something that computes whole analog layers its own way; used by one thread.
class LayerSource {
 public:
  virtual ~LayerSource() = default;
  /// What ColumnLayer::estimate gives, of one group of a layer.
  virtual void estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map,
                        const DrawOrigin& origin, std::span<double> estimates) = 0;
  /// Shows all later reads; none where null.
  virtual void observe(ReadObserver*) {}
};
/// [node]: columns of each layer read in its own way.
using NodeReadings = std::vector<ColumnReading>;
using Arithmetic = std::variant<ExactIntegers, ColumnReading, LayerSource*, const NodeReadings*>;

/// Sees what the analog layers deliver and read, for statistics; used by one thread.
class LayerObserver : public ReadObserver {
 public:
  /// Reads that follow are those of this node, a weighted layer on arrays.
  virtual void enter(std::size_t node) = 0;
  /// What exact integers made of group `group`, in a pass of exact integers.
  virtual void see_exact(std::size_t node, std::size_t group, std::span<const double> sums) = 0;
  /// What columns made of it, and what exact integers would make of the same input.
  virtual void see_estimates(std::size_t node, std::size_t group, std::span<const double> estimates,
                             std::span<const double> sums) = 0;
};

/// What multiplies in a weighted or attend layer, one of each for each group of channels: groups
/// follow each other in maps.
struct LayerGroups {
  std::vector<IntegerLayer> integer;
  std::vector<ColumnLayer> analog;  ///< empty where it is computed digitally
};

/// Immutable; shared by all workers.
class ForwardPass {
 public:
  /// Scratch memory of one worker.
  struct Workspace {
    std::vector<std::vector<std::uint8_t>> maps;  ///< [node], of levels; node 0 is the input
    /// [node], of real values; of levels with a step of their own in each image, that step.
    std::vector<std::vector<double>> reals;
    std::vector<double> values;                   ///< after a run: the logits
    std::vector<ColumnLayer::Workspace> columns;  ///< [node], for all groups of a layer
    IntegerLayer::Workspace integers;
    std::vector<std::uint8_t> in_integers;  ///< [node]: 1 for analog layers to be computed in exact
                                            ///< integers all the same; empty: none
    /// [node]: attend layers with what this image's maps wrote, and their weights.
    std::vector<LayerGroups> written;
    std::vector<std::vector<std::int8_t>> weights;  ///< [head], of the layer at hand
    /// Of weighted and scale layers, unless all is computed in exact integers; null: their own.
    const NetworkScales* scales = nullptr;
    LayerObserver* observer = nullptr;  ///< set by observe()
    std::vector<double> exact;          ///< sums for the observer
  };

  /// Throws what check(network) throws, and UsageError for rows out of range and for more groups
  /// than the random-number contract has room for.
  ForwardPass(const Network& network, const ArrayOptions& options);
  Workspace workspace() const;
  /// Shows all later passes to the observer, which must outlive them; none where null. A
  /// LayerSource shows its reads itself.
  static void observe(Workspace& workspace, LayerObserver* observer);

  std::uint64_t partial_sums() const;  ///< columns read per image
  std::uint32_t most_active_rows()
      const;                      ///< the largest n that can occur; 0 without analog layers
  std::uint64_t batches() const;  ///< random batches per image
  /// What rows span in the reads of columns (weighted_reads.h), ascending, each once.
  std::vector<std::uint32_t> spans() const;
  /// Throws UsageError when `codes` codes could overflow a layer's 32-bit sums.
  void check_codes(std::uint32_t codes) const;
  // Of one node.
  std::uint32_t most_active_rows(std::size_t node) const;
  void check_codes(std::size_t node, std::uint32_t codes) const;

  std::size_t nodes() const { return nodes_.size(); }
  /// The columns of a node, of each of its groups; nothing where it has none, as node 0.
  /// Of an attend layer they hold zeros: each image writes its own.
  std::span<const ColumnLayer> analog(std::size_t node) const { return nodes_[node].groups.analog; }
  /// Whether images write into arrays: an attend layer is on some.
  bool writes_arrays() const;
  const std::string& name(std::size_t node) const { return nodes_[node].layer.name; }
  /// Without its weights.
  const Layer& layer(std::size_t node) const { return nodes_[node].layer; }
  /// Nodes whose maps a node takes.
  std::span<const std::size_t> inputs(std::size_t node) const { return nodes_[node].inputs; }

  /// Turns 8-bit pixels into the network's input levels.
  std::vector<std::uint8_t> input_levels(std::span<const std::uint8_t> pixels) const;
  /// One image (pixels [channel][row][column]) through the network: the class with the largest
  /// logit, the first of equals. The logits stay in workspace.values.
  std::uint32_t classify(std::span<const std::uint8_t> pixels, const Arithmetic& arithmetic,
                         const DrawOrigin& origin, Workspace& workspace) const;

  // The same in steps: start, each node from 1 on, answer.
  void start(std::span<const std::uint8_t> pixels, Workspace& workspace) const;
  void run_node(std::size_t index, const Arithmetic& arithmetic, const DrawOrigin& origin,
                Workspace& workspace) const;
  std::uint32_t answer(Workspace& workspace) const;
  /// Delivers a weighted node's sums, or the input of a scale, workspace.values, by
  /// workspace.scales.
  void deliver(std::size_t index, Workspace& workspace) const;

 private:
  struct Node {
    Layer layer;
    std::vector<std::size_t> inputs;
    MapShape shape;
    std::uint32_t bits = 0;  ///< 0: real values
    bool has_step = false;   ///< of its own in each image
    LayerGroups groups;
  };
  /// Where the next column layer stands in the random-number contract.
  struct Places {
    std::uint64_t next_batch = 0;
    std::uint32_t next_index = 0;
  };
  /// On columns too, where there are options.
  void add_group(Node& node, const Layer& group, const ArrayOptions* options, Places& places) const;
  /// The level of a node's first input that stands for a real 0, as the quantise layer says that
  /// makes it; 0 where none does.
  std::uint32_t zero_level_of(const Node& node) const;
  MapValues values_of(std::size_t node, const Workspace& workspace) const;
  MapResult result_of(std::size_t node, Workspace& workspace) const;
  bool on_columns(std::size_t index, const Arithmetic& arithmetic,
                  const Workspace& workspace) const;
  /// Sums of all groups of a node, [output][pixel], to workspace.values; of levels with a step of
  /// their own times that.
  void add_up(std::size_t index, const LayerGroups& groups, const Arithmetic& arithmetic,
              const DrawOrigin& origin, Workspace& workspace) const;
  void weighted(std::size_t index, const Arithmetic& arithmetic, const DrawOrigin& origin,
                Workspace& workspace) const;
  void scale_channels(std::size_t index, const Arithmetic& arithmetic, Workspace& workspace) const;
  /// workspace.values become what the node gives.
  void finish(std::size_t index, const Arithmetic& arithmetic, Workspace& workspace) const;
  void attend(std::size_t index, const Arithmetic& arithmetic, const DrawOrigin& origin,
              Workspace& workspace) const;

  std::vector<Node> nodes_;  ///< node 0 is the input
  circuits::Ties ties_;      ///< of the digital logic
};

}  // namespace cimstat::experiments
