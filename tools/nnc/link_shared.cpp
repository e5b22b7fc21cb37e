#include "tools/nnc/link_shared.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/support/text.h"
#include "runtime/atomic_file.h"
#include "tools/nnc/exit.h"
#include "tools/nnc/scratch_folder.h"

namespace nnc::tool {

namespace {

// The linker of the machine itself, one for the other kind of machine, one that knows all kinds.
std::vector<std::string> linkers_for(kernel::Isa isa) {
  const bool arm = isa == kernel::Isa::neon;
  const bool here = (kernel::host_target().isa == kernel::Isa::neon) == arm;
  std::vector<std::string> names;
  if (here) names.push_back("ld");
  names.push_back(arm ? "aarch64-linux-gnu-ld" : "x86_64-linux-gnu-ld");
  names.insert(names.end(), {"ld.lld", "ld.lld-19"});
  return names;
}

// The exit status of a command, or -1 if there is no such program.
int run(const std::vector<std::string>& command) {
  std::vector<char*> pointers;
  for (const std::string& word : command) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, pointers[0], nullptr, nullptr, pointers.data(), environ) != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

std::string link_shared(const std::vector<std::string>& objects, const std::string& name,
                        kernel::Isa isa) {
  const ScratchFolder folder;
  const std::string library = folder.path() + "/library.so";
  std::vector<std::string> tail = {"-shared", "-Bsymbolic", "-z", "noexecstack",
                                   "-soname", name,         "-o", library};
  for (size_t i = 0; i < objects.size(); ++i) {
    tail.push_back(fmt::format("{}/{}.o", folder.path(), i));
    runtime::write_atomically(tail.back(), objects[i]);
  }
  const std::vector<std::string> linkers = linkers_for(isa);
  for (const std::string& linker : linkers) {
    std::vector<std::string> command = {linker};
    command.insert(command.end(), tail.begin(), tail.end());
    const int status = run(command);
    if (status == -1) continue;
    if (status != 0)
      throw CommandError(Exit::failed,
                         fmt::format("{} cannot link the library (exit status {})", linker, status),
                         "--object writes objects, which cc -shared can link");
    return runtime::read_text(library);
  }
  throw CommandError(Exit::failed,
                     fmt::format("there is no linker for this machine: {}", join(linkers, "or")),
                     "install binutils, or --object and link with cc -shared");
}

}  // namespace nnc::tool
