/// A flipped bit in a file of ours is reported or harmless, never used silently.
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/error.h"

#include "tests/experiments/result_samples.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using tests::bytes_of;
using tests::TemporaryFolder;
using tests::write_bytes;

/// All that a reader took from a file, bit for bit.
class Content {
 public:
  template <class Value>
  void add(const Value& value) {
    static_assert(std::is_arithmetic_v<Value> || std::is_enum_v<Value>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void add(const std::string& text) {
    add(text.size());
    bytes_ += text;
  }
  template <class Value>
  void add(const std::vector<Value>& values) {
    add(values.size());
    for (const Value& value : values) add(value);
  }
  bool operator==(const Content&) const = default;

 private:
  std::string bytes_;
};

Content content_of_table(const std::filesystem::path& file) {
  const TableRecord record = read_table(file);
  Content content;
  for (const std::string& text :
       {record.name, record.config_toml, record.reason, record.source, record.content_sha256}) {
    content.add(text);
  }
  content.add(record.seed);
  content.add(record.confidence);
  const circuits::ErrorTable& table = record.table;
  for (const auto& [lrs_count, active_rows] : table.classes) {
    content.add(lrs_count);
    content.add(active_rows);
  }
  content.add(table.codes);
  content.add(table.code_step);
  content.add(table.code_origin);
  content.add(table.method);
  content.add(table.counts);
  content.add(table.probability);
  content.add(table.error_bound);
  content.add(table.ideal_code);
  return content;
}

Content content_of_accuracy(const std::filesystem::path& file) {
  const AccuracyRecord record = read_accuracy(file);
  Content content;
  for (const std::string& text :
       {record.name, record.network, record.data_set, record.table_sha256}) {
    content.add(text);
  }
  content.add(record.confidence);
  content.add(record.result.reads);
  content.add(record.result.partial_sums);
  content.add(record.result.exact_correct);
  content.add(record.result.sampled_correct);
  return content;
}

Content content_of_network(const std::filesystem::path& file) {
  const Network network = read_network(file);
  Content content;
  content.add(network.name);
  content.add(network.description);
  content.add(content_hash(network));
  return content;
}

struct Format {
  std::string name;
  std::function<void(const std::filesystem::path&)> write;
  std::function<Content(const std::filesystem::path&)> read;
};

void PrintTo(const Format& format, std::ostream* stream) { *stream << format.name; }

class FlippedBits : public ::testing::TestWithParam<Format> {};

TEST_P(FlippedBits, AreReportedInOneLineOrHarmless) {
  const TemporaryFolder folder;
  GetParam().write(folder / "whole.h5");
  const Content whole = GetParam().read(folder / "whole.h5");
  std::vector<char> bytes = bytes_of(folder / "whole.h5");
  std::mt19937_64 engine(20260101);
  std::vector<std::size_t> places(512);
  for (std::size_t place = 0; place < places.size(); ++place) places[place] = place;
  for (int i = 0; i < 200; ++i) places.push_back(engine() % bytes.size());
  std::size_t reported = 0;
  std::size_t harmless = 0;
  for (const std::size_t place : places) {
    const auto bit = static_cast<unsigned>(engine() % 8);
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
    write_bytes(folder / "flipped.h5", bytes);
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
    try {
      EXPECT_TRUE(GetParam().read(folder / "flipped.h5") == whole)
          << "used silently: byte " << place << " of " << bytes.size() << ", bit " << bit;
      ++harmless;
    } catch (const core::DataError& error) {
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
      EXPECT_NE(std::string_view(error.what()).find("flipped.h5: "), std::string_view::npos);
      EXPECT_NE(std::string_view(error.what()).find("; "), std::string_view::npos) << error.what();
      ++reported;
    }
  }
  RecordProperty("bytes", static_cast<int>(bytes.size()));
  RecordProperty("reported", static_cast<int>(reported));
  RecordProperty("harmless", static_cast<int>(harmless));
  EXPECT_GT(reported, places.size() / 2);
}

void write_sampled_table(const std::filesystem::path& file) {
  const Experiment experiment = tests::sample_experiment(
      std::vector<std::string>{"table.method=monte_carlo", "converter.references=replica"});
  write_table(experiment, tests::sample_table(experiment), file);
}
void write_exact_table(const std::filesystem::path& file) {
  const Experiment experiment =
      tests::sample_experiment(std::vector<std::string>{"table.method=exact", "column.rows=24"});
  write_table(experiment, tests::sample_table(experiment), file);
}

INSTANTIATE_TEST_SUITE_P(
    Files, FlippedBits,
    ::testing::Values(Format{"SampledTable", write_sampled_table, content_of_table},
                      Format{"ExactTableOfManyChunks", write_exact_table, content_of_table},
                      Format{"Accuracy",
                             [](const auto& file) {
                               write_accuracy(tests::sample_experiment(),
                                              tests::sample_accuracy(3000, 2), file);
                             },
                             content_of_accuracy},
                      Format{"Network",
                             [](const auto& file) { write_network(tests::sample_network(), file); },
                             content_of_network}),
    [](const auto& format) { return format.param.name; });

}  // namespace
}  // namespace cimstat::experiments
