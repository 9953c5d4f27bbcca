/// Signals, closed outputs and full disks end the program with one line and nothing half made.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using tests::ChildProcess;
using tests::TemporaryFolder;
using tests::text_of;

constexpr const char* macro = R"(name = "long run"
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.05
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 64
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "2 uA"
)";

void append(std::string& bytes, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
}

class Program : public ::testing::Test {
 protected:
  void SetUp() override { std::ofstream(folder_ / "macro.toml") << macro; }

  std::string path(const std::string& name) const { return folder_ / name; }

  /// 10,000 images for the shipped network.
  void write_images() const {
    std::filesystem::create_directory(folder_ / "images");
    std::string images;
    for (const std::uint32_t number : {2051U, 10000U, 28U, 28U}) append(images, number);
    for (std::size_t i = 0; i < 10000 * 784; ++i) {
      images.push_back(static_cast<char>(i * 2654435761U >> 24));
    }
    std::string labels;
    for (const std::uint32_t number : {2049U, 10000U}) append(labels, number);
    labels.append(10000, '\1');
    std::ofstream(folder_ / "images" / "t10k-images-idx3-ubyte", std::ios::binary) << images;
    std::ofstream(folder_ / "images" / "t10k-labels-idx1-ubyte", std::ios::binary) << labels;
  }

  std::string files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      names.insert(entry.path().filename().string());
    }
    names.erase("errors");
    names.erase("output");
    std::string list;
    for (const std::string& name : names) list += name + " ";
    return list;
  }

  /// Starts the program, sends the signals once it can take them, and gives its exit code.
  int interrupted(const std::vector<std::string>& arguments, const std::vector<int>& signals) {
    ChildProcess program(CIMSTAT_BINARY, arguments,
                         {.output = path("output"), .errors = path("errors")});
    EXPECT_TRUE(program.wait_until_caught(signals.front()));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    for (const int signal : signals) program.send(signal);
    const int code = program.wait();
    EXPECT_EQ(text_of(path("output")), "");
    return code;
  }

  TemporaryFolder folder_;
  std::vector<std::string> long_table() const {
    return {"table", path("macro.toml"),         "-o",    path("t.h5"),
            "--set", "table.method=monte_carlo", "--set", "table.trials=1000000000"};
  }
};

TEST_F(Program, StopsATableAtEachSignalWithOneLineAndNoFile) {
  std::ofstream(folder_ / "t.h5") << "old";
  for (const auto& [signal, name] :
       {std::pair(SIGINT, "SIGINT"), std::pair(SIGTERM, "SIGTERM"), std::pair(SIGHUP, "SIGHUP")}) {
    EXPECT_EQ(interrupted(long_table(), {signal}), 130) << name;
    EXPECT_EQ(text_of(path("errors")), "cimstat: interrupted (" + std::string(name) +
                                           "); nothing was written, run it again\n");
    EXPECT_EQ(files(), "macro.toml t.h5 ");
    EXPECT_EQ(text_of(path("t.h5")), "old");
  }
}

TEST_F(Program, StopsAMargin) {
  const std::vector<std::string> arguments = {"margin", path("macro.toml"),
                                              "--set",  "table.method=monte_carlo",
                                              "--set",  "table.trials=1000000000"};
  EXPECT_EQ(interrupted(arguments, {SIGINT}), 130);
  EXPECT_THAT(text_of(path("errors")), StartsWith("cimstat: interrupted (SIGINT); "));
}

TEST_F(Program, StopsAnAccuracy) {
  write_images();
  const std::vector<std::string> arguments = {"accuracy", path("macro.toml"),
                                              "-o",       path("a.h5"),
                                              "--set",    "accuracy.data_set=" + path("images"),
                                              "--set",    "accuracy.reads=10000"};
  EXPECT_EQ(interrupted(arguments, {SIGINT}), 130);
  EXPECT_EQ(text_of(path("errors")),
            "cimstat: interrupted (SIGINT); nothing was written, run it again\n");
  EXPECT_EQ(files(), "images macro.toml ");
}

TEST_F(Program, StopsAReportOrFinishesIt) {
  const std::vector<std::string> table = {"table", path("macro.toml"), "-q", "-o", path("t.h5")};
  ASSERT_EQ(ChildProcess(CIMSTAT_BINARY, table, {}).wait(), 0);
  ChildProcess program(CIMSTAT_BINARY, {"report", path("t.h5"), "-o", path("p.html")},
                       {.errors = path("errors")});
  ASSERT_TRUE(program.wait_until_caught(SIGINT));
  program.send(SIGINT);
  const int code = program.wait();
  if (code == 0) {
    EXPECT_THAT(text_of(path("p.html")), HasSubstr("</html>"));
  } else {
    EXPECT_EQ(code, 130);
    EXPECT_EQ(files(), "macro.toml t.h5 t.h5.run.json ");
    EXPECT_THAT(text_of(path("errors")), StartsWith("cimstat: interrupted (SIGINT); "));
  }
}

TEST_F(Program, EndsAtASecondSignal) {
  EXPECT_EQ(interrupted(long_table(), {SIGINT, SIGTERM}), 130);
}

TEST_F(Program, ClearsTheProgressBarOfATerminalBeforeItSaysSo) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  const int other_end = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ::setenv("TERM", "xterm", 1);
  ChildProcess program(CIMSTAT_BINARY, long_table(), {.error_descriptor = other_end});
  ::close(other_end);
  std::string shown;
  std::array<char, 4096> piece{};
  const auto read_more = [&] {
    const ssize_t count = ::read(terminal, piece.data(), piece.size());
    if (count > 0) shown.append(piece.data(), static_cast<std::size_t>(count));
    return count > 0;
  };
  while (shown.find("table [") == std::string::npos && read_more()) {
  }
  program.send(SIGINT);
  while (read_more()) {
  }
  EXPECT_EQ(program.wait(), 130);
  ::close(terminal);
  EXPECT_THAT(shown, ::testing::EndsWith(
                         "\r\033[Kcimstat: interrupted (SIGINT); nothing was written, run it "
                         "again\r\n"));
}

TEST_F(Program, KeepsIgnoringWhatNohupIgnores) {
  ChildProcess program(CIMSTAT_BINARY, long_table(),
                       {.errors = path("errors"), .ignored_signals = {SIGHUP}});
  ASSERT_TRUE(program.wait_until_caught(SIGTERM));
  program.send(SIGHUP);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 130);
  EXPECT_THAT(text_of(path("errors")), HasSubstr("(SIGTERM)"));
}

TEST_F(Program, EndsWithoutALineWhenNobodyReadsItsOutput) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ::close(pipe[0]);
  ChildProcess program(CIMSTAT_BINARY, {"margin", path("macro.toml"), "-q", "--json"},
                       {.errors = path("errors"), .output_descriptor = pipe[1]});
  ::close(pipe[1]);
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(text_of(path("errors")), "");
}

TEST_F(Program, SaysWhenTheDiskOfItsOutputIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  ChildProcess program(CIMSTAT_BINARY, {"margin", path("macro.toml"), "-q", "--json"},
                       {.output = "/dev/full", .errors = path("errors")});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_THAT(text_of(path("errors")), StartsWith("cimstat: standard output: can't be written"));
}

TEST_F(Program, SaysWhenAFileMayNotGrowAndLeavesTheOldOne) {
  std::ofstream(folder_ / "t.h5") << "old";
  ChildProcess program(CIMSTAT_BINARY, {"table", path("macro.toml"), "-q", "-o", path("t.h5")},
                       {.errors = path("errors"), .largest_file = 4096});
  EXPECT_EQ(program.wait(), 1);
  EXPECT_EQ(text_of(path("errors")),
            "cimstat: " + path("t.h5") +
                ": can't be written (File too large); make room, or name a file elsewhere\n");
  EXPECT_EQ(files(), "macro.toml t.h5 ");
  EXPECT_EQ(text_of(path("t.h5")), "old");
}

TEST_F(Program, RemovesTheTemporariesOfAKilledRunWhenItStarts) {
  for (const char* name : {"t.h5.tmp", "t.h5.run.json.tmp"}) {
    std::ofstream(folder_ / name) << std::string(100000, 'x');
  }
  std::ofstream(folder_ / "other.h5.tmp") << "of another file";
  EXPECT_EQ(interrupted(long_table(), {SIGINT}), 130);
  EXPECT_EQ(files(), "macro.toml other.h5.tmp ");
}

}  // namespace
}  // namespace cimstat::experiments
