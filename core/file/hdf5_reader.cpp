#include "core/file/hdf5_reader.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/hdf5_gate.h"
#include "core/file/hdf5_storage.h"

namespace cimstat::core::detail {
namespace {

constexpr hsize_t most_names = 4096;
constexpr std::size_t most_sources = std::size_t{1} << 20;
constexpr std::size_t longest_name = 4096;
constexpr std::string_view restore = "restore the file or make it again";

/// The library's walks tell names through C, which no exception may pass.
struct Names {
  std::vector<std::string> list;
  std::exception_ptr problem;

  herr_t add(const char* name) noexcept {
    try {
      list.emplace_back(name);
      return 0;
    } catch (...) {
      problem = std::current_exception();
      return -1;
    }
  }
  std::vector<std::string> take() {
    if (problem) std::rethrow_exception(problem);
    return std::move(list);
  }
};

herr_t add_link(hid_t, const char* name, const H5L_info_t*, void* names) {
  return static_cast<Names*>(names)->add(name);
}
herr_t add_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  return static_cast<Names*>(names)->add(name);
}

}  // namespace

Hdf5Reader::Hdf5Reader(std::filesystem::path path)
    : name(std::move(path)), file_bytes(checked_container(name)) {
  silence_errors();
  H5PLset_loading_state(0);  // a filter that a file names must not load code
  const Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
  // Result files never change once they have their name, and some network file systems cannot lock.
  H5Pset_file_locking(access.id(), false, true);
  file = File(H5Fopen(name.c_str(), H5F_ACC_RDONLY, access.id()));
  if (!file) {
    fail({}, "can't be opened", cause(),
         "it may be damaged or incomplete: copy it again or make it again");
  }
  require_checksums("/");
}

void Hdf5Reader::fail(std::string_view path, std::string_view problem, std::string_view why,
                      std::string_view remedy) const {
  throw DataError(line(name, path, problem, why, remedy));
}

void Hdf5Reader::fail_with_cause(std::string_view path, std::string_view problem) const {
  fail(path, problem, cause(), restore);
}

void Hdf5Reader::require_checksums(std::string_view path) const {
  H5O_info_t info{};
  if (H5Oget_info_by_name2(file.id(), std::string(path).c_str(), &info,
                           H5O_INFO_HDR | H5O_INFO_BASIC, H5P_DEFAULT) < 0) {
    fail_with_cause(path, "object is damaged");
  }
  // Groups that share groups have exponentially many paths.
  if (info.rc > 1) {
    fail(path, "is linked more than once", fmt::format("{} links", info.rc), "keep one of them");
  }
  if (info.hdr.version < 2) {
    fail(path, "is stored in an old form without checksums",
         fmt::format("object header version {}", info.hdr.version),
         "rewrite the file with h5repack -L OLD NEW");
  }
}

bool Hdf5Reader::reachable(std::string_view path) const {
  std::string so_far;
  for (const std::string& part : components(path)) {
    if (!so_far.empty()) {
      H5O_info_t info{};
      if (H5Oget_info_by_name2(file.id(), so_far.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0) {
        fail_with_cause(so_far, "object is damaged");
      }
      if (info.type != H5O_TYPE_GROUP) return false;
    }
    so_far += '/';
    so_far += part;
    const htri_t exists = H5Lexists(file.id(), so_far.c_str(), H5P_DEFAULT);
    if (exists < 0) fail_with_cause(so_far, "group is damaged");
    if (exists == 0) return false;
    H5L_info_t link{};
    if (H5Lget_info(file.id(), so_far.c_str(), &link, H5P_DEFAULT) < 0) {
      fail_with_cause(so_far, "link is damaged");
    }
    if (link.type != H5L_TYPE_HARD) {
      fail(so_far, "is a soft or external link", {}, "put the object itself in its place");
    }
    require_checksums(so_far);
  }
  return true;
}

Object Hdf5Reader::open_any(std::string_view path) const {
  if (!reachable(path)) {
    fail(path, "is missing", {}, "check that this is the right file, or make it again");
  }
  Object object(H5Oopen(file.id(), std::string(path).c_str(), H5P_DEFAULT));
  if (!object) fail_with_cause(path, "object is damaged");
  return object;
}

Object Hdf5Reader::open_group(std::string_view path) const {
  Object object = open_any(path);
  if (H5Iget_type(object.id()) != H5I_GROUP) fail(path, "is not a group", {}, restore);
  return object;
}

Object Hdf5Reader::open_dataset(std::string_view path) const {
  Object object = open_any(path);
  if (H5Iget_type(object.id()) != H5I_DATASET) fail(path, "is not a dataset", {}, restore);
  if (allowed_virtual.contains(path)) return object;
  const Refusal refusal = foreign_storage(object.id());
  if (refusal) fail(path, refusal.problem, refusal.why, refusal.remedy);
  return object;
}

std::vector<VirtualSource> Hdf5Reader::sources(std::string_view path) const {
  const Object object = open_any(path);
  if (H5Iget_type(object.id()) != H5I_DATASET) return {};
  const Properties properties(H5Dget_create_plist(object.id()));
  const H5D_layout_t layout = properties ? H5Pget_layout(properties.id()) : H5D_LAYOUT_ERROR;
  if (layout == H5D_LAYOUT_ERROR) fail_with_cause(path, "layout can't be read");
  if (layout != H5D_VIRTUAL) return {};
  std::size_t count = 0;
  if (H5Pget_virtual_count(properties.id(), &count) < 0 || count > most_sources) {
    fail(path, "has too many sources", fmt::format("{} at most", most_sources), restore);
  }
  const auto text = [&](auto ask, std::size_t source) {
    const ssize_t size = ask(properties.id(), source, nullptr, 0);
    if (size <= 0 || size > static_cast<ssize_t>(longest_name)) {
      fail(path, "has a source without a usable name", cause(), restore);
    }
    std::string words(static_cast<std::size_t>(size) + 1, '\0');
    ask(properties.id(), source, words.data(), words.size());
    words.pop_back();
    return words;
  };
  std::vector<VirtualSource> sources;
  std::uint64_t values = 0;
  for (std::size_t source = 0; source < count; ++source) {
    const Space here(H5Pget_virtual_vspace(properties.id(), source));
    const Space there(H5Pget_virtual_srcspace(properties.id(), source));
    const int rank = there ? H5Sget_simple_extent_ndims(there.id()) : -1;
    std::vector<hsize_t> first(static_cast<std::size_t>(std::max(rank, 0)));
    std::vector<hsize_t> last(first.size());
    const hssize_t points = here ? H5Sget_select_npoints(here.id()) : -1;
    if (first.empty() || points <= 0 ||
        H5Sget_select_bounds(there.id(), first.data(), last.data()) < 0) {
      fail(path, "has a source that can't be used", cause(), restore);
    }
    VirtualSource found{text(&H5Pget_virtual_filename, source),
                        text(&H5Pget_virtual_dsetname, source),
                        {last.begin(), last.end()}};
    for (std::uint64_t& extent : found.reaches) ++extent;
    sources.push_back(std::move(found));
    values += static_cast<std::uint64_t>(points);
  }
  const Space space(H5Dget_space(object.id()));
  if (product(shape_of(path, space)) != values) {
    fail(path, "lacks a part of its values", "no source has them", restore);
  }
  return sources;
}

Attribute Hdf5Reader::open_attribute(std::string_view path, std::string_view attribute) const {
  const Object object = open_any(path);
  const std::string attribute_name(attribute);
  const htri_t exists = H5Aexists(object.id(), attribute_name.c_str());
  if (exists == 0) {
    fail(path, quoted_attribute(attribute) + " is missing", {},
         "check that this is the right file, or make it again");
  }
  Attribute result(exists < 0 ? -1 : H5Aopen(object.id(), attribute_name.c_str(), H5P_DEFAULT));
  if (!result) fail_with_cause(path, quoted_attribute(attribute) + " is damaged");
  return result;
}

bool Hdf5Reader::has_attribute(std::string_view path, std::string_view attribute) const {
  if (!reachable(path)) return false;
  const Object object = open_any(path);
  const htri_t exists = H5Aexists(object.id(), std::string(attribute).c_str());
  if (exists < 0) fail_with_cause(path, quoted_attribute(attribute) + " is damaged");
  return exists > 0;
}

std::vector<std::string> Hdf5Reader::children(std::string_view group) const {
  const Object object = open_group(group);
  H5G_info_t info{};
  const Properties properties(H5Gget_create_plist(object.id()));
  unsigned order = 0;
  if (H5Gget_info(object.id(), &info) < 0 || !properties ||
      H5Pget_link_creation_order(properties.id(), &order) < 0) {
    fail_with_cause(group, "group is damaged");
  }
  if (info.nlinks > most_names) {
    fail(group, "has too many members", fmt::format("{} at most", most_names), restore);
  }
  // The index of creation order lists them in it. In any other order but the native one the library
  // makes a table first, and frees uninitialised memory when the group turns out to be damaged.
  const bool is_ordered = (order & H5P_CRT_ORDER_INDEXED) != 0;
  Names names;
  const herr_t state = H5Literate(object.id(), is_ordered ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME,
                                  H5_ITER_NATIVE, nullptr, &add_link, &names);
  std::vector<std::string> list = names.take();
  if (state < 0 || list.size() != info.nlinks) fail_with_cause(group, "group is damaged");
  if (!is_ordered) std::sort(list.begin(), list.end());
  return list;
}

std::vector<std::string> Hdf5Reader::attributes(std::string_view path) const {
  const Object object = open_any(path);
  H5O_info_t info{};
  if (H5Oget_info2(object.id(), &info, H5O_INFO_NUM_ATTRS) < 0) {
    fail_with_cause(path, "object is damaged");
  }
  if (info.num_attrs > most_names) {
    fail(path, "has too many attributes", fmt::format("{} at most", most_names), restore);
  }
  Names names;
  const herr_t state =
      H5Aiterate2(object.id(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, &add_attribute, &names);
  std::vector<std::string> list = names.take();
  if (state < 0 || list.size() != info.num_attrs) fail_with_cause(path, "object is damaged");
  std::sort(list.begin(), list.end());
  return list;
}

Shape64 Hdf5Reader::shape_of(std::string_view path, const Space& space) const {
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank < 0) fail_with_cause(path, "shape can't be read");
  if (H5Sget_simple_extent_type(space.id()) == H5S_NULL) return {0};
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  if (H5Sget_simple_extent_dims(space.id(), extent.data(), nullptr) < 0) {
    fail_with_cause(path, "shape can't be read");
  }
  return {extent.begin(), extent.end()};
}

}  // namespace cimstat::core::detail
