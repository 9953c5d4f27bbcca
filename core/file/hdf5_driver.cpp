#include "core/file/hdf5_driver.h"

#include <algorithm>
#include <new>

namespace cimstat::core::detail {
namespace {

/// What the library holds for an open file; it takes the first member for the whole.
struct DriverFile {
  H5FD_t library{};
  Hdf5Medium* medium = nullptr;
  haddr_t end_of_allocation = 0;
  haddr_t end_of_file = 0;
};

struct DriverSettings {
  Hdf5Medium* medium;
};

DriverFile& of(H5FD_t* file) { return *reinterpret_cast<DriverFile*>(file); }
const DriverFile& of(const H5FD_t* file) { return *reinterpret_cast<const DriverFile*>(file); }

H5FD_t* open_file(const char*, unsigned, hid_t access, haddr_t) {
  const auto* settings = static_cast<const DriverSettings*>(H5Pget_driver_info(access));
  if (settings == nullptr) return nullptr;
  auto* file = new (std::nothrow) DriverFile;
  if (file == nullptr) return nullptr;
  file->medium = settings->medium;
  return &file->library;
}

herr_t close_file(H5FD_t* file) {
  delete &of(file);
  return 0;
}

// As the library's own drivers for memory and for files have it: where things lie depends on it.
herr_t tell_features(const H5FD_t*, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

haddr_t end_of_allocation(const H5FD_t* file, H5FD_mem_t) { return of(file).end_of_allocation; }

herr_t set_end_of_allocation(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  of(file).end_of_allocation = end;
  return 0;
}

haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) { return of(file).end_of_file; }

herr_t read_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t place, std::size_t size, void* buffer) {
  return of(file).medium->read(place, {static_cast<std::byte*>(buffer), size}) ? 0 : -1;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t place, std::size_t size,
                   const void* buffer) {
  DriverFile& driver_file = of(file);
  driver_file.medium->write(place, {static_cast<const std::byte*>(buffer), size});
  driver_file.end_of_file = std::max(driver_file.end_of_file, place + size);
  return 0;
}

herr_t truncate_file(H5FD_t* file, hid_t, hbool_t) {
  DriverFile& driver_file = of(file);
  if (driver_file.end_of_file == driver_file.end_of_allocation) return 0;
  driver_file.medium->resize(driver_file.end_of_allocation);
  driver_file.end_of_file = driver_file.end_of_allocation;
  return 0;
}

hid_t register_driver() {
  H5FD_class_t driver{};
  driver.name = "cimstat";
  driver.maxaddr = (haddr_t{1} << 63) - 1;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(DriverSettings);
  driver.open = open_file;
  driver.close = close_file;
  driver.query = tell_features;
  driver.get_eoa = end_of_allocation;
  driver.set_eoa = set_end_of_allocation;
  driver.get_eof = end_of_file;
  driver.read = read_bytes;
  driver.write = write_bytes;
  driver.truncate = truncate_file;
  constexpr H5FD_mem_t map[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(map), std::end(map), std::begin(driver.fl_map));
  return H5FDregister(&driver);
}

}  // namespace

void Hdf5Medium::write(std::uint64_t place, std::span<const std::byte> bytes) noexcept {
  if (!failure_) {
    try {
      file_->write_at(place, bytes);
      return;
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  kept_.emplace_back(place, std::vector<std::byte>(bytes.begin(), bytes.end()));
}

bool Hdf5Medium::read(std::uint64_t place, std::span<std::byte> bytes) noexcept {
  try {
    file_->read_at(place, bytes);
  } catch (...) {
    if (!failure_) failure_ = std::current_exception();
    return false;
  }
  const std::uint64_t end = place + bytes.size();
  for (const auto& [kept_place, kept] : kept_) {
    const std::uint64_t first = std::max(place, kept_place);
    const std::uint64_t last = std::min(end, kept_place + kept.size());
    if (first >= last) continue;
    std::copy_n(kept.begin() + static_cast<std::ptrdiff_t>(first - kept_place), last - first,
                bytes.begin() + static_cast<std::ptrdiff_t>(first - place));
  }
  return true;
}

void Hdf5Medium::resize(std::uint64_t bytes) noexcept {
  if (failure_) return;
  try {
    file_->resize(bytes);
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void Hdf5Medium::require_written() const {
  if (failure_) std::rethrow_exception(failure_);
}

Properties access_through(Hdf5Medium& medium) {
  static const hid_t driver = register_driver();
  Properties access(H5Pcreate(H5P_FILE_ACCESS));
  const DriverSettings settings{&medium};
  H5Pset_driver(access.id(), driver, &settings);
  return access;
}

}  // namespace cimstat::core::detail
