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

// The object of the process that an address lies in: the program, or a library that it loaded.
struct Search {
  const uintptr_t address;
  bool found = false;
  std::string id = {};
  std::string path = {};  // empty for the program
};

bool holds(const dl_phdr_info& info, uintptr_t address) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& header = info.dlpi_phdr[i];
    const uintptr_t begin = info.dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && address - begin < header.p_memsz) return true;
  }
  return false;
}

int visit(dl_phdr_info* info, size_t, void* data) {
  Search& search = *static_cast<Search*>(data);
  if (!holds(*info, search.address)) return 0;
  search.found = true;
  search.path = info->dlpi_name;
  for (int i = 0; i < info->dlpi_phnum && search.id.empty(); ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const char* notes = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
    search.id = from_notes(notes, header.p_memsz);
  }
  return 1;
}

}  // namespace

std::string build_id_of(const void* address) {
  Search search{reinterpret_cast<uintptr_t>(address)};
  dl_iterate_phdr(visit, &search);
  if (!search.id.empty() || !search.found) return search.id;
  struct stat status;
  const char* file = search.path.empty() ? "/proc/self/exe" : search.path.c_str();
  if (stat(file, &status) != 0) return {};
  return std::to_string(status.st_size) + "@" + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

const std::string& build_id() {
  static const char here = 0;
  static const std::string id = build_id_of(&here);
  return id;
}

}  // namespace nnc::jit
