// A folder of pictures with a sub-folder for each class: fields `image` and `label`.
#pragma once

#include "runtime/data/spec.h"

namespace nnc::runtime {

// The pictures of the source in the order of its rows: by class, then by file name, both in the
// order of their bytes. Hidden files and files that are not called .png, .jpg or .jpeg are left
// out. Throws DataError: no such folder, no classes, a class without pictures.
struct ImageFiles {
  std::vector<std::string> classes;  // names of the sub-folders
  std::vector<std::string> paths;
  std::vector<size_t> labels;  // of each path: into classes; none without labels
};
ImageFiles list_images(const ImagesSource& source);

// The names of the classes, or none if there is no such folder.
std::vector<std::string> image_classes(const ImagesSource& source);

// All rows: `image` as u8 [rows, height, width, channels], `label` as words, Table::files as paths.
// Decoded on all cores; throws what the first bad file in the order of the rows throws.
Table read_images(const ImagesSource& source, uint64_t max_bytes);

}  // namespace nnc::runtime
