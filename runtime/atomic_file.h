// Files that are either the old ones or the new ones, whatever happens.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace nnc::runtime {

// Where a file is to be written.
class Destination {
 public:
  // As a user named it: a link stays one, and the file that it leads to is replaced.
  Destination(std::string path) : name_(std::move(path)) {}  // NOLINT: a path is a destination
  Destination(const char* path) : name_(path) {}             // NOLINT

  // A file of a folder that is ours, such as "checkpoint/last.safetensors" of a run: somebody may
  // have put links there, and none of them is followed.
  Destination(std::string folder, std::string name)
      : folder_(std::move(folder)), name_(std::move(name)) {}

  bool is_ours() const { return !folder_.empty(); }
  const std::string& folder() const { return folder_; }
  const std::string& name() const { return name_; }
  std::string path() const { return folder_.empty() ? name_ : folder_ + "/" + name_; }

 private:
  std::string folder_;
  std::string name_;
};

// Writes the parts to a temporary file beside the old one, syncs it, renames it, and syncs the
// folder. On any failure (a full disk, no permission) the temporary file is removed, the old file
// is left as it was, and DataError says what happened. Creates missing folders. A file keeps its
// mode. Devices and pipes are written to as they are.
void write_atomically(const Destination& to, std::span<const std::string_view> parts);
void write_atomically(const Destination& to, std::string_view text);

enum class Durable : bool { no, yes };  // whether it must have reached the disk

// Appends to a file, which is made if there is none. Throws DataError.
void append_text(const Destination& to, std::string_view text, Durable durable = Durable::no);

// Whether `name` is one that a temporary file has. What a killed process left behind can go.
bool is_temporary_name(std::string_view name);

// The whole file. Throws DataError.
std::string read_text(const std::string& path);

}  // namespace nnc::runtime
