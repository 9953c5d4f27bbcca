#include "tests/fuzz/hdf5_recipe.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/file/hdf5_library.h"

namespace cimstat::fuzz {

namespace {

using namespace core::detail;

constexpr std::uint8_t number_forms = 24;
constexpr std::uint64_t most_written = 4096;  ///< elements; larger datasets are only declared

Type copied(hid_t type) { return Type(H5Tcopy(type)); }

Type sized(Type type, std::size_t size) {
  H5Tset_size(type.id(), size);
  return type;
}

Type odd_integer() {
  Type type = copied(H5T_STD_I32LE);
  H5Tset_precision(type.id(), 13);
  H5Tset_offset(type.id(), 5);
  return type;
}

Type half_float() {
  Type type = copied(H5T_IEEE_F32LE);
  H5Tset_fields(type.id(), 15, 10, 5, 0, 10);
  H5Tset_size(type.id(), 2);
  H5Tset_ebias(type.id(), 15);
  return type;
}

Type compound() {
  Type type(H5Tcreate(H5T_COMPOUND, 12));
  H5Tinsert(type.id(), "first", 0, H5T_STD_I32LE);
  H5Tinsert(type.id(), "second", 4, H5T_IEEE_F64LE);
  return type;
}

Type enumeration() {
  Type type(H5Tenum_create(H5T_STD_I8LE));
  std::int8_t value = 0;
  H5Tenum_insert(type.id(), "FALSE", &value);
  value = 1;
  H5Tenum_insert(type.id(), "TRUE", &value);
  return type;
}

Type array_of_three() {
  const hsize_t extent = 3;
  return Type(H5Tarray_create2(H5T_STD_I64LE, 1, &extent));
}

Type text_type(std::size_t size, H5T_str_t padding, H5T_cset_t characters) {
  Type type = sized(copied(H5T_C_S1), std::max<std::size_t>(size, 1));
  H5Tset_strpad(type.id(), padding);
  H5Tset_cset(type.id(), characters);
  return type;
}

Type stored_type(const Content& content, std::uint8_t form) {
  if (const auto* text = std::get_if<std::string>(&content)) {
    switch (form % 8) {
      case 1:
        return text_type(text->size(), H5T_STR_NULLPAD, H5T_CSET_UTF8);
      case 2:
        return text_type(text->size() + 3, H5T_STR_SPACEPAD, H5T_CSET_ASCII);
      case 3:
        return sized(copied(H5T_C_S1), H5T_VARIABLE);
      case 4:
        return text_type(text->size() + 1000, H5T_STR_NULLTERM, H5T_CSET_UTF8);
      case 5:
        return text_type(1, H5T_STR_NULLTERM, H5T_CSET_UTF8);
      case 6:
        return sized(Type(H5Tcreate(H5T_OPAQUE, 1)), std::max<std::size_t>(text->size(), 1));
      default:
        return text_type(text->size() + 1, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    }
  }
  const bool integers = std::holds_alternative<std::vector<std::int64_t>>(content);
  switch (form % number_forms) {
    case 1:
      return copied(H5T_STD_U64LE);
    case 2:
      return copied(H5T_STD_I32LE);
    case 3:
      return copied(H5T_STD_U8LE);
    case 4:
      return copied(H5T_STD_I8LE);
    case 5:
      return copied(H5T_STD_I64BE);
    case 6:
      return copied(H5T_IEEE_F32LE);
    case 7:
      return copied(H5T_IEEE_F64LE);
    case 8:
      return copied(H5T_IEEE_F64BE);
    case 9:
      return copied(H5T_STD_U16BE);
    case 10:
      return text_type(8, H5T_STR_NULLPAD, H5T_CSET_ASCII);
    case 11:
      return sized(copied(H5T_C_S1), H5T_VARIABLE);
    case 12:
      return Type(H5Tcreate(H5T_OPAQUE, 7));
    case 13:
      return compound();
    case 14:
      return enumeration();
    case 15:
      return copied(H5T_STD_B32LE);
    case 16:
      return array_of_three();
    case 17:
      return Type(H5Tvlen_create(H5T_STD_I32LE));
    case 18:
      return copied(H5T_STD_REF_OBJ);
    case 19:
      return copied(H5T_NATIVE_LDOUBLE);
    case 20:
      return half_float();
    case 21:
      return odd_integer();
    case 22:
      return copied(H5T_UNIX_D32LE);
    case 23:
      return copied(H5T_STD_U32LE);
    default:
      return copied(integers ? H5T_STD_I64LE : H5T_IEEE_F64LE);
  }
}

std::size_t count_of(const Content& content) {
  struct Count {
    std::size_t operator()(const std::string&) const { return 1; }
    std::size_t operator()(const std::vector<std::int64_t>& values) const { return values.size(); }
    std::size_t operator()(const std::vector<double>& values) const { return values.size(); }
  };
  return std::visit(Count{}, content);
}

/// Calls write(memory type, values) with what the stored type can take; not at all for a type of
/// variable length that has no text.
template <class Write>
void write_content(const Content& content, hid_t type, std::uint64_t count, Write&& write) {
  const H5T_class_t kind = H5Tget_class(type);
  const bool number = kind == H5T_INTEGER || kind == H5T_FLOAT;
  if (number && !std::holds_alternative<std::string>(content)) {
    if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&content)) {
      write(H5T_NATIVE_INT64, integers->data());
    } else {
      write(H5T_NATIVE_DOUBLE, std::get<std::vector<double>>(content).data());
    }
    return;
  }
  const auto* text = std::get_if<std::string>(&content);
  const std::string shown = text == nullptr ? "17" : *text;
  if (H5Tis_variable_str(type) > 0) {
    const std::vector<const char*> pointers(count, shown.c_str());
    write(type, pointers.data());
    return;
  }
  if (kind == H5T_VLEN) return;
  std::vector<char> bytes(count * H5Tget_size(type), '\0');
  for (std::size_t i = 0; i < bytes.size() && !shown.empty(); ++i) {
    if (text == nullptr || i < shown.size()) bytes[i] = shown[i % shown.size()];
  }
  write(type, bytes.data());
}

void store(hid_t file, const StoredAttribute& attribute) {
  const Object object(H5Oopen(file, attribute.object.c_str(), H5P_DEFAULT));
  if (!object || attribute.name.empty()) return;
  const Type type = stored_type(attribute.content, attribute.form);
  const hsize_t count = count_of(attribute.content);
  Space space(attribute.scalar && count == 1 ? H5Screate(H5S_SCALAR)
                                             : H5Screate_simple(1, &count, nullptr));
  if (attribute.form >= 240) space = Space(H5Screate(H5S_NULL));
  const Attribute made(H5Acreate2(object.id(), attribute.name.c_str(), type.id(), space.id(),
                                  H5P_DEFAULT, H5P_DEFAULT));
  if (!made || attribute.form >= 240) return;
  write_content(attribute.content, type.id(), count,
                [&](hid_t memory, const void* values) { H5Awrite(made.id(), memory, values); });
}

/// As in the files that we write: attributes in the header of their object, in order, no times.
void set_like_ours(const Properties& properties) {
  H5Pset_obj_track_times(properties.id(), false);
  H5Pset_attr_creation_order(properties.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_phase_change(properties.id(), 65535, 0);
}

void set_layout(const Properties& properties, const StoredDataset& dataset,
                const std::vector<hsize_t>& extent, hid_t type) {
  const std::uint8_t layout = dataset.layout;
  if (layout == 0) H5Pset_layout(properties.id(), H5D_COMPACT);
  if (layout < 8 || extent.empty()) return;
  if (layout < 16) {
    H5Pset_external(properties.id(), "/dev/zero", 0, H5F_UNLIMITED);
    return;
  }
  std::vector<hsize_t> chunk(extent.size());
  for (std::size_t axis = 0; axis < extent.size(); ++axis) {
    chunk[axis] = std::max<hsize_t>(1, (layout & 1) != 0 ? std::min<hsize_t>(extent[axis], 1024)
                                                         : hsize_t{1} << ((layout >> 1) % 4));
  }
  H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data());
  if ((layout & 16) != 0) H5Pset_shuffle(properties.id());
  if ((layout & 32) != 0) H5Pset_deflate(properties.id(), 1);
  if ((layout & 64) != 0) H5Pset_fletcher32(properties.id());
  // With text, or behind other filters, the library itself crashes where it writes through this
  // one.
  const bool alone = (layout & (16 | 32 | 64)) == 0;
  if ((layout & 128) != 0 && alone && H5Tget_class(type) == H5T_INTEGER) {
    H5Pset_nbit(properties.id());
  }
}

void store(hid_t file, const StoredDataset& dataset) {
  const Type type = stored_type(dataset.content, dataset.form);
  const std::vector<hsize_t> extent(dataset.shape.begin(), dataset.shape.end());
  const Space space(
      extent.empty() ? H5Screate(H5S_SCALAR)
                     : H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr));
  const Properties creation(H5Pcreate(H5P_DATASET_CREATE));
  const Properties link(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(link.id(), 1);
  set_like_ours(creation);
  set_layout(creation, dataset, extent, type.id());
  const std::optional<std::uint64_t> count = core::detail::product(dataset.shape);
  const bool whole = count && *count <= most_written && *count == count_of(dataset.content);
  // What is only declared must not take room: this process is limited as its readers are.
  if (!whole) H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_INCR);
  const Dataset made(H5Dcreate2(file, dataset.path.c_str(), type.id(), space.id(), link.id(),
                                creation.id(), H5P_DEFAULT));
  if (!made || !whole || *count == 0) return;
  write_content(dataset.content, type.id(), *count, [&](hid_t memory, const void* values) {
    H5Dwrite(made.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  });
}

void store(hid_t file, const StoredOddity& oddity) {
  const char* path = oddity.path.c_str();
  switch (oddity.kind % 7) {
    case 0:
      H5Lcreate_soft("/probability", file, path, H5P_DEFAULT, H5P_DEFAULT);
      return;
    case 1:
      H5Lcreate_soft(path, file, path, H5P_DEFAULT, H5P_DEFAULT);
      return;
    case 2:
      H5Lcreate_external("input.h5", "/", file, path, H5P_DEFAULT, H5P_DEFAULT);
      return;
    case 3:
      H5Lcreate_hard(file, "/", file, path, H5P_DEFAULT, H5P_DEFAULT);
      return;
    case 4: {
      const Type type = copied(H5T_STD_I32LE);
      H5Tcommit2(file, path, type.id(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      return;
    }
    case 5: {
      const Group group(H5Gcreate2(file, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      return;
    }
    default: {
      const Space space(H5Screate(H5S_NULL));
      const Dataset dataset(H5Dcreate2(file, path, H5T_IEEE_F64LE, space.id(), H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT));
      return;
    }
  }
}

/// Text, integers or floating-point numbers; nothing where it is something else.
template <class Read>
std::optional<Content> content_of(hid_t type, std::size_t count, Read&& read) {
  switch (H5Tget_class(type)) {
    case H5T_STRING: {
      std::string text(H5Tget_size(type), '\0');
      if (count != 1 || H5Tis_variable_str(type) > 0) return std::nullopt;
      read(type, text.data());
      return text.substr(0, text.find('\0'));
    }
    case H5T_INTEGER: {
      std::vector<std::int64_t> values(count);
      read(H5T_NATIVE_INT64, values.data());
      return values;
    }
    case H5T_FLOAT: {
      std::vector<double> values(count);
      read(H5T_NATIVE_DOUBLE, values.data());
      return values;
    }
    default:
      return std::nullopt;
  }
}

std::uint8_t form_of(const Content& content, hid_t type) {
  if (std::holds_alternative<std::string>(content)) return 0;
  for (std::uint8_t form = 0; form < number_forms; ++form) {
    if (H5Tequal(stored_type(content, form).id(), type) > 0) return form;
  }
  return 0;
}

void load_attributes(const Object& object, const std::string& path, StoredFile& stored) {
  H5O_info_t info{};
  H5Oget_info2(object.id(), &info, H5O_INFO_NUM_ATTRS);
  for (hsize_t i = 0; i < info.num_attrs; ++i) {
    const Attribute attribute(H5Aopen_by_idx(object.id(), ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i,
                                             H5P_DEFAULT, H5P_DEFAULT));
    const Type type(H5Aget_type(attribute.id()));
    const Space space(H5Aget_space(attribute.id()));
    const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.id()));
    std::string name(256, '\0');
    H5Aget_name(attribute.id(), name.size(), name.data());
    const auto content = content_of(type.id(), count, [&](hid_t memory, void* place) {
      H5Aread(attribute.id(), memory, place);
    });
    if (!content) continue;
    stored.attributes.push_back({.object = path,
                                 .name = name.c_str(),
                                 .content = *content,
                                 .scalar = H5Sget_simple_extent_ndims(space.id()) == 0,
                                 .form = form_of(*content, type.id())});
  }
}

void load_dataset(const Object& object, const std::string& path, StoredFile& stored) {
  const Type type(H5Dget_type(object.id()));
  const Space space(H5Dget_space(object.id()));
  std::vector<hsize_t> extent(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space.id())));
  H5Sget_simple_extent_dims(space.id(), extent.data(), nullptr);
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.id()));
  const auto content = content_of(type.id(), count, [&](hid_t memory, void* place) {
    H5Dread(object.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, place);
  });
  if (!content) return;
  stored.datasets.push_back({.path = path,
                             .content = *content,
                             .shape = {extent.begin(), extent.end()},
                             .form = form_of(*content, type.id())});
}

void load_members(hid_t file, const std::string& path, StoredFile& stored) {
  const Object object(H5Oopen(file, path.c_str(), H5P_DEFAULT));
  load_attributes(object, path, stored);
  if (H5Iget_type(object.id()) == H5I_DATASET) {
    load_dataset(object, path, stored);
    return;
  }
  if (path != "/") stored.groups.push_back(path);
  H5G_info_t info{};
  H5Gget_info(object.id(), &info);
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    std::string name(256, '\0');
    H5Lget_name_by_idx(object.id(), ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i, name.data(),
                       name.size(), H5P_DEFAULT);
    load_members(file, (path == "/" ? "" : path) + "/" + name.c_str(), stored);
  }
}

template <class Item>
Item* any_of(std::vector<Item>& items, Recipe& recipe) {
  return items.empty() ? nullptr : &items[recipe.below(items.size())];
}

void change_content(Content& content, Recipe& recipe) {
  if (auto* text = std::get_if<std::string>(&content)) {
    *text = recipe.text();
  } else if (auto* integers = std::get_if<std::vector<std::int64_t>>(&content)) {
    if (!integers->empty()) (*integers)[recipe.below(integers->size())] = recipe.integer();
  } else {
    auto& numbers = std::get<std::vector<double>>(content);
    if (!numbers.empty()) numbers[recipe.below(numbers.size())] = recipe.number();
  }
}

Content other_content(Recipe& recipe) {
  switch (recipe.below(3)) {
    case 0:
      return recipe.text();
    case 1:
      return std::vector<std::int64_t>{recipe.integer()};
    default:
      return std::vector<double>{recipe.number()};
  }
}

void resize(Content& content, std::size_t count) {
  if (auto* integers = std::get_if<std::vector<std::int64_t>>(&content)) integers->resize(count);
  if (auto* numbers = std::get_if<std::vector<double>>(&content)) numbers->resize(count);
}

void reshape(StoredDataset& dataset, Recipe& recipe) {
  constexpr std::array<std::uint64_t, 8> extents = {
      0, 1, 2, 5, 16, 65537, std::uint64_t{1} << 32, std::uint64_t{1} << 62};
  const std::size_t axis = recipe.below(dataset.shape.size() + 2);
  if (axis < dataset.shape.size()) {
    dataset.shape[axis] = extents[recipe.below(extents.size())];
  } else if (axis == dataset.shape.size() && !dataset.shape.empty()) {
    dataset.shape.pop_back();
  } else {
    dataset.shape.push_back(1);
  }
  const std::optional<std::uint64_t> count = core::detail::product(dataset.shape);
  if (count && *count <= most_written) resize(dataset.content, *count);
}

template <class Item>
void remove_any(std::vector<Item>& items, Recipe& recipe) {
  if (items.empty()) return;
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(recipe.below(items.size())));
}

void change_attribute(StoredFile& file, Recipe& recipe) {
  StoredAttribute* attribute = any_of(file.attributes, recipe);
  if (attribute == nullptr) return;
  switch (recipe.below(7)) {
    case 0:
      attribute->form = recipe.byte();
      return;
    case 1:
      attribute->content = other_content(recipe);
      return;
    case 2:
      attribute->scalar = !attribute->scalar;
      return;
    case 3:
      resize(attribute->content, recipe.byte());
      return;
    case 4:
      attribute->name = recipe.text();
      return;
    case 5:
      file.attributes.push_back(
          {.object = attribute->object, .name = recipe.text(), .content = other_content(recipe)});
      return;
    default:
      change_content(attribute->content, recipe);
  }
}

void change_dataset(StoredFile& file, Recipe& recipe) {
  StoredDataset* dataset = any_of(file.datasets, recipe);
  if (dataset == nullptr) return;
  switch (recipe.below(7)) {
    case 0:
      dataset->form = recipe.byte();
      return;
    case 1:
      dataset->layout = recipe.byte();
      return;
    case 2:
      reshape(*dataset, recipe);
      return;
    case 3:
      file.oddities.push_back({.path = dataset->path, .kind = recipe.byte()});
      file.datasets.erase(file.datasets.begin() + (dataset - file.datasets.data()));
      return;
    case 4:
      dataset->path = "/" + recipe.text();
      return;
    default:
      change_content(dataset->content, recipe);
  }
}

}  // namespace

StoredAttribute* StoredFile::attribute(std::string_view object, std::string_view name) {
  const auto found = std::find_if(attributes.begin(), attributes.end(), [&](const auto& item) {
    return item.object == object && item.name == name;
  });
  return found == attributes.end() ? nullptr : &*found;
}

StoredDataset* StoredFile::dataset(std::string_view path) {
  const auto found = std::find_if(datasets.begin(), datasets.end(),
                                  [&](const auto& item) { return item.path == path; });
  return found == datasets.end() ? nullptr : &*found;
}

StoredFile load(const std::filesystem::path& file) {
  silence_errors();
  const File opened(H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  if (!opened) finding("a file of ours cannot be opened");
  StoredFile stored;
  load_members(opened.id(), "/", stored);
  return stored;
}

void change(StoredFile& file, Recipe& recipe) {
  switch (recipe.below(12)) {
    case 0:
      remove_any(file.attributes, recipe);
      return;
    case 1:
      remove_any(file.datasets, recipe);
      return;
    case 2:
      if (std::string* group = any_of(file.groups, recipe)) *group = "/" + recipe.text();
      return;
    case 3:
      remove_any(file.groups, recipe);
      return;
    case 4:
      file.oddities.push_back({.path = "/" + recipe.text(), .kind = recipe.byte()});
      return;
    case 5:
      file.version = recipe.byte();
      return;
    case 6:
    case 7:
    case 8:
      change_attribute(file, recipe);
      return;
    default:
      change_dataset(file, recipe);
  }
}

void store(const StoredFile& stored, const std::filesystem::path& path) {
  silence_errors();
  const Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access.id(), std::size_t{1} << 16, true);  // written when it is closed
  H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
  const bool old = stored.version % 8 == 7;
  H5Pset_libver_bounds(access.id(), old ? H5F_LIBVER_EARLIEST : H5F_LIBVER_V110, H5F_LIBVER_V110);
  const Properties creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_link_creation_order(creation.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  set_like_ours(creation);
  if (stored.version % 8 == 6) H5Pset_userblock(creation.id(), 512);
  const File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()));
  if (!file) finding("the library cannot make a file");
  const Properties link(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(link.id(), 1);
  const Properties group_creation(H5Pcreate(H5P_GROUP_CREATE));
  set_like_ours(group_creation);
  H5Pset_link_creation_order(group_creation.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  for (const std::string& name : stored.groups) {
    const Group group(
        H5Gcreate2(file.id(), name.c_str(), link.id(), group_creation.id(), H5P_DEFAULT));
  }
  for (const StoredDataset& dataset : stored.datasets) store(file.id(), dataset);
  for (const StoredOddity& oddity : stored.oddities) store(file.id(), oddity);
  for (const StoredAttribute& attribute : stored.attributes) store(file.id(), attribute);
}

}  // namespace cimstat::fuzz
