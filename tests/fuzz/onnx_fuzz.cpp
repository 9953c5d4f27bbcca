#include "experiments/onnx/onnx_model.h"
#include "experiments/onnx/onnx_text.h"
#include "tests/fuzz/fuzz_target.h"

/// An ONNX model: read, run on an image of zeros, shown.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  const std::filesystem::path file = fuzz::scratch_file("model.onnx", {data, size});
  fuzz::refusal_of([&] {
    const experiments::OnnxModel model(file, {.values = 1 << 20, .macs = 1 << 22});
    fuzz::require_clean_text(experiments::onnx_as_text(model));
    experiments::OnnxTensor image;
    image.shape = model.input().shape;
    std::size_t count = 1;
    for (const std::int64_t extent : image.shape) count *= static_cast<std::size_t>(extent);
    image.reals.assign(count, 0.5f);
    if (model.run(image).shape != model.output().shape) {
      fuzz::finding("another output than was promised");
    }
  });
  return 0;
}
