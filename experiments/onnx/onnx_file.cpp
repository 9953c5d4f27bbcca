#include <algorithm>
#include <fstream>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/wire_format_lite.h>
#include <onnx/onnx_pb.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/readable_file.h"
#include "core/utf8.h"

#include "experiments/onnx/node_order.h"
#include "experiments/onnx/onnx_graph.h"
#include "experiments/onnx/onnx_limits.h"
#include "experiments/onnx/onnx_tensor.h"

namespace cimstat::experiments {
namespace {

using google::protobuf::MessageLite;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr std::int64_t first_opset = 11;
constexpr std::int64_t last_opset = 17;
constexpr std::string_view again = "export the model again";

/// Field numbers of ModelProto and GraphProto, whose parts are read one by one: a message of empty
/// parts would take a hundred times its bytes in memory.
using Model = onnx::ModelProto;
using Graph = onnx::GraphProto;

class ModelReader {
 public:
  explicit ModelReader(const std::filesystem::path& file) : file_(file), tensors_(file) {}

  OnnxGraph read() {
    core::require_readable(file_);
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(file_, error);
    if (error) refuse({}, "can't be read", error.message(), "check the file");
    if (size > most_onnx_bytes) {
      refuse({}, fmt::format("has {} bytes", size), fmt::format("at most {}", most_onnx_bytes),
             "keep large tensors outside of it");
    }
    std::ifstream stream(file_, std::ios::binary);
    google::protobuf::io::IstreamInputStream bytes(&stream);
    CodedInputStream input(&bytes);
    input.SetTotalBytesLimit(static_cast<int>(most_onnx_bytes));
    // Lengths that reach beyond the file must not reserve memory.
    const auto whole = input.PushLimit(static_cast<int>(size));
    read_model(input);
    input.PopLimit(whole);
    if (!has_graph_) damaged("no model");
    check_opset();
    check_ends();
    sort_nodes(graph_, file_.string());
    return std::move(graph_);
  }

 private:
  [[noreturn]] void refuse(std::string_view place, std::string_view problem,
                           std::string_view why = {}, std::string_view remedy = again) const {
    const std::string where =
        place.empty() ? file_.string() : fmt::format("{}: {}", file_.string(), place);
    throw core::DataError(core::error_line(where, core::excerpt(problem), why, remedy));
  }
  [[noreturn]] void damaged(std::string_view why) const {
    refuse({}, "is damaged or no ONNX model", why, "export the model again, or fetch it again");
  }

  /// Calls part(field) for each field of a message; part says whether it took it.
  template <class Part>
  void for_each_field(CodedInputStream& input, Part&& part) {
    while (const std::uint32_t tag = input.ReadTag()) {
      const bool is_part =
          WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
      if (is_part && part(WireFormatLite::GetTagFieldNumber(tag))) continue;
      if (!WireFormatLite::SkipField(&input, tag)) damaged("a field ends too early");
    }
    if (!input.ConsumedEntireMessage()) damaged("a field has no number");
  }

  /// Reads the length of a part, then body() within it.
  template <class Body>
  void within(CodedInputStream& input, Body&& body) {
    int size = 0;
    if (!input.ReadVarintSizeAsInt(&size)) damaged("a length is no number");
    if (size > input.BytesUntilLimit()) damaged("a part reaches beyond its end");
    const auto limit = input.PushLimit(size);
    body();
    if (input.BytesUntilLimit() != 0) damaged("a part ends too early");
    input.PopLimit(limit);
  }

  template <class Message>
  Message part(CodedInputStream& input) {
    Message message;
    within(input, [&] {
      if (!message.MergeFromCodedStream(&input)) damaged("a part can't be read");
    });
    return message;
  }

  void read_model(CodedInputStream& input) {
    for_each_field(input, [&](int field) {
      switch (field) {
        case Model::kGraphFieldNumber:
          if (std::exchange(has_graph_, true)) damaged("two graphs");
          within(input, [&] { read_graph(input); });
          return true;
        case Model::kOpsetImportFieldNumber:
          add_opset(part<onnx::OperatorSetIdProto>(input));
          return true;
        case Model::kFunctionsFieldNumber:
          refuse({}, "has functions of its own", {}, "export it with operators of ONNX alone");
        default:
          return false;
      }
    });
  }

  void read_graph(CodedInputStream& input) {
    for_each_field(input, [&](int field) {
      switch (field) {
        case Graph::kNodeFieldNumber:
          add_node(part<onnx::NodeProto>(input));
          return true;
        case Graph::kInitializerFieldNumber: {
          const auto tensor = part<onnx::TensorProto>(input);
          add_constant(tensor.name(), tensor);
          return true;
        }
        case Graph::kSparseInitializerFieldNumber:
          refuse({}, "holds sparse tensors", {}, "export it with dense ones");
        case Graph::kInputFieldNumber:
          add_end(part<onnx::ValueInfoProto>(input), inputs_);
          return true;
        case Graph::kOutputFieldNumber:
          add_end(part<onnx::ValueInfoProto>(input), outputs_);
          return true;
        case Graph::kNameFieldNumber: {
          within(input, [&] { graph_.name = text_of(input); });
          return true;
        }
        default:
          return false;
      }
    });
  }

  /// The bytes up to the limit; names that are longer than names may be are damage.
  std::string text_of(CodedInputStream& input) const {
    std::string text;
    const int size = input.BytesUntilLimit();
    if (static_cast<std::size_t>(size) > most_onnx_name_bytes) damaged("a name is too long");
    if (!input.ReadString(&text, size)) damaged("a name ends too early");
    return text;
  }

  void add_opset(const onnx::OperatorSetIdProto& opset) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") graph_.opset = opset.version();
  }

  void check_opset() const {
    if (graph_.opset >= first_opset && graph_.opset <= last_opset) return;
    refuse({}, fmt::format("is of opset {}", graph_.opset),
           fmt::format("{} to {} are known", first_opset, last_opset),
           "export it with one of them");
  }

  void check_name(std::string_view place, const std::string& name) const {
    if (name.size() > most_onnx_name_bytes) refuse(place, "has a name that is too long");
  }

  void add_constant(const std::string& name, const onnx::TensorProto& tensor) {
    const std::string what = fmt::format("tensor '{}'", core::excerpt(name));
    check_name(what, name);
    if (graph_.constants.size() == most_onnx_tensors) {
      refuse(what, fmt::format("is one of more than {}", most_onnx_tensors));
    }
    if (!graph_.constants.emplace(name, tensors_.read(tensor, what)).second) {
      refuse(what, "is there twice");
    }
  }

  void add_end(const onnx::ValueInfoProto& value, std::vector<OnnxValue>& ends) const {
    check_name("graph", value.name());
    if (ends.size() == most_onnx_tensors) refuse({}, "has too many inputs or outputs");
    OnnxValue end{.name = value.name(), .shape = {}};
    const auto& dims = value.type().tensor_type().shape().dim();
    if (static_cast<std::size_t>(dims.size()) > most_onnx_axes) {
      refuse(fmt::format("tensor '{}'", core::excerpt(end.name)),
             fmt::format("has {} axes", dims.size()), fmt::format("at most {}", most_onnx_axes));
    }
    for (const auto& dim : dims) {
      end.shape.push_back(dim.has_dim_value() ? std::max<std::int64_t>(dim.dim_value(), 0) : 0);
    }
    ends.push_back(std::move(end));
  }

  void add_node(const onnx::NodeProto& proto) {
    OnnxNode node;
    node.kind = proto.op_type();
    node.name =
        proto.name().empty() ? fmt::format("{}_{}", node.kind, graph_.nodes.size()) : proto.name();
    const std::string place =
        fmt::format("node '{}' ({})", core::excerpt(node.name), core::excerpt(node.kind, 50));
    if (graph_.nodes.size() == most_onnx_nodes) {
      refuse(place, fmt::format("is one of more than {}", most_onnx_nodes));
    }
    const bool is_standard = proto.domain().empty() || proto.domain() == "ai.onnx";
    if (!is_standard || !is_known_operator(node.kind)) {
      refuse(place,
             is_standard ? std::string("is an operator that cimstat doesn't know")
                         : fmt::format("is of the domain '{}'", proto.domain()),
             "networks of convolutions, matrix products and what lies between them can be read",
             "replace it in the model, then export it again");
    }
    const auto most = static_cast<int>(most_onnx_names);
    if (proto.input_size() > most || proto.output_size() > most || proto.attribute_size() > most) {
      refuse(place, "has too many inputs, outputs or attributes",
             fmt::format("at most {} each", most));
    }
    for (const std::string& name : proto.input()) {
      check_name(place, name);
      node.inputs.push_back(name);
    }
    for (const std::string& name : proto.output()) {
      check_name(place, name);
      node.outputs.push_back(name);
    }
    check_name(place, node.name);
    for (const onnx::AttributeProto& attribute : proto.attribute()) {
      node.attributes.emplace(attribute.name(), attribute_of(attribute, place));
    }
    graph_.nodes.push_back(std::move(node));
  }

  OnnxAttribute attribute_of(const onnx::AttributeProto& attribute, std::string_view place) {
    const auto refuse_it = [&](std::string_view problem) {
      refuse(place, fmt::format("attribute '{}' {}", core::excerpt(attribute.name(), 50), problem));
    };
    const auto list = [&](const auto& numbers) {
      if (static_cast<std::size_t>(numbers.size()) > most_onnx_list) refuse_it("is too long");
      return std::vector(numbers.begin(), numbers.end());
    };
    if (attribute.name().size() > most_onnx_name_bytes) refuse_it("has too long a name");
    switch (attribute.type()) {
      case onnx::AttributeProto::INT:
        return std::int64_t{attribute.i()};
      case onnx::AttributeProto::FLOAT:
        return attribute.f();
      case onnx::AttributeProto::STRING:
        if (attribute.s().size() > most_onnx_name_bytes) refuse_it("is too long");
        return attribute.s();
      case onnx::AttributeProto::INTS: {
        const auto numbers = list(attribute.ints());
        return std::vector<std::int64_t>(numbers.begin(), numbers.end());
      }
      case onnx::AttributeProto::FLOATS:
        return list(attribute.floats());
      case onnx::AttributeProto::TENSOR:
        return tensors_.read(attribute.t(), fmt::format("{}: its tensor", place));
      default:
        refuse_it("is of a kind that cimstat doesn't know");
    }
    std::abort();
  }

  /// One input that no constant gives, and one output.
  void check_ends() {
    std::erase_if(inputs_,
                  [&](const OnnxValue& value) { return graph_.constants.contains(value.name); });
    if (inputs_.size() != 1 || outputs_.size() != 1) {
      refuse({}, fmt::format("has {} inputs and {} outputs", inputs_.size(), outputs_.size()),
             "one image in, one list of scores out", "export that part of it");
    }
    graph_.input = std::move(inputs_[0]);
    graph_.output = std::move(outputs_[0].name);
  }

  std::filesystem::path file_;
  OnnxTensorReader tensors_;
  OnnxGraph graph_;
  std::vector<OnnxValue> inputs_;
  std::vector<OnnxValue> outputs_;
  bool has_graph_ = false;
};

}  // namespace

OnnxGraph read_onnx(const std::filesystem::path& file) { return ModelReader(file).read(); }

}  // namespace cimstat::experiments
