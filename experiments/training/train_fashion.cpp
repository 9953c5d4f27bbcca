/// Trains the embedded network on Fashion-MNIST and writes its integers. See README.md beside this.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <exception>
#include <filesystem>
#include <iostream>
#include <numbers>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <torch/torch.h>

#include "core/error.h"

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/dataset.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/training/fashion_network.h"
#include "experiments/training/trainable_network.h"

namespace cimstat::experiments {
namespace {

constexpr std::int64_t kBatch = 128;
constexpr std::int64_t kEvaluationBatch = 1000;
constexpr double kLearningRate = 2e-3;
constexpr std::int64_t kWarmUpSteps = 200;
/// Training images are shifted by up to this many pixels each way, and flipped half of the time.
constexpr std::int64_t kLargestShift = 1;

struct Options {
  int epochs = 12;
  std::uint64_t seed = 1;
  std::filesystem::path out = "fashion_cnn.h5";
  std::string data = "fashion-mnist";
};

struct Examples {
  torch::Tensor images;  ///< [image, 1, row, column], integers 0 .. 15 as uint8
  torch::Tensor labels;  ///< [image], int64
};

/// Throws UsageError when the images don't fit the network.
Examples examples_of(const ImageSet& set, const Network& network) {
  require_fit(network, set);
  const std::array<std::uint32_t, 3> shape{set.channels, set.rows, set.columns};
  const std::uint32_t top = (1U << network.input_bits) - 1;
  const auto count = static_cast<std::int64_t>(set.size());
  Examples examples{torch::empty({count, shape[0], shape[1], shape[2]}, torch::kUInt8),
                    torch::empty({count}, torch::kInt64)};
  std::transform(
      set.pixels.begin(), set.pixels.end(), examples.images.data_ptr<std::uint8_t>(),
      [top](std::uint8_t pixel) { return static_cast<std::uint8_t>((pixel * top + 127) / 255); });
  std::copy(set.labels.begin(), set.labels.end(), examples.labels.data_ptr<std::int64_t>());
  return examples;
}

/// float32 images [batch, 1, row, column], each shifted and flipped at random.
torch::Tensor augmented(const torch::Tensor& images) {
  const auto input = images.contiguous();
  const auto rows = input.size(2);
  const auto columns = input.size(3);
  const auto choices = 2 * kLargestShift + 1;
  const auto draws = torch::randint(choices * choices * 2, {input.size(0)}, torch::kInt64);
  auto output = torch::zeros(input.sizes(), torch::kFloat32);
  const auto from = input.accessor<std::uint8_t, 4>();
  const auto draw = draws.accessor<std::int64_t, 1>();
  auto to = output.accessor<float, 4>();
  for (std::int64_t image = 0; image < input.size(0); ++image) {
    const auto down = draw[image] / 2 % choices - kLargestShift;
    const auto right = draw[image] / 2 / choices - kLargestShift;
    const bool flipped = draw[image] % 2 == 1;
    for (auto row = std::max<std::int64_t>(0, down); row < std::min(rows, rows + down); ++row) {
      for (auto column = std::max<std::int64_t>(0, right);
           column < std::min(columns, columns + right); ++column) {
        const auto source = flipped ? columns - 1 - (column - right) : column - right;
        to[image][0][row][column] = from[image][0][row - down][source];
      }
    }
  }
  return output;
}

/// Cosine decay to zero behind a linear warm-up.
double learning_rate(std::int64_t step, std::int64_t steps) {
  const double done = static_cast<double>(step) / static_cast<double>(steps);
  const double warm_up = static_cast<double>(step + 1) / static_cast<double>(kWarmUpSteps);
  return kLearningRate * std::min(1.0, warm_up) * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

void set_learning_rate(torch::optim::Optimizer& optimizer, double rate) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(rate);
}

/// Share of right answers, 0 .. 1.
double accuracy_in_floats(const TrainableNetwork& network, const Examples& examples) {
  std::int64_t right = 0;
  const auto count = examples.labels.size(0);
  for (std::int64_t first = 0; first < count; first += kEvaluationBatch) {
    const auto last = std::min(count, first + kEvaluationBatch);
    const auto logits =
        network.forward_inference(examples.images.slice(0, first, last).to(torch::kFloat32));
    const auto hits = logits.argmax(1).eq(examples.labels.slice(0, first, last));
    right += hits.sum().item<std::int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(count);
}

double accuracy_in_integers(const Network& network, const ImageSet& set) {
  const ForwardPass pass(network, ArrayOptions{.rows = 128});
  auto workspace = pass.workspace();
  std::size_t right = 0;
  for (std::size_t image = 0; image < set.size(); ++image) {
    const auto answer = pass.classify(set.image(image), ExactIntegers{}, {}, workspace);
    right += answer == set.labels[image] ? 1U : 0U;
  }
  return static_cast<double>(right) / static_cast<double>(set.size());
}

void train(TrainableNetwork& network, const Options& options, const Examples& examples,
           const Examples& test) {
  torch::optim::Adam optimizer(network.parameters(), torch::optim::AdamOptions(kLearningRate));
  const auto count = examples.labels.size(0);
  const auto steps_per_epoch = count / kBatch;
  std::int64_t step = 0;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const auto order = torch::randperm(count, torch::kInt64);
    double loss_sum = 0;
    for (std::int64_t batch = 0; batch < steps_per_epoch; ++batch, ++step) {
      set_learning_rate(optimizer, learning_rate(step, steps_per_epoch * options.epochs));
      const auto chosen = order.slice(0, batch * kBatch, (batch + 1) * kBatch);
      const auto images = augmented(examples.images.index_select(0, chosen));
      const auto loss = torch::cross_entropy_loss(network.forward_training(images),
                                                  examples.labels.index_select(0, chosen));
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      loss_sum += loss.item<double>();
    }
    fmt::print(stderr, "epoch {:2}  loss {:.4f}  test accuracy {:.2f} %  CPU {:.0f} s\n", epoch,
               loss_sum / static_cast<double>(steps_per_epoch),
               100 * accuracy_in_floats(network, test),
               static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
  }
}

void run(const Options& options) {
  // One thread: the same sums in the same order, and torch's threads spin when cores are shared.
  at::set_num_threads(1);
  torch::manual_seed(options.seed);
  const Network graph = fashion_graph();
  const Examples examples = examples_of(read_named_images(options.data, Split::training), graph);
  const ImageSet test_set = read_named_images(options.data, Split::test);
  const Examples test = examples_of(test_set, graph);
  TrainableNetwork trainable(graph);
  train(trainable, options, examples, test);

  Network network = trainable.integers();
  const double in_floats = accuracy_in_floats(trainable, test);
  const double in_integers = accuracy_in_integers(network, test_set);
  network.description = fmt::format(
      "Trained with quantised weights (-7 .. 7) and activations (0 .. 15) by experiments/training: "
      "train_fashion --epochs {} --seed {}; {:.2f} % of the 10,000 test images right with exact "
      "integers. Data: Fashion-MNIST (Zalando SE, MIT licence).",
      options.epochs, options.seed, 100 * in_integers);
  write_network(network, options.out);
  fmt::print("test accuracy {:.2f} % as trained, {:.2f} % in exact integers; {}: {} bytes\n",
             100 * in_floats, 100 * in_integers, options.out.string(),
             std::filesystem::file_size(options.out));
}

}  // namespace
}  // namespace cimstat::experiments

int main(int argument_count, char** arguments) {
  using cimstat::core::ExitCode;
  cimstat::experiments::Options options;
  CLI::App app{"Trains cimstat's embedded network on Fashion-MNIST."};
  app.add_option("--epochs", options.epochs, "passes over the 60,000 training images")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of weights, order and augmentation")
      ->capture_default_str();
  app.add_option("--out", options.out, "network file to write")->capture_default_str();
  app.add_option("--data", options.data,
                 "fashion-mnist (Debian's data set), or a folder with the same four IDX files")
      ->capture_default_str();
  try {
    app.parse(argument_count, arguments);
    cimstat::experiments::run(options);
    return static_cast<int>(ExitCode::done);
  } catch (const CLI::ParseError& error) {
    return static_cast<int>(app.exit(error) == 0 ? ExitCode::done : ExitCode::usage);
  } catch (const cimstat::core::Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "train_fashion: " << error.what() << '\n';
    return static_cast<int>(ExitCode::failure);
  }
}
