#include "experiments/onnx/node_order.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/utf8.h"

namespace cimstat::experiments {
namespace {

constexpr std::string_view again = "export the model again";

class NodeSort {
 public:
  NodeSort(OnnxGraph& graph, std::string_view file) : graph_(graph), file_(file) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) add_givers(i);
  }

  /// The places of the nodes that the output needs, inputs first. Depth first, without recursion:
  /// a chain of ten thousand nodes must not exhaust the stack.
  std::vector<std::size_t> order() {
    enum class Mark { fresh, open, done };
    std::vector<Mark> marks(graph_.nodes.size(), Mark::fresh);
    std::vector<std::size_t> result;
    std::vector<std::pair<std::size_t, std::size_t>> path;  // node, next input
    const auto visit = [&](const std::string& name, const OnnxNode* user) {
      if (name.empty() || name == graph_.input.name || graph_.constants.contains(name)) return;
      const auto giver = givers_.find(name);
      if (giver == givers_.end()) refuse_missing(name, user);
      if (marks[giver->second] == Mark::open) {
        refuse(graph_.nodes[giver->second], "needs its own output", "the graph has a cycle");
      }
      if (marks[giver->second] == Mark::done) return;
      marks[giver->second] = Mark::open;
      path.emplace_back(giver->second, 0);
    };
    visit(graph_.output, nullptr);
    while (!path.empty()) {
      const std::size_t index = path.back().first;
      const OnnxNode& node = graph_.nodes[index];
      if (path.back().second < node.inputs.size()) {
        visit(node.inputs[path.back().second++], &node);
      } else {
        marks[index] = Mark::done;
        result.push_back(index);
        path.pop_back();
      }
    }
    // The file's order is one in which inputs come first, unless the file is wrong: keep it then.
    if (std::vector<std::size_t> in_file = result; is_ordered(in_file)) return in_file;
    return result;
  }

 private:
  [[noreturn]] void refuse(const OnnxNode& node, std::string_view problem,
                           std::string_view why) const {
    throw core::DataError(core::error_line(
        fmt::format("{}: node '{}' ({})", file_, core::excerpt(node.name), node.kind), problem, why,
        again));
  }

  [[noreturn]] void refuse_missing(const std::string& name, const OnnxNode* user) const {
    const std::string problem = fmt::format("nothing gives '{}'", core::excerpt(name));
    if (user) refuse(*user, problem, "its input");
    throw core::DataError(core::error_line(file_, problem, "the graph's output", again));
  }

  void add_givers(std::size_t index) {
    const OnnxNode& node = graph_.nodes[index];
    for (const std::string& name : node.outputs) {
      if (name.empty()) continue;
      const bool taken = name == graph_.input.name || graph_.constants.contains(name);
      if (taken || !givers_.emplace(name, index).second) {
        refuse(node, fmt::format("gives '{}'", core::excerpt(name)), "another one does so, too");
      }
    }
  }

  /// Sorts the places; true when each node's inputs come from earlier ones then.
  bool is_ordered(std::vector<std::size_t>& places) const {
    std::sort(places.begin(), places.end());
    return std::all_of(places.begin(), places.end(), [&](std::size_t place) {
      const auto& inputs = graph_.nodes[place].inputs;
      return std::all_of(inputs.begin(), inputs.end(), [&](const std::string& name) {
        const auto giver = givers_.find(name);
        return giver == givers_.end() || giver->second < place;
      });
    });
  }

  OnnxGraph& graph_;
  std::string_view file_;
  std::map<std::string, std::size_t, std::less<>> givers_;
};

}  // namespace

void sort_nodes(OnnxGraph& graph, std::string_view file) {
  std::vector<OnnxNode> sorted;
  for (const std::size_t place : NodeSort(graph, file).order()) {
    sorted.push_back(std::move(graph.nodes[place]));
  }
  graph.nodes = std::move(sorted);
  // A number that was given once is not tried again: ten thousand nodes may have one name.
  std::map<std::string, std::size_t, std::less<>> uses;
  for (const OnnxNode& node : graph.nodes) uses.emplace(node.name, 0);
  for (OnnxNode& node : graph.nodes) {
    const std::string wanted = node.name;
    std::size_t& number = uses[wanted];
    if (++number == 1) continue;
    while (!uses.emplace(node.name = fmt::format("{}_{}", wanted, number), 1).second) ++number;
  }
}

}  // namespace cimstat::experiments
