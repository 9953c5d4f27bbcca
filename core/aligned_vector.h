#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace cimstat::core {

/// Allocates at multiples of 64 bytes: a cache line, and the widest vector register.
template <class T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};
  LineAllocator() = default;
  template <class U>
  explicit LineAllocator(const LineAllocator<U>&) {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), alignment));
  }
  void deallocate(T* pointer, std::size_t) { ::operator delete(pointer, alignment); }
  bool operator==(const LineAllocator&) const { return true; }
};

/// A vector whose data begin at a multiple of 64 bytes.
template <class T>
using AlignedVector = std::vector<T, LineAllocator<T>>;

}  // namespace cimstat::core
