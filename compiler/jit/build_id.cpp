#include "compiler/jit/build_id.h"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include <cstring>

namespace nnc::jit {

namespace {

std::string hexadecimal(const unsigned char* bytes, size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i) {
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

std::string from_notes(const char* begin, size_t size) {
  auto padded = [](size_t n) { return (n + 3) & ~size_t{3}; };
  size_t at = 0;
  while (at + sizeof(ElfW(Nhdr)) <= size) {
    ElfW(Nhdr) note;
    std::memcpy(&note, begin + at, sizeof note);
    const size_t name = at + sizeof note;
    const size_t content = name + padded(note.n_namesz);
    if (content + note.n_descsz > size) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(begin + name, "GNU", 4) == 0) {
      return hexadecimal(reinterpret_cast<const unsigned char*>(begin + content), note.n_descsz);
    }
    at = content + padded(note.n_descsz);
  }
  return {};
}

// The first object that is visited is the program itself.
int visit(dl_phdr_info* info, size_t, void* result) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const char* notes = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
    std::string id = from_notes(notes, header.p_memsz);
    if (!id.empty()) *static_cast<std::string*>(result) = id;
  }
  return 1;
}

std::string find() {
  std::string id;
  dl_iterate_phdr(visit, &id);
  struct stat status;
  if (id.empty() && stat("/proc/self/exe", &status) == 0) {
    id = std::to_string(status.st_size) + "@" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
  }
  return id;
}

}  // namespace

const std::string& build_id() {
  static const std::string id = find();
  return id;
}

}  // namespace nnc::jit
