// As much of the zip format as .npz files need: entries that are stored or deflated.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/data/stream.h"

namespace nnc::runtime {

struct ZipEntry {
  std::string name;
  uint64_t offset = 0;      // of its local header
  uint64_t compressed = 0;  // bytes
  uint64_t size = 0;        // bytes, decompressed
  uint32_t crc = 0;         // of these bytes
  bool deflated = false;
};

class ZipFile {
 public:
  // Reads the directory. Throws DataError: not a zip file, damaged, encrypted or of an unknown
  // method.
  explicit ZipFile(const std::string& path);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(const std::string& name) const;
  // Its bytes; whoever has read them all has had their checksum compared.
  std::unique_ptr<ByteStream> open(const ZipEntry& entry) const;

 private:
  std::shared_ptr<const FileHandle> file_;
  std::vector<ZipEntry> entries_;
};

// A zip archive of stored entries.
struct ZipContent {
  std::string name;
  std::string bytes;
};
std::string zip_text(const std::vector<ZipContent>& contents);

}  // namespace nnc::runtime
