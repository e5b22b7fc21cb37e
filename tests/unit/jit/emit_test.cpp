#include <doctest/doctest.h>
#include <elf.h>

#include <cstring>
#include <set>

#include "tests/support/random_kernel.h"
#include "tests/unit/jit/samples.h"

using namespace nnc;
using kernel::Isa;

namespace {

struct Symbols {
  int machine = 0;
  std::set<std::string> global, undefined;
};

// The symbol table of a 64-bit ELF object.
Symbols symbols_of(const std::vector<uint8_t>& object) {
  auto at = [&]<typename T>(size_t offset, T& value) {
    REQUIRE(offset + sizeof value <= object.size());
    std::memcpy(&value, object.data() + offset, sizeof value);
  };
  Symbols symbols;
  Elf64_Ehdr header;
  at(0, header);
  REQUIRE(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);
  symbols.machine = header.e_machine;
  for (int i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section, names;
    at(header.e_shoff + i * sizeof section, section);
    if (section.sh_type != SHT_SYMTAB) continue;
    at(header.e_shoff + section.sh_link * sizeof names, names);
    for (size_t s = sizeof(Elf64_Sym); s < section.sh_size; s += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      at(section.sh_offset + s, symbol);
      const char* name =
          reinterpret_cast<const char*>(object.data()) + names.sh_offset + symbol.st_name;
      if (symbol.st_shndx == SHN_UNDEF) {
        symbols.undefined.insert(name);
      } else if (ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL) {
        symbols.global.insert(name);
      }
    }
  }
  return symbols;
}

}  // namespace

TEST_CASE("objects of every target define the exported functions and need nothing") {
  for (Isa isa : {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon}) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      CAPTURE(seed);
      CAPTURE(std::string(kernel::name_of(isa)));
      const kernel::Module module = testing::random_kernel(seed, 1 << seed);
      const kernel::Target target = kernel::target_for(isa);
      const auto object = jit::emit_object(module, target);
      const Symbols symbols = symbols_of(object);
      CHECK(symbols.machine == (isa == Isa::neon ? EM_AARCH64 : EM_X86_64));
      CHECK(symbols.global == std::set<std::string>{"entry"});
      CHECK(symbols.undefined == std::set<std::string>{});
      CHECK(object == jit::emit_object(module, target));
    }
  }
}

TEST_CASE("assembly uses the instructions of its level and no other") {
  auto assembly = [](Isa isa) {
    kernel::Module module;
    testing::add_matmul(module, "matmul", kernel::target_for(isa), 4, 2);
    return jit::emit_assembly(module, kernel::target_for(isa));
  };
  auto has = [](const std::string& text, const char* word) {
    return text.find(word) != std::string::npos;
  };
  const std::string avx512 = assembly(Isa::avx512), avx2 = assembly(Isa::avx2);
  const std::string sse2 = assembly(Isa::sse2), neon = assembly(Isa::neon);
  CHECK(has(avx512, "vfmadd231ps"));
  CHECK(has(avx512, "zmm"));
  CHECK(has(avx2, "vfmadd231ps"));
  CHECK(has(avx2, "ymm"));
  CHECK_FALSE(has(avx2, "zmm"));
  CHECK(has(sse2, "mulps"));
  CHECK(has(sse2, "addps"));
  CHECK_FALSE(has(sse2, "vmulps"));
  CHECK(has(neon, "fmla"));
}

TEST_CASE("LLVM IR can be read beside the kernel") {
  const kernel::Target target = kernel::target_for(Isa::avx512);
  const std::string text = jit::emit_llvm_ir(testing::scale_module(3, target), target);
  CHECK(text.find("void @scale(ptr %data, i64 %n)") != std::string::npos);
  CHECK(text.find("llvm.loop.unroll.disable") != std::string::npos);
  const std::string optimized = jit::emit_llvm_ir(testing::scale_module(3, target), target, true);
  CHECK(optimized.find("void @scale") != std::string::npos);
}

TEST_CASE("what is left out of quick code has the names that LLVM uses") {
  for (const std::string& name : jit::passes_of_other_names(kernel::target_for(Isa::avx512)))
    FAIL_CHECK(name);
}
