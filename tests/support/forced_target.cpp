#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "core/simd.h"

namespace {

/// Runs every test with the instruction set named by CIMSTAT_TEST_SIMD, where it is set: the ctests
/// named forced_* put each set in turn under tests that would only ever see the machine's best.
class ForcedTarget : public testing::EmptyTestEventListener {
 public:
  void OnTestProgramStart(const testing::UnitTest&) override {
    const char* target = std::getenv("CIMSTAT_TEST_SIMD");
    if (target == nullptr || target != cimstat::core::simd_targets().front()) return;
    std::printf("%s is this machine's best: the tests run with it as they are\n", target);
    std::exit(0);
  }
  void OnTestStart(const testing::TestInfo&) override {
    const char* target = std::getenv("CIMSTAT_TEST_SIMD");
    if (target != nullptr) cimstat::core::use_simd_target(target);
  }
};

const bool listening = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new ForcedTarget);
  return true;
}();

}  // namespace
