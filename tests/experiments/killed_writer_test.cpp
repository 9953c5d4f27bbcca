/// kill -9 at any moment of writing leaves the old file or the new one, whole.
#include <chrono>
#include <csignal>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/file/provenance.h"

#include "tests/experiments/result_samples.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using tests::TemporaryFolder;

constexpr int kills = 50;

using Write = std::function<void(const std::filesystem::path&)>;

/// Two versions of each kind of result; a run that is killed leaves one of them.
struct Result {
  std::string name;
  Write one;
  Write other;
};

std::vector<Result> results() {
  const Experiment one =
      tests::sample_experiment(std::vector<std::string>{"table.method=exact", "column.rows=40"});
  const Experiment other = tests::sample_experiment(
      std::vector<std::string>{"table.method=exact", "column.rows=40", "cell.hrs.sigma=0.4"});
  const auto table = [](const Experiment& experiment) {
    return [experiment, chosen = tests::sample_table(experiment)](
               const std::filesystem::path& file) { write_table(experiment, chosen, file); };
  };
  const auto accuracy = [one](std::uint32_t reads) {
    return [one, record = tests::sample_accuracy(2000, reads)](const std::filesystem::path& file) {
      write_accuracy(one, record, file);
    };
  };
  const auto page = [](char letter) {
    return [text = std::string(400'000, letter)](const std::filesystem::path& file) {
      core::write_atomically(file, text);
    };
  };
  const auto columns = [](const std::string& seed) {
    const Experiment many = tests::sample_experiment({"columns.columns=600", "seed=" + seed});
    return [many, result = tests::sample_columns(many)](const std::filesystem::path& file) {
      write_columns(many, result, file);
    };
  };
  return {{"macro.table.h5", table(one), table(other)},
          {"macro.columns.h5", columns("1"), columns("2")},
          {"macro.accuracy.h5", accuracy(2), accuracy(3)},
          {"macro.html", page('a'), page('b')}};
}

void write_with_record(const Write& write, const std::filesystem::path& file) {
  write(file);
  core::RunRecord record;
  record.result_sha256 = core::sha256_of_file(file);
  core::write_run_record(record, file);
}

/// A child that writes both versions over and over.
pid_t start_writer(const Result& result, const std::filesystem::path& file) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    for (;;) {
      write_with_record(result.one, file);
      write_with_record(result.other, file);
    }
  } catch (...) {
    ::_exit(1);
  }
}

TEST(AKilledWriter, LeavesAWholeFileAndAtMostTemporariesThatTheNextRunRemoves) {
  const TemporaryFolder folder;
  std::mt19937_64 engine(7);
  std::size_t temporaries = 0;
  std::size_t stale_records = 0;
  const std::vector<Result> all = results();
  for (const Result& result : all) {
    const std::filesystem::path file = folder / result.name;
    result.one(file);
    std::set<std::string> whole = {core::sha256_of_file(file)};
    write_with_record(result.other, file);
    whole.insert(core::sha256_of_file(file));
    ASSERT_EQ(whole.size(), 2U);
  }
  for (int kill = 0; kill < kills; ++kill) {
    const Result& result = all[static_cast<std::size_t>(kill) % all.size()];
    const std::filesystem::path file = folder / result.name;
    std::set<std::string> whole;
    for (const Write& write : {result.other, result.one}) {
      write(file);
      whole.insert(core::sha256_of_file(file));
    }
    const pid_t child = start_writer(result, file);
    std::this_thread::sleep_for(std::chrono::microseconds(engine() % 40'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    const std::string found = core::sha256_of_file(file);
    EXPECT_TRUE(whole.contains(found)) << result.name << ", kill " << kill;
    // A record is whole, and says which result it is of.
    const std::filesystem::path record = core::run_record_of(file);
    if (std::filesystem::exists(record)) {
      const std::vector<char> bytes = tests::bytes_of(record);
      const std::string json(bytes.begin(), bytes.end());
      EXPECT_EQ(json.substr(json.size() - 3), "\n}\n");
      std::size_t named = 0;
      for (const std::string& hash : whole) named += json.find(hash) != std::string::npos;
      EXPECT_EQ(named, 1U) << json;
      stale_records += json.find(found) == std::string::npos;
    }
    // What a command does when it starts.
    for (const std::filesystem::path& target : {file, record}) {
      temporaries += std::filesystem::exists(target.string() + ".tmp");
      core::require_writable(target);
      EXPECT_FALSE(std::filesystem::exists(target.string() + ".tmp"));
    }
    std::set<std::string> allowed;
    for (const Result& other : all) allowed.insert({other.name, other.name + ".run.json"});
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      EXPECT_TRUE(allowed.contains(entry.path().filename().string())) << entry.path();
    }
  }
  RecordProperty("temporaries_left", static_cast<int>(temporaries));
  RecordProperty("records_of_the_result_before", static_cast<int>(stale_records));
  EXPECT_GT(temporaries, 0U) << "no kill came while a file was being written";
}

TEST(AStaleTemporary, IsKeptWhileItsWriterLives) {
  const TemporaryFolder folder;
  {
    core::AtomicFile writer(folder / "a.h5");
    try {
      core::require_writable(folder / "a.h5");
      ADD_FAILURE() << "the temporary of a living writer was taken for a stale one";
    } catch (const core::Error& error) {
      EXPECT_EQ(error.code(), core::ExitCode::failure);
      EXPECT_THAT(error.what(), HasSubstr("a.h5.tmp: another run is writing it; wait for it"));
    }
    EXPECT_TRUE(std::filesystem::exists(folder / "a.h5.tmp"));
    writer.commit();
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "a.h5"));
}

/// What the check of this target says.
std::string refusal_of(const std::filesystem::path& target) {
  try {
    core::require_writable(target);
    return "nothing";
  } catch (const core::Error& error) {
    return error.what();
  }
}

TEST(AStaleTemporary, OfAnotherFileOrOfAnotherKindIsLeftAlone) {
  const TemporaryFolder folder;
  tests::write_bytes(folder / "b.h5.tmp", {'b'});
  std::filesystem::create_directory(folder / "a.h5.tmp");
  std::filesystem::create_symlink(folder / "b.h5.tmp", folder / "c.h5.tmp");
  ASSERT_EQ(::mkfifo((folder / "d.h5.tmp").c_str(), 0600), 0);
  for (const char* name : {"a.h5", "c.h5", "d.h5"}) {
    EXPECT_THAT(refusal_of(folder / name),
                HasSubstr(std::string(name) + ".tmp: is in the way of the result (not a regular "
                                              "file); remove it, or name another file"));
  }
  EXPECT_EQ(refusal_of(folder / "none.h5"), "nothing");
  EXPECT_FALSE(std::filesystem::exists(folder / "none.h5.tmp"));
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a.h5.tmp"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "c.h5.tmp"));
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "d.h5.tmp"));
  EXPECT_TRUE(std::filesystem::exists(folder / "b.h5.tmp"));
}

TEST(AFileBehindALink, IsWrittenAndTheLinkStays) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "scratch");
  // Through two links, the first one relative to its own folder.
  std::filesystem::create_symlink("scratch/second", folder / "first");
  std::filesystem::create_symlink(folder / "scratch" / "target", folder / "scratch" / "second");
  for (const char* text : {"made where the link dangled", "written again"}) {
    core::write_atomically(folder / "first", text);
    const std::vector<char> bytes = tests::bytes_of(folder / "scratch" / "target");
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), text);
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "first"));
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "scratch" / "second"));
  }
  EXPECT_EQ(core::temporary_of(folder / "first"), folder / "scratch" / "target.tmp");
  std::filesystem::create_symlink("round", folder / "round");
  EXPECT_THAT(refusal_of(folder / "round"), HasSubstr("round: can't be followed"));
}

}  // namespace
}  // namespace cimstat::experiments
