#include "experiments/table/table_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/provenance.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

class TableFile : public testing::Test {
 protected:
  static Experiment experiment(const std::vector<std::string>& overrides = {}) {
    return read_experiment(core::Config::from_text(R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = 4e-5
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = 2e-6
sigma = 0.3
[column]
rows = 6
read_voltage = 0.2
[sense_amplifier]
noise_sd = 1e-6
[table]
trials = 5000
)",
                                                   "t.toml", overrides));
  }
  static ChosenTable make(const Experiment& asked) {
    return make_table(asked, circuits::classes_for(asked.table.active_rows), {1});
  }
  tests::TemporaryFolder folder_;
};

void expect_equal(const circuits::ErrorTable& a, const circuits::ErrorTable& b) {
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.codes, b.codes);
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.probability, b.probability);
  EXPECT_EQ(a.error_bound, b.error_bound);
  EXPECT_EQ(a.ideal_code, b.ideal_code);
  EXPECT_EQ(a.code_step, b.code_step);
  EXPECT_EQ(a.method, b.method);
}

TEST_F(TableFile, ReadsBackWhatWasWritten) {
  for (const char* method : {"table.method=exact", "table.method=monte_carlo"}) {
    for (const char* references :
         {"converter.references=midpoint", "converter.references=replica"}) {
      const Experiment asked = experiment({method, references});
      const ChosenTable chosen = make(asked);
      write_table(asked, chosen, folder_ / "t.h5");
      const TableRecord record = read_table(folder_ / "t.h5");
      expect_equal(record.table, chosen.table);
      EXPECT_EQ(record.config_toml, asked.table_toml);
      EXPECT_EQ(record.seed, asked.seed);
      EXPECT_EQ(record.reason, chosen.reason);
    }
  }
}

TEST_F(TableFile, IsTheSameBytesEachTime) {
  const Experiment asked = experiment({"table.method=monte_carlo"});
  write_table(asked, make(asked), folder_ / "a.h5");
  write_table(asked, make(asked), folder_ / "b.h5");
  EXPECT_EQ(core::sha256_of_file(folder_ / "a.h5"), core::sha256_of_file(folder_ / "b.h5"));
}

TEST_F(TableFile, IsRefusedWhenDamagedAndNeverCrashes) {
  const Experiment asked = experiment();
  const ChosenTable chosen = make(asked);
  write_table(asked, chosen, folder_ / "t.h5");
  std::ifstream stream(folder_ / "t.h5", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)),
                          std::istreambuf_iterator<char>());
  const auto write = [&](const std::string& bytes) {
    std::ofstream(folder_ / "d.h5", std::ios::binary) << bytes;
  };
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    write(whole.substr(0, length));
    EXPECT_THROW(read_table(folder_ / "d.h5"), core::DataError) << "cut to " << length;
  }
  // Every 97th byte, so that data, keys and metadata are all hit: refused, or harmless.
  for (std::size_t place = 0; place < whole.size(); place += 97) {
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 0x10);
    write(bytes);
    try {
      const TableRecord record = read_table(folder_ / "d.h5");
      expect_equal(record.table, chosen.table);
    } catch (const core::DataError&) {
    }
  }
}

TEST_F(TableFile, RefusesAFileOfAnotherKind) {
  std::ofstream(folder_ / "text.h5") << "not HDF5";
  EXPECT_THROW(read_table(folder_ / "text.h5"), core::DataError);
  EXPECT_THROW(read_table(folder_ / "missing.h5"), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
