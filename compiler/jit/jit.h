// Kernel IR into callable native code: LLVM through ORC's linker, with an object cache on disk.
// Also the objects, assembly and LLVM IR of any target, for dumps and emission.
// Everything here may be called from several threads at once. Failures of LLVM are bugs of nnc and
// throw InternalError; a cache that cannot be used is silently no cache.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/kernel/kernel.h"
#include "compiler/kernel/target.h"

namespace llvm {
class Module;
}

namespace nnc::jit {

struct Options {
  kernel::Target target;  // must be one that the host supports
  int compile_threads = 1;
  // What the machine code is kept under on disk: equal for equal modules only. Empty: not kept.
  std::string identity;
  std::string cache_dir;                           // empty: $XDG_CACHE_HOME/nnc, else ~/.cache/nnc
  int64_t cache_limit_bytes = int64_t{256} << 20;  // older entries are removed above it
};

// Milliseconds of one thread that compiles.
struct ThreadTimings {
  double setup = 0;     // LLVM's description of the target
  double print = 0;     // kernel IR to LLVM IR
  double optimize = 0;  // LLVM IR passes
  double codegen = 0;   // machine code
  double total() const { return setup + print + optimize + codegen; }
};

// Milliseconds per phase, wall time.
struct Timings {
  double cache = 0;       // key of the cache, reading or writing it
  double merge = 0;       // finding equal functions
  double compile = 0;     // all threads, from the first that starts to the last that ends
  ThreadTimings slowest;  // the thread that all others wait for
  double link = 0;
  int functions = 0;  // in the module
  int distinct = 0;   // after merging of equal functions
};

// Owns machine code; functions found by `lookup` are valid as long as it lives.
class Executable {
 public:
  ~Executable();
  Executable(const Executable&) = delete;
  Executable& operator=(const Executable&) = delete;

  // The address of an exported function, or nullptr if there is none of that name.
  void* lookup(const std::string& name) const;

  // Bytes of stack frame by function name, merged functions included; 0: no frame. A kernel with
  // a large frame has spilled its register tile.
  const std::map<std::string, uint64_t>& stack_bytes() const;

  class Code;  // implementation
  explicit Executable(std::unique_ptr<Code> code);

 private:
  std::unique_ptr<Code> code_;
};

// The program that `compile` kept under this identity, for this target and by this build of nnc;
// null if there is none. `exported`: the names that `lookup` will be asked for.
std::unique_ptr<Executable> load(const std::vector<std::string>& exported, const Options& options,
                                 Timings* timings = nullptr);

std::unique_ptr<Executable> compile(const kernel::Module& module, const Options& options,
                                    Timings* timings = nullptr);

// From now on LLVM throws std::bad_alloc where it would end the process. For all of the process:
// to be called once, by the one who owns it.
void throw_when_out_of_memory();

// Where programs are kept unless said otherwise: $XDG_CACHE_HOME/nnc or ~/.cache/nnc. Empty where
// there is neither. It need not exist.
std::string cache_folder();

// An ELF object (relocatable) with the module's functions: exported ones global, others local.
// `add`, if there is one, writes others around them.
using AddFunctions = std::function<void(llvm::Module&)>;
std::vector<uint8_t> emit_object(const kernel::Module& module, const kernel::Target& target,
                                 const AddFunctions& add = {});

// Passes of the code generator that training does without, by names that this LLVM does not know:
// nothing but time is lost, which nobody would notice.
std::vector<std::string> passes_of_other_names(const kernel::Target& target);

// Assembly after all optimisation: what `compile` makes callable.
std::string emit_assembly(const kernel::Module& module, const kernel::Target& target);

// LLVM IR as printed, with readable value names, or after the passes if `optimized`.
std::string emit_llvm_ir(const kernel::Module& module, const kernel::Target& target,
                         bool optimized = false);

}  // namespace nnc::jit
