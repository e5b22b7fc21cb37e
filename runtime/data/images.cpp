#include "runtime/data/images.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <filesystem>
#include <thread>

#include "runtime/data/error.h"
#include "runtime/data/picture.h"
#include "runtime/data/raw.h"
#include "runtime/threads.h"
#include "runtime/utf8.h"

namespace nnc::runtime {
namespace {

namespace fs = std::filesystem;

bool hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

bool is_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

// The entries of a folder that `wanted` accepts, sorted by the bytes of their names.
template <class Wanted>
std::vector<fs::path> entries_of(const std::string& folder, Wanted wanted) {
  std::vector<fs::path> result;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!hidden(entry->path()) && wanted(*entry)) result.push_back(entry->path());
  }
  if (error) throw DataError(folder, "", "the folder cannot be read", "", error.message());
  std::sort(result.begin(), result.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return result;
}

bool is_folder(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.is_directory(error);
}

std::vector<fs::path> class_folders(const ImagesSource& source) {
  return entries_of(source.folder, is_folder);
}

// The pictures of a folder in order; a file is a picture by itself.
std::vector<std::string> pictures_in(const std::string& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return {path};
  std::vector<std::string> result;
  for (const fs::path& picture : entries_of(
           path, [](const fs::directory_entry& entry) { return is_picture(entry.path()); })) {
    result.push_back(picture.string());
  }
  if (!result.empty()) return result;
  throw DataError(path, "", "there are no pictures in this folder",
                  "files called .png, .jpg or .jpeg");
}

// Decodes one picture after the other. A bad one is remembered with its row.
struct Decoding {
  const ImagesSource& source;
  const ImageFiles& files;
  uint8_t* rows;
  size_t row_bytes;
  std::atomic<size_t> next{0};
  std::atomic<size_t> first_bad;
  std::vector<std::exception_ptr> errors;

  void work() {
    for (size_t row = next++; row < files.paths.size(); row = next++) {
      if (row > first_bad) return;
      try {
        const std::vector<uint8_t> bytes = resize(read_picture(files.paths[row]), source.height,
                                                  source.width, source.channels, source.fit);
        std::memcpy(rows + row * row_bytes, bytes.data(), row_bytes);
      } catch (...) {
        errors[row] = std::current_exception();
        size_t known = first_bad;
        while (row < known && !first_bad.compare_exchange_weak(known, row)) {
        }
      }
    }
  }
};

void decode_all(const ImagesSource& source, const ImageFiles& files, Column& column) {
  const size_t count = files.paths.size();
  Decoding decoding{source, files, column.bytes.as<uint8_t>(), column.row_bytes(), {}, count, {}};
  decoding.errors.resize(count);
  std::vector<std::thread> helpers;
  const int threads =
      std::min<int>(available_cores(), static_cast<int>(std::min<size_t>(count, 64)));
  for (int i = 1; i < threads; ++i) {
    if (!try_start(helpers, [&] { decoding.work(); })) break;
  }
  decoding.work();
  for (std::thread& helper : helpers) helper.join();
  if (decoding.first_bad < count) std::rethrow_exception(decoding.errors[decoding.first_bad]);
}

}  // namespace

std::vector<std::string> image_classes(const ImagesSource& source) {
  std::vector<std::string> result;
  std::error_code error;
  if (!fs::is_directory(source.folder, error)) return result;
  for (const fs::path& folder : class_folders(source)) result.push_back(folder.filename().string());
  return result;
}

ImageFiles list_images(const ImagesSource& source) {
  std::error_code error;
  if (!source.labels) {
    ImageFiles result;
    result.paths = pictures_in(source.folder);
    return result;
  }
  if (!fs::is_directory(source.folder, error)) {
    throw DataError(source.folder, "", "there is no such folder",
                    "a folder with a sub-folder of pictures for each class");
  }
  ImageFiles result;
  for (const fs::path& folder : class_folders(source)) {
    if (!is_utf8(folder.filename().string())) {
      throw DataError(
          with_escapes(folder.string()), "", "the name of this folder is not UTF-8",
          "a name in UTF-8, since it names a class (`convmv -f latin1 -t utf-8` renames "
          "folders)");
    }
    for (std::string& picture : pictures_in(folder.string())) {
      result.paths.push_back(std::move(picture));
      result.labels.push_back(result.classes.size());
    }
    result.classes.push_back(folder.filename().string());
  }
  if (result.classes.empty()) {
    throw DataError(source.folder, "", "there are no classes in this folder",
                    "a sub-folder of pictures for each class");
  }
  return result;
}

Table read_images(const ImagesSource& source, uint64_t max_bytes) {
  ImageFiles files = list_images(source);
  const auto rows = static_cast<int64_t>(files.paths.size());
  Table table;
  table.file = source.folder;
  table.rows = rows;
  Column image;
  image.name = source.field;
  image.dtype = abi::DType::u8;
  image.row_shape = {source.height, source.width, source.channels};
  image.bytes = Buffer(static_cast<size_t>(checked_bytes(
      source.folder, {rows, source.height, source.width, source.channels}, 1, max_bytes)));
  decode_all(source, files, image);
  table.columns.push_back(std::move(image));
  if (source.labels) {
    Column label;
    label.name = "label";
    label.is_text = true;
    for (size_t of : files.labels) label.words.push_back(files.classes[of]);
    table.columns.push_back(std::move(label));
  }
  table.files = std::move(files.paths);
  return table;
}

}  // namespace nnc::runtime
