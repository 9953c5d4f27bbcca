/// A flipped bit in a file of ours is reported, or lies in bytes that no reader uses.
#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_library.h"

#include "tests/experiments/result_samples.h"
#include "tests/experiments/sweep/sweep_fixtures.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using tests::bytes_of;
using tests::TemporaryFolder;
using tests::write_bytes;

using core::detail::Attribute;
using core::detail::File;
using core::detail::Object;
using core::detail::Properties;
using core::detail::Space;
using core::detail::Type;

/// Attributes and values as they are stored, but for what leads from object to object.
template <class Read>
std::string stored_values(hid_t type, hid_t space, const Read& read) {
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_VLEN || kind == H5T_COMPOUND || kind == H5T_REFERENCE) return {};
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  std::string bytes(count * H5Tget_size(type), '\0');
  if (read(bytes.data()) < 0) throw std::runtime_error("values can't be read");
  return bytes + fmt::format(" class {}, {} values\n", static_cast<int>(kind), count);
}

std::string attributes_of(const Object& object) {
  H5O_info_t info{};
  H5Oget_info2(object.id(), &info, H5O_INFO_NUM_ATTRS);
  std::string all;
  for (hsize_t i = 0; i < info.num_attrs; ++i) {
    const Attribute attribute(H5Aopen_by_idx(object.id(), ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i,
                                             H5P_DEFAULT, H5P_DEFAULT));
    std::string name(256, '\0');
    H5Aget_name(attribute.id(), name.size(), name.data());
    const Type type(H5Aget_type(attribute.id()));
    all += name.c_str() +
           stored_values(type.id(), Space(H5Aget_space(attribute.id())).id(),
                         [&](void* place) { return H5Aread(attribute.id(), type.id(), place); });
  }
  return all;
}

/// Where a dataset's chunks lie in the file.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// All that a file holds, as the HDF5 library alone gives it to any reader.
struct Content {
  std::string text;
  std::vector<Range> chunks;
};

void add_object(const Object& object, const std::string& path, Content& content);

void add_members(const Object& group, const std::string& path, Content& content) {
  H5G_info_t info{};
  H5Gget_info(group.id(), &info);
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    std::string name(256, '\0');
    H5Lget_name_by_idx(group.id(), ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i, name.data(),
                       name.size(), H5P_DEFAULT);
    add_object(Object(H5Oopen(group.id(), name.c_str(), H5P_DEFAULT)), path + "/" + name.c_str(),
               content);
  }
}

void add_chunks(const Object& dataset, const Space& space, Content& content) {
  const Properties properties(H5Dget_create_plist(dataset.id()));
  hsize_t count = 0;
  if (H5Pget_layout(properties.id()) != H5D_CHUNKED) return;
  H5Dget_num_chunks(dataset.id(), space.id(), &count);
  for (hsize_t i = 0; i < count; ++i) {
    std::vector<hsize_t> offset(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space.id())));
    unsigned left_out = 0;
    haddr_t address = 0;
    hsize_t size = 0;
    H5Dget_chunk_info(dataset.id(), space.id(), i, offset.data(), &left_out, &address, &size);
    content.chunks.push_back({address, address + size});
  }
}

void add_object(const Object& object, const std::string& path, Content& content) {
  content.text += path + attributes_of(object);
  if (H5Iget_type(object.id()) == H5I_GROUP) return add_members(object, path, content);
  const Type type(H5Dget_type(object.id()));
  const Space space(H5Dget_space(object.id()));
  add_chunks(object, space, content);
  content.text += stored_values(type.id(), space.id(), [&](void* place) {
    return H5Dread(object.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, place);
  });
}

Content content_of(const std::filesystem::path& file) {
  core::detail::silence_errors();
  const Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
  const File opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.id()));
  Content content;
  add_object(Object(H5Oopen(opened.id(), "/", H5P_DEFAULT)), {}, content);
  return content;
}

struct Format {
  std::string name;
  std::function<void(const std::filesystem::path&)> write;
  std::function<void(const std::filesystem::path&)> read;
};

void PrintTo(const Format& format, std::ostream* stream) { *stream << format.name; }

class FlippedBits : public ::testing::TestWithParam<Format> {};

/// Each byte of the beginning, some of the whole file, and some of every chunk, its ends included.
std::vector<std::size_t> places_in(std::size_t size, const std::vector<Range>& chunks,
                                   std::mt19937_64& engine) {
  std::vector<std::size_t> places(512);
  std::iota(places.begin(), places.end(), std::size_t{0});
  for (int i = 0; i < 200; ++i) places.push_back(engine() % size);
  for (const Range& chunk : chunks) {
    places.push_back(chunk.begin);
    places.push_back(chunk.end - 1);
    for (int i = 0; i < 20; ++i) {
      places.push_back(chunk.begin + engine() % (chunk.end - chunk.begin));
    }
  }
  return places;
}

TEST_P(FlippedBits, AreReportedInOneLineUnlessNoReaderUsesThem) {
  const TemporaryFolder folder;
  GetParam().write(folder / "whole.h5");
  GetParam().read(folder / "whole.h5");
  const Content whole = content_of(folder / "whole.h5");
  ASSERT_FALSE(whole.chunks.empty());
  const auto in_chunk = [&](std::size_t place) {
    return std::any_of(whole.chunks.begin(), whole.chunks.end(), [&](const Range& chunk) {
      return place >= chunk.begin && place < chunk.end;
    });
  };
  std::vector<char> bytes = bytes_of(folder / "whole.h5");
  std::mt19937_64 engine(20260101);
  const std::vector<std::size_t> places = places_in(bytes.size(), whole.chunks, engine);
  std::size_t reported = 0;
  std::size_t unused = 0;
  for (const std::size_t place : places) {
    const auto bit = static_cast<unsigned>(engine() % 8);
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
    write_bytes(folder / "flipped.h5", bytes);
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
    try {
      GetParam().read(folder / "flipped.h5");
      EXPECT_FALSE(in_chunk(place)) << "not noticed: byte " << place << ", bit " << bit;
      EXPECT_TRUE(content_of(folder / "flipped.h5").text == whole.text)
          << "accepted: byte " << place << " of " << bytes.size() << ", bit " << bit;
      ++unused;
    } catch (const core::DataError& error) {
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
      EXPECT_NE(std::string_view(error.what()).find("flipped.h5: "), std::string_view::npos);
      EXPECT_NE(std::string_view(error.what()).find("; "), std::string_view::npos) << error.what();
      ++reported;
    }
  }
  RecordProperty("bytes", static_cast<int>(bytes.size()));
  RecordProperty("reported", static_cast<int>(reported));
  RecordProperty("unused", static_cast<int>(unused));
  EXPECT_GT(reported, places.size() / 2);
}

void write_sampled_table(const std::filesystem::path& file) {
  const Experiment experiment = tests::sample_experiment(std::vector<std::string>{
      "table.method=monte_carlo", "converter.references=replica", "column.rows=12"});
  write_table(experiment, tests::sample_table(experiment), file);
}
void write_stopped_table(const std::filesystem::path& file) {
  const Experiment experiment = tests::sample_experiment(
      std::vector<std::string>{"table.method=monte_carlo", "table.target_relative_error=0.2",
                               "table.trials=20000", "column.rows=12"});
  write_table(experiment, tests::sample_table(experiment), file);
}
void write_exact_table(const std::filesystem::path& file) {
  const Experiment experiment =
      tests::sample_experiment(std::vector<std::string>{"table.method=exact", "column.rows=24"});
  write_table(experiment, tests::sample_table(experiment), file);
}

INSTANTIATE_TEST_SUITE_P(
    Files, FlippedBits,
    ::testing::Values(
        Format{"SampledTable", write_sampled_table, read_table},
        Format{"TableWithATarget", write_stopped_table, read_table},
        Format{"ExactTableOfManyChunks", write_exact_table, read_table},
        Format{"Accuracy",
               [](const auto& file) {
                 write_accuracy(
                     tests::sample_experiment({"accuracy.images=3000", "accuracy.reads=2"}),
                     tests::sample_accuracy(3000, 2), file);
               },
               read_accuracy},
        Format{"Columns",
               [](const auto& file) {
                 const Experiment experiment = tests::sample_columns_experiment();
                 write_columns(experiment, tests::sample_columns(experiment), file);
               },
               read_columns},
        Format{"Sweep",
               [](const auto& file) { tests::write_sample_sweep(tests::sample_plan(), file, 40); },
               read_sweep_file},
        Format{"Network", [](const auto& file) { write_network(tests::sample_network(), file); },
               read_network}),
    [](const auto& format) { return format.param.name; });

}  // namespace
}  // namespace cimstat::experiments
