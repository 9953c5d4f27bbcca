/// Network files of version 1.2, and what earlier ones may not hold.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file/hdf5_file.h"

#include "tests/experiments/residual_block.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::message_of;
using ::testing::HasSubstr;

/// A layer of some kind and a convolution, in a file written by hand, so that it can say what
/// write_network refuses to say.
struct HandMade {
  std::int64_t minor = 2;
  std::string kind = "max_pool";
  std::int64_t output_bits = 0;
  bool has_scale = false;
  std::vector<std::int64_t> kernel{1};
  std::function<void(core::Hdf5Output&)> more = [](core::Hdf5Output&) {};

  void write_layer(core::Hdf5Output& output, const std::string& path, std::string_view name,
                   std::string_view of_kind, std::string_view input) const {
    output.group(path);
    output.attribute(path, "name", name);
    output.attribute(path, "kind", of_kind);
    output.attribute(path, "inputs", input);
    output.attribute(path, "stride", std::int64_t{1});
    output.attribute(path, "padding", std::int64_t{0});
  }

  void write(const std::filesystem::path& file) const {
    core::Hdf5Output output(file);
    output.attribute("/", "filetype", "cimstat network");
    output.attribute("/", "schema_version", std::vector<std::int64_t>{1, minor});
    output.attribute("/", "name", "hand-made");
    output.attribute("/", "description", "");
    output.attribute("/", "input_shape", std::vector<std::int64_t>{2, 4, 4});
    output.attribute("/", "input_bits", std::int64_t{4});
    output.attribute("/", "classes", std::int64_t{2});
    write_layer(output, "/layers/000_a", "a", kind, "input");
    output.attribute("/layers/000_a", "kernel", kernel);
    output.attribute("/layers/000_a", "weight_bits", std::int64_t{0});
    output.attribute("/layers/000_a", "output_bits", output_bits);
    if (has_scale) {
      output.dataset("/layers/000_a/scale", std::vector<double>{1.0}, {1});
      output.dataset("/layers/000_a/bias", std::vector<double>{0.0}, {1});
    }
    write_layer(output, "/layers/001_c", "c", "convolution", "a");
    output.attribute("/layers/001_c", "kernel", std::int64_t{4});
    output.attribute("/layers/001_c", "weight_bits", std::int64_t{4});
    output.attribute("/layers/001_c", "output_bits", std::int64_t{0});
    output.dataset("/layers/001_c/weight", std::vector<std::int8_t>(64, 3), {2, 2, 4, 4});
    output.dataset("/layers/001_c/scale", std::vector<double>{1, 1}, {2});
    output.dataset("/layers/001_c/bias", std::vector<double>{0, 0}, {2});
    more(output);
    output.commit();
  }

  std::string message() const {
    const tests::TemporaryFolder folder;
    write(folder / "a.h5");
    return message_of([&] { read_network(folder / "a.h5"); });
  }
};

TEST(ExtendedNetworkFile, MayHaveOneNumberOrOneForEachSide) {
  EXPECT_EQ((HandMade{.kernel = {1}}.message()), "no DataError");
  EXPECT_EQ((HandMade{.kernel = {1, 1}}.message()), "no DataError");
  EXPECT_EQ((HandMade{.minor = 1, .kernel = {1}}.message()), "no DataError");
  EXPECT_THAT((HandMade{.kernel = {1, 1, 1}}.message()),
              HasSubstr("/layers/000_a: attribute 'kernel' has 3 numbers (1 or 2)"));
  EXPECT_THAT((HandMade{.kernel = {1, -1}}.message()), HasSubstr("attribute 'kernel' is -1"));
  EXPECT_THAT((HandMade{.minor = 1, .kernel = {1, 1}}.message()), HasSubstr("attribute 'kernel'"));
}

TEST(ExtendedNetworkFile, RefusesWhatItsVersionDoesNotHave) {
  const auto dilation = [](core::Hdf5Output& output) {
    output.attribute("/layers/000_a", "dilation", std::int64_t{2});
  };
  EXPECT_EQ((HandMade{.more = dilation}.message()), "no DataError");
  EXPECT_THAT((HandMade{.minor = 1, .more = dilation}.message()),
              HasSubstr("unknown attribute 'dilation'"));
  HandMade quantise{.kind = "quantise", .output_bits = 4, .has_scale = true};
  EXPECT_EQ(quantise.message(), "no DataError");
  quantise.minor = 1;
  EXPECT_THAT(quantise.message(),
              HasSubstr("/layers/000_a: is of kind 'quantise' (the file is of version 1.1, and 1.2 "
                        "brought this); write schema_version [1, 2]"));
  HandMade reals{.kind = "average_pool", .has_scale = true};
  EXPECT_THAT(reals.message(), HasSubstr("/layers/001_c: its input 'a' delivers real values"));
  reals.minor = 1;
  EXPECT_THAT(reals.message(),
              HasSubstr("/layers/000_a: has output_bits 0, for real values (the file is of"));
}

TEST(ExtendedNetworkFile, RefusesPaddingLevelsThatAreNone) {
  const auto with_levels = [](const std::vector<std::int32_t>& levels, const core::Shape64& shape,
                              const std::string& layer = "001_c") {
    HandMade file;
    file.more = [&](core::Hdf5Output& output) {
      output.dataset("/layers/" + layer + "/padding_level", std::span(levels), shape);
    };
    return file.message();
  };
  EXPECT_EQ(with_levels({3, 15}, {2}), "no DataError");
  EXPECT_THAT(with_levels({3, 300}, {2}), HasSubstr("holds 300 (levels are 0 to 255)"));
  EXPECT_THAT(with_levels({3, -1}, {2}), HasSubstr("holds -1"));
  EXPECT_THAT(with_levels({3, 16}, {2}), HasSubstr("a padding_level of 16 does not fit 4 bits"));
  EXPECT_THAT(with_levels({3, 4}, {1, 2}), HasSubstr("is not one-dimensional"));
  EXPECT_THAT(with_levels({3}, {1}), HasSubstr("1 levels of padding_level"));
  EXPECT_THAT(with_levels({3, 3}, {2}, "000_a"), HasSubstr("unknown member 'padding_level'"));
}

}  // namespace
}  // namespace cimstat::experiments
