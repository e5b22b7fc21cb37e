// Source of the format: System V ABI, chapter 4 "Object Files", and its 64-bit additions.
#include "compiler/codegen/emit_object.h"

namespace nnc::codegen {

namespace {

class Writer {
 public:
  size_t size() const { return bytes_.size(); }
  void raw(const void* data, size_t count) { bytes_.append(static_cast<const char*>(data), count); }
  void number(uint64_t value, int bytes) {  // little-endian
    for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xff);
  }
  void zeros(size_t count) { bytes_.append(count, '\0'); }
  void align(size_t to) { zeros((to - size() % to) % to); }
  // A later part decides a number of an earlier one.
  void patch(size_t at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
      bytes_[at + static_cast<size_t>(i)] = static_cast<char>(value >> (8 * i) & 0xff);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

struct Section {
  uint32_t name = 0;  // offset in the table of section names
  uint32_t type = 0;
  uint64_t flags = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t link = 0;
  uint32_t info = 0;
  uint64_t align = 1;
  uint64_t entry_size = 0;
};

constexpr uint32_t program_bits = 1, symbol_table = 2, string_table = 3;
constexpr uint64_t allocated = 2, global = 1, weak = 2;
constexpr size_t header_bytes = 64, section_offset_field = 40;

void write_header(Writer& out, ObjectMachine machine, size_t sections) {
  const unsigned char identity[16] = {0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little-endian */,
                                      1};
  out.raw(identity, sizeof identity);
  out.number(1, 2);  // relocatable
  out.number(static_cast<uint64_t>(machine), 2);
  out.number(1, 4);  // version
  out.number(0, 8);  // no entry point
  out.number(0, 8);  // no program headers
  out.number(0, 8);  // section headers: patched
  out.number(0, 4);  // flags
  out.number(header_bytes, 2);
  out.number(0, 4);  // program headers: size and count
  out.number(64, 2);
  out.number(sections, 2);
  out.number(sections - 1, 2);  // section names are the last section
}

void write_section(Writer& out, const Section& section) {
  out.number(section.name, 4);
  out.number(section.type, 4);
  out.number(section.flags, 8);
  out.number(0, 8);  // address
  out.number(section.offset, 8);
  out.number(section.size, 8);
  out.number(section.link, 4);
  out.number(section.info, 4);
  out.number(section.align, 8);
  out.number(section.entry_size, 8);
}

// What names all of section 1.
void write_symbol(Writer& out, size_t name, uint64_t binding, size_t bytes) {
  out.number(name, 4);
  out.number(binding << 4 | 1, 1);  // an object
  out.number(0, 1);                 // visible to all
  out.number(1, 2);                 // in section 1
  out.number(0, 8);                 // at its begin
  out.number(bytes, 8);
}

}  // namespace

std::string elf_object(const ObjectSymbols& symbols, const std::vector<uint8_t>& bytes,
                       size_t slack, ObjectMachine machine) {
  // Names by their offset: .rodata 1, .note.GNU-stack 9, .symtab 25, .strtab 33, .shstrtab 41.
  static const char names[] = "\0.rodata\0.note.GNU-stack\0.symtab\0.strtab\0.shstrtab";
  const std::string strings = '\0' + symbols.own + '\0' + symbols.shared + '\0';
  Writer out;
  write_header(out, machine, 6);
  const Section data{1, program_bits, allocated, out.size(), bytes.size() + slack, 0, 0, 64, 0};
  out.raw(bytes.data(), bytes.size());
  out.zeros(slack);
  out.align(8);
  const Section stack{9, program_bits, 0, out.size(), 0, 0, 0, 1, 0};  // code needs no such thing
  const Section table{25, symbol_table, 0, out.size(), 72, 4, 1, 8, 24};
  out.zeros(24);  // the first symbol is none
  write_symbol(out, 1, global, bytes.size() + slack);
  write_symbol(out, 2 + symbols.own.size(), weak, bytes.size() + slack);
  const Section texts{33, string_table, 0, out.size(), strings.size(), 0, 0, 1, 0};
  out.raw(strings.data(), strings.size());
  const Section section_names{41, string_table, 0, out.size(), sizeof names, 0, 0, 1, 0};
  out.raw(names, sizeof names);
  out.align(8);
  out.patch(section_offset_field, out.size(), 8);
  write_section(out, {});
  for (const Section& section : {data, stack, table, texts, section_names}) {
    write_section(out, section);
  }
  return out.take();
}

}  // namespace nnc::codegen
