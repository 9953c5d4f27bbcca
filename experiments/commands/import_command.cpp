#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/file/json.h"
#include "core/file/provenance.h"
#include "core/utf8.h"

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/commands/run_clock.h"
#include "experiments/counted.h"
#include "experiments/inference/dataset.h"
#include "experiments/onnx/import_model.h"

namespace cimstat::experiments {

namespace {

/// Of an image; a number that the help says nothing about.
constexpr int most_channels = 4096;

struct ImportCommandOptions {
  std::filesystem::path model;
  std::string data_set;
  std::filesystem::path output_file;
  std::string weights = "mean-square";
  std::string weight_scale = "channel";
  std::string range = "percentile";
  std::string zero_level = "range";
  std::size_t test_images = 1000;
  unsigned threads = 0;
  bool quiet = false;
  bool json = false;
  QuantiseOptions quantise;
  const CLI::App* command = nullptr;

  Verbosity verbosity() const { return quiet ? Verbosity::quiet : Verbosity::normal; }
};

/// One number for each channel, or one for all.
void fill_channels(std::vector<double>& numbers, std::size_t channels, double otherwise,
                   std::string_view option) {
  if (numbers.empty()) numbers.push_back(otherwise);
  if (numbers.size() == 1) numbers.resize(channels, numbers[0]);
  if (numbers.size() == channels) return;
  throw core::UsageError(core::error_line(
      option, fmt::format("{} numbers", numbers.size()),
      fmt::format("images have {}", counted(channels, "channel")), "give one, or one for each"));
}

QuantiseOptions settings_of(const ImportCommandOptions& options, std::size_t channels) {
  QuantiseOptions settings = options.quantise;
  settings.weights.rule = options.weights == "largest"   ? WeightRule::largest
                          : options.weights == "dorefa"  ? WeightRule::dorefa
                          : options.weights == "wage"    ? WeightRule::wage
                          : options.weights == "binary"  ? WeightRule::binary
                          : options.weights == "ternary" ? WeightRule::ternary
                                                         : WeightRule::mean_square;
  settings.weights.bits = bits_of(settings.weights.rule).value_or(settings.weights.bits);
  settings.weights.scale =
      options.weight_scale == "layer" ? WeightScale::per_layer : WeightScale::per_channel;
  settings.calibration.rule = options.range == "largest"       ? RangeRule::largest
                              : options.range == "mean-square" ? RangeRule::mean_square
                              : options.range == "pact"        ? RangeRule::pact
                              : options.range == "image"       ? RangeRule::image
                                                               : RangeRule::percentile;
  settings.zero_level = options.zero_level == "middle" ? ZeroLevel::middle : ZeroLevel::of_range;
  fill_channels(settings.image.mean, channels, 0.0, "--mean");
  fill_channels(settings.image.deviation, channels, 1.0, "--deviation");
  return settings;
}

bool has_fixed_grid(const ImportCommandOptions& options) {
  return options.weights == "dorefa" || options.weights == "wage";
}

bool spans_each_image(const ImportCommandOptions& options) { return options.range == "image"; }

std::string weights_text(const ImportCommandOptions& options) {
  if (has_fixed_grid(options)) return options.weights;
  if (options.weights == "binary" || options.weights == "ternary") {
    return fmt::format("{}, one step a {}", options.weights, options.weight_scale);
  }
  const std::string_view rule = options.weights == "largest" ? ", the largest as top level" : "";
  return fmt::format("one step a {}{}", options.weight_scale, rule);
}

std::string description_of(const ImportCommandOptions& options, const QuantiseOptions& settings) {
  const std::string outer =
      settings.outer_weight_bits
          ? fmt::format("; {} of the first and last layer", *settings.outer_weight_bits)
          : std::string();
  const std::string calibration =
      spans_each_image(options)
          ? std::string("the largest value of each image's map")
          : fmt::format(
                "{}), calibrated on the first {} training images of {}", options.range,
                settings.calibration.images,
                core::one_line(std::filesystem::path(options.data_set).filename().string()));
  return fmt::format("imported from {}: {}-bit weights ({}{}), {}-bit activations ({}{}",
                     core::one_line(options.model.filename().string()), settings.weights.bits,
                     weights_text(options), outer, settings.activation_bits, calibration,
                     spans_each_image(options) ? ")" : "");
}

/// "4", "4 and 8", "2 to 8".
std::string bits_text(const std::set<std::uint32_t>& bits) {
  if (bits.size() < 2) return fmt::format("{}", fmt::join(bits, ""));
  return fmt::format("{} {} {}", *bits.begin(), bits.size() == 2 ? "and" : "to", *bits.rbegin());
}

/// Of a network at the scales that its model holds.
std::string description_of(const ImportCommandOptions& options, const Network& network) {
  std::set<std::uint32_t> weights;
  std::set<std::uint32_t> maps;
  for (const Layer& layer : network.layers) {
    if (layer.weight_bits > 0) weights.insert(layer.weight_bits);
    if (layer.output_bits > 0) maps.insert(layer.output_bits);
  }
  return fmt::format("imported from {} at its own scales: weights of {} bits, activations of {}",
                     core::one_line(options.model.filename().string()), bits_text(weights),
                     maps.empty() ? "none" : bits_text(maps) + " bits");
}

/// A step for each channel is none of DoReFa's and WAGE's.
void require_one_scale(const ImportCommandOptions& options) {
  if (!has_fixed_grid(options) || options.weight_scale == "layer") return;
  if (options.command->count("--weight-scale") == 0) return;
  throw core::UsageError(core::error_line(
      "--weight-scale channel", fmt::format("does not go with --weights {}", options.weights),
      "which has one step for a layer", "leave it out"));
}

/// Binary and ternary weights have bits of their own.
void require_their_bits(const ImportCommandOptions& options) {
  const bool has_bits = options.weights == "binary" || options.weights == "ternary";
  if (!has_bits || options.command->count("--weight-bits") == 0) return;
  const std::uint32_t bits = options.weights == "binary" ? 1 : 2;
  if (options.quantise.weights.bits == bits) return;
  throw core::UsageError(
      core::error_line(fmt::format("--weight-bits {}", options.quantise.weights.bits),
                       fmt::format("does not go with --weights {}", options.weights),
                       fmt::format("such weights have {}", counted(bits, "bit")), "leave it out"));
}

void refuse_options_of_quantising(const ImportCommandOptions& options) {
  for (const char* name :
       {"--weights", "--weight-bits", "--activation-bits", "--input-bits", "--outer-weight-bits",
        "--weight-scale", "--zero-level", "--range", "--percentile", "--images"}) {
    if (options.command->count(name) == 0) continue;
    throw core::UsageError(core::error_line(
        name, "would change nothing",
        fmt::format("{} holds levels and scales of its own", options.model.string()),
        "leave it out"));
  }
}

/// Levels of 1 bit have no middle one.
void require_a_middle(const ImportCommandOptions& options) {
  if (options.quantise.activation_bits > 1 || options.zero_level != "middle") return;
  throw core::UsageError(core::error_line("--zero-level middle", "does not go with 1 bit",
                                          "maps of 1 bit are signs, or 0 and 1",
                                          "leave it out, or raise --activation-bits"));
}

/// Quantised by what each image's own maps will say.
Network spanning_each_image(const ImportCommandOptions& options, const OnnxModel& model,
                            QuantiseOptions& settings) {
  require_one_scale(options);
  require_their_bits(options);
  for (const char* name : {"--percentile", "--images", "--zero-level"}) {
    if (options.command->count(name) == 0) continue;
    throw core::UsageError(core::error_line(name, "would change nothing",
                                            "--range image calibrates nothing", "leave it out"));
  }
  settings = settings_of(options, static_cast<std::size_t>(model.input().shape.at(1)));
  Network network = import_model(model, settings);
  network.description = description_of(options, settings);
  return network;
}

void require_a_percentile(const ImportCommandOptions& options) {
  if (options.range == "percentile" || options.command->count("--percentile") == 0) return;
  throw core::UsageError(core::error_line("--percentile", "would change nothing",
                                          fmt::format("--range is {}", options.range),
                                          "leave it out, or write --range percentile"));
}

/// Quantised by what the training images say.
Network calibrated(const ImportCommandOptions& options, const OnnxModel& model,
                   QuantiseOptions& settings) {
  require_one_scale(options);
  require_their_bits(options);
  require_a_middle(options);
  require_a_percentile(options);
  const ImageSet training =
      read_named_images(options.data_set, Split::training, options.quantise.calibration.images);
  settings = settings_of(options, training.channels);
  ProgressMeter meter("calibration", {"images", static_cast<double>(training.size())},
                      options.verbosity());
  Network network = import_model(model, training, settings, {options.threads}, meter.callback());
  network.description = description_of(options, settings);
  return network;
}

Network at_its_own_scales(const ImportCommandOptions& options, const OnnxModel& model,
                          QuantiseOptions& settings) {
  refuse_options_of_quantising(options);
  settings = settings_of(options, static_cast<std::size_t>(model.input().shape.at(1)));
  Network network = import_quantised_model(model, settings.image);
  network.description = description_of(options, network);
  return network;
}

void print_comparison(const ImportCommandOptions& options, const Network& network,
                      const ImportComparison& comparison) {
  std::size_t weights = 0;
  for (const Layer& layer : network.layers) weights += layer.weight.size();
  const auto share = [&](std::uint64_t count) {
    return 100.0 * static_cast<double>(count) / static_cast<double>(comparison.images);
  };
  if (options.json) {
    core::Json object{{"file", options.output_file.string()},
                      {"layers", network.layers.size()},
                      {"weights", weights},
                      {"content_sha256", content_hash(network)}};
    if (comparison.images > 0) {
      object["test"] = {{"images", comparison.images},
                        {"real_right", comparison.real},
                        {"integers_right", comparison.integer},
                        {"agreeing", comparison.agreeing}};
    }
    std::fputs(core::json_text(object).c_str(), stdout);
    return;
  }
  fmt::print("{}: {}, {}\n", core::one_line(network.name), counted(network.layers.size(), "layer"),
             counted(weights, "weight"));
  if (comparison.images > 0) {
    fmt::print(
        "  right among {}: {:.2f} % in real numbers, {:.2f} % in integers\n"
        "  both answer alike: {:.2f} %\n",
        counted(comparison.images, "test image"), share(comparison.real), share(comparison.integer),
        share(comparison.agreeing));
  }
  fmt::print("written {}\n", core::one_line(options.output_file.string()));
}

void import(ImportCommandOptions& options) {
  const RunClock clock;
  if (options.output_file.empty()) {
    options.output_file = options.model.stem().string() + ".network.h5";
  }
  check_output(options.output_file, {options.model});
  check_output(core::run_record_of(options.output_file), {options.model});
  const OnnxModel model(options.model);
  const bool has_scales = holds_scales(model);
  if (!has_scales && !spans_each_image(options) && options.data_set.empty()) {
    throw core::UsageError(core::error_line(
        "import", "--data-set is missing", "the ranges of activations come from its images",
        "name one; only a model with QuantizeLinear nodes, or --range image, needs none"));
  }
  QuantiseOptions settings;
  Network network = has_scales                  ? at_its_own_scales(options, model, settings)
                    : spans_each_image(options) ? spanning_each_image(options, model, settings)
                                                : calibrated(options, model, settings);
  network.name = options.model.stem().string();
  ImportComparison comparison;
  if (options.test_images > 0 && !options.data_set.empty()) {
    const ImageSet test = read_named_images(options.data_set, Split::test, options.test_images);
    ProgressMeter meter("test", {"images", static_cast<double>(test.size())}, options.verbosity());
    comparison =
        compare_import(model, network, test, settings.image, {options.threads}, meter.callback());
  }
  write_network(network, options.output_file);
  clock.write_record("import", options.output_file, {options.threads});
  print_comparison(options, network, comparison);
}

}  // namespace

void add_import_command(CLI::App& app) {
  const auto options = std::make_shared<ImportCommandOptions>();
  CLI::App* command =
      app.add_subcommand("import", "A network of integers, made of an ONNX model and images");
  command->add_option("model", options->model, "ONNX model; `cimstat show` lists what is in it")
      ->required()
      ->type_name("MODEL.onnx");
  command
      ->add_option("--data-set", options->data_set,
                   "images to calibrate on, and to test with: fashion-mnist, or a folder of IDX, "
                   "CIFAR or .npy files. A model with scales of its own, or --range image, needs "
                   "none")
      ->type_name("NAME");
  add_output_option(*command, options->output_file,
                    "network file (default: the model's name with .network.h5, here)")
      ->type_name("FILE.h5");
  options->command = command;
  command
      ->add_option("--weight-bits", options->quantise.weights.bits,
                   "bits of a weight, sign included (of binary weights 1, of ternary ones 2)")
      ->type_name("BITS")
      ->transform(whole_number(2, 8))
      ->capture_default_str();
  command
      ->add_option("--outer-weight-bits", options->quantise.outer_weight_bits,
                   "bits of the first and the last layer's weights, of least squared error; as the "
                   "others' by default")
      ->type_name("BITS")
      ->transform(whole_number(2, 8));
  command
      ->add_option("--activation-bits", options->quantise.activation_bits,
                   "bits of what flows between layers")
      ->type_name("BITS")
      ->transform(whole_number(1, 8))
      ->capture_default_str();
  command->add_option("--input-bits", options->quantise.input_bits, "bits of a pixel")
      ->type_name("BITS")
      ->transform(whole_number(1, 8))
      ->capture_default_str();
  command
      ->add_option("--weights", options->weights,
                   "their step: of least squared error, the largest weight as top level, as "
                   "DoReFa or WAGE train them, or the mean magnitude of weights of -1 and 1 or of "
                   "-1, 0 and 1")
      ->check(CLI::IsMember({"mean-square", "largest", "dorefa", "wage", "binary", "ternary"}))
      ->capture_default_str();
  command
      ->add_option(
          "--weight-scale", options->weight_scale,
          "one step for each output channel, or for the whole layer (always for dorefa and "
          "wage)")
      ->check(CLI::IsMember({"channel", "layer"}))
      ->capture_default_str();
  command
      ->add_option("--range", options->range,
                   "of activations: the largest value seen, a percentile, the range of least "
                   "squared error, as PACT the end of a Clip, or as ASiM the largest value of each "
                   "image's own map")
      ->check(CLI::IsMember({"largest", "percentile", "mean-square", "pact", "image"}))
      ->capture_default_str();
  command
      ->add_option(
          "--zero-level", options->zero_level,
          "level of 0 of activations with a sign: next to it in their range, or the middle "
          "one, so that accuracy.input_signs = \"cycle\" takes no bit more")
      ->check(CLI::IsMember({"range", "middle"}))
      ->capture_default_str();
  command
      ->add_option("--percentile", options->quantise.calibration.percentile,
                   "share of the values that lie within the range, for --range percentile")
      ->type_name("PERCENT")
      ->check(number_between(50.0, 100.0))
      ->capture_default_str();
  command
      ->add_option("--images", options->quantise.calibration.images,
                   "training images to calibrate on")
      ->type_name("N")
      ->transform(whole_number(1, 1'000'000))
      ->capture_default_str();
  command
      ->add_option("--test-images", options->test_images, "test images to compare on; 0 for none")
      ->type_name("N")
      ->transform(whole_number(0, 100'000'000))
      ->capture_default_str();
  command
      ->add_option(
          "--mean", options->quantise.image.mean,
          "what the model was trained to see subtracted from pixels of 0 to 1: one number, "
          "or one for each channel, separated by commas")
      ->type_name("M")
      ->delimiter(',')
      ->expected(1, most_channels)
      ->allow_extra_args(false)
      ->check(number_between(-1e3, 1e3));
  command
      ->add_option("--deviation", options->quantise.image.deviation,
                   "and what they were divided by then")
      ->type_name("D")
      ->delimiter(',')
      ->expected(1, most_channels)
      ->allow_extra_args(false)
      ->check(number_between(1e-6, 1e6));
  command
      ->add_option("--threads", options->threads,
                   "threads to use; 0 = all cores. Never changes a result")
      ->type_name("N")
      ->transform(whole_number(0, 1024))
      ->capture_default_str();
  command->add_flag("--quiet,-q", options->quiet, "no progress");
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "BatchNormalization, biases and factors go into scales, the mean and deviation of the images "
      "into the first layer.\nActivations behind a ReLU are levels from 0 on; others have a level "
      "for 0, or stay real where sums take them. A\ntransformer's keys and values have "
      "--weight-bits: arrays hold them for each image.\nA model with QuantizeLinear and "
      "DequantizeLinear nodes keeps its levels and scales, and needs no images.\n"
      "Example: cimstat import resnet20.onnx --data-set cifar10 --mean 0.4914,0.4822,0.4465 "
      "--deviation 0.247,0.243,0.262\n"
      "         cimstat accuracy macro.toml --set accuracy.network=resnet20.network.h5 --set "
      "accuracy.data_set=cifar10");
  command->callback([options] { import(*options); });
}

}  // namespace cimstat::experiments
