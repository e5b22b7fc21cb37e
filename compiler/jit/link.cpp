#include "compiler/jit/link.h"

#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/Support/MemoryBuffer.h>

#include "compiler/support/diagnostics.h"

namespace nnc::jit {

namespace orc = llvm::orc;

struct Executable::Code::Session {
  Session()
      : session(create_control()),
        layer(session, session.getExecutorProcessControl().getMemMgr()),
        library(session.createBareJITDylib("program")) {
    session.setErrorReporter(
        [this](llvm::Error error) { problems += llvm::toString(std::move(error)) + "; "; });
  }

  ~Session() { llvm::cantFail(session.endSession()); }

  static std::unique_ptr<orc::ExecutorProcessControl> create_control() {
    // Tasks run in place: linking takes less time than starting a thread for it.
    auto control = orc::SelfExecutorProcessControl::Create(
        nullptr, std::make_unique<orc::InPlaceTaskDispatcher>());
    if (!control) throw InternalError("internal error: " + llvm::toString(control.takeError()));
    return std::move(*control);
  }

  void check(llvm::Error error) {
    if (error)
      throw InternalError("internal error: " + problems + llvm::toString(std::move(error)));
  }

  std::string problems;
  orc::ExecutionSession session;
  orc::ObjectLinkingLayer layer;
  orc::JITDylib& library;
};

Executable::Code::Code(const std::vector<std::string_view>& objects,
                       const std::vector<std::string>& exported)
    : session_(std::make_unique<Session>()) {
  for (std::string_view object : objects) {
    auto buffer = llvm::MemoryBuffer::getMemBuffer(llvm::StringRef(object.data(), object.size()),
                                                   "program", false);
    session_->check(session_->layer.add(session_->library, std::move(buffer)));
  }
  orc::SymbolLookupSet wanted;
  for (const std::string& name : exported) wanted.add(session_->session.intern(name));
  auto found = session_->session.lookup(
      {{&session_->library, orc::JITDylibLookupFlags::MatchAllSymbols}}, std::move(wanted));
  session_->check(found.takeError());
  for (const auto& [name, symbol] : *found) {
    addresses[(*name).str()] = symbol.getAddress().toPtr<void*>();
  }
}

Executable::Code::~Code() = default;

}  // namespace nnc::jit
