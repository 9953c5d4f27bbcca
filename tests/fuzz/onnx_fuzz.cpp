#include "experiments/onnx/import_model.h"
#include "experiments/onnx/onnx_model.h"
#include "experiments/onnx/onnx_text.h"
#include "tests/fuzz/fuzz_target.h"

namespace cimstat::fuzz {
namespace {

std::size_t numbers_of(const experiments::OnnxShape& shape) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  return count;
}

/// Two images that the model takes; none where it takes something else.
experiments::ImageSet images_for(const experiments::OnnxModel& model) {
  experiments::ImageSet images;
  const experiments::OnnxShape& shape = model.input().shape;
  if (shape.size() != 4) return images;
  images.channels = static_cast<std::uint32_t>(shape[1]);
  images.rows = static_cast<std::uint32_t>(shape[2]);
  images.columns = static_cast<std::uint32_t>(shape[3]);
  images.classes = static_cast<std::uint32_t>(numbers_of(model.output().shape));
  images.labels = {0, 0};
  images.pixels.resize(2 * images.image_size());
  for (std::size_t i = 0; i < images.pixels.size(); ++i) {
    images.pixels[i] = static_cast<std::uint8_t>(37 * i);
  }
  return images;
}

/// A network of integers, at the model's own scales or at calibrated ones, and its answers.
void import_and_run(const experiments::OnnxModel& model) {
  const experiments::ImageSet images = images_for(model);
  if (images.size() == 0) return;
  experiments::QuantiseOptions options;
  options.image.mean.assign(images.channels, 0.25);
  options.image.deviation.assign(images.channels, 0.5);
  const experiments::Network network =
      experiments::holds_scales(model) ? experiments::import_quantised_model(model, options.image)
                                       : experiments::import_model(model, images, options, {1});
  const auto answers = experiments::compare_import(model, network, images, options.image, {1});
  if (answers.images != images.size() || answers.agreeing > answers.images) {
    finding("a comparison that contradicts itself");
  }
}

}  // namespace
}  // namespace cimstat::fuzz

/// An ONNX model: read, run on an image of zeros, shown, imported.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  const std::filesystem::path file = fuzz::scratch_file("model.onnx", {data, size});
  fuzz::refusal_of([&] {
    const experiments::OnnxModel model(file, {.values = 1 << 20, .macs = 1 << 22});
    fuzz::require_clean_text(experiments::onnx_as_text(model));
    experiments::OnnxTensor image;
    image.shape = model.input().shape;
    image.reals.assign(fuzz::numbers_of(image.shape), 0.5f);
    if (model.run(image).shape != model.output().shape) {
      fuzz::finding("another output than was promised");
    }
    fuzz::import_and_run(model);
  });
  return 0;
}
