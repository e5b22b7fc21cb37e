#include "compiler/codegen/llvm_printer.h"

#include <llvm/IR/Module.h>
#include <llvm/TargetParser/Triple.h>

#include "compiler/codegen/llvm_instruction.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

using kernel::Function;
using kernel::Instruction;
using kernel::Isa;
using kernel::Op;
using kernel::Value;

const char* triple_of(Isa isa) {
  return isa == Isa::neon ? "aarch64-unknown-linux-gnu" : "x86_64-unknown-linux-gnu";
}

const char* processor_of(Isa isa) {
  switch (isa) {
    case Isa::avx512: return "x86-64-v4";
    case Isa::avx2: return "x86-64-v3";
    case Isa::sse2: return "x86-64";
    case Isa::neon: return "generic";
  }
  return "";
}

Callees callees_of(const kernel::Module& module) {
  Callees callees;
  for (const auto& function : module.functions) callees[function->name] = function.get();
  return callees;
}

namespace {

// 512-bit vectors are asked for explicitly, since LLVM prefers 256 bits on the generic processor
// of the level; the tuning keeps it from turning microkernels into spills.
void set_target_attributes(llvm::Function& function, Isa isa) {
  function.addFnAttr("target-cpu", processor_of(isa));
  if (isa != Isa::avx512) return;
  function.addFnAttr("tune-cpu", "skylake-avx512");
  function.addFnAttr("prefer-vector-width", "512");
  // Every core of this level can ask for a line to write it, although the level does not say so.
  function.addFnAttr("target-features", "+prfchw");
}

class FunctionPrinter {
 public:
  FunctionPrinter(const Function& source, llvm::Function& function, const Callees& callees,
                  const kernel::Target& target)
      : source_(source),
        function_(function),
        callees_(callees),
        context_(function.getContext()),
        builder_(context_),
        instructions_(builder_, target),
        values_(source.next_id, nullptr) {}

  void run() {
    builder_.SetInsertPoint(llvm::BasicBlock::Create(context_, "entry", &function_));
    for (size_t i = 0; i < source_.body.params.size(); ++i) {
      llvm::Argument* argument = function_.getArg(static_cast<unsigned>(i));
      argument->setName(source_.param_names[i]);
      values_[source_.body.params[i].id] = argument;
    }
    block(source_.body);
    builder_.CreateRetVoid();
  }

 private:
  llvm::Value* use(Value value) const { return values_[value.id]; }

  Operands uses(const std::vector<Value>& values) const {
    Operands result;
    result.reserve(values.size());
    for (Value value : values) result.push_back(use(value));
    return result;
  }

  void block(const kernel::Block& block) {
    for (const Instruction& instruction : block.instructions) {
      switch (instruction.op) {
        case Op::loop: loop(instruction); break;
        case Op::branch: branch(instruction); break;
        case Op::call: call(instruction); break;
        default: plain(instruction);
      }
    }
  }

  void plain(const Instruction& instruction) {
    llvm::Value* result = instructions_.print(instruction, uses(instruction.operands));
    if (instruction.results.empty()) return;
    const int id = instruction.results[0].id;
    values_[id] = result;
    // The kernel's own numbers, so that dumps of both can be read side by side.
    if (!context_.shouldDiscardValueNames() && !result->hasName() &&
        llvm::isa<llvm::Instruction>(result)) {
      result->setName("v" + std::to_string(id));
    }
  }

  llvm::BasicBlock* new_block(const char* name) {
    return llvm::BasicBlock::Create(context_, name, &function_);
  }

  // The loop is printed with its test at the end, behind a guard: the form that loop-invariant
  // code motion needs. Guards between constants are decided here.
  void loop(const Instruction& instruction) {
    Operands in = uses(instruction.operands);
    llvm::Value* enter = builder_.CreateICmpSLT(in[0], in[1]);
    auto* known = llvm::dyn_cast<llvm::ConstantInt>(enter);
    if (known && known->isZero()) {
      for (size_t i = 0; i < instruction.results.size(); ++i) {
        values_[instruction.results[i].id] = in[i + 3];
      }
      return;
    }
    llvm::BasicBlock* guard = builder_.GetInsertBlock();
    llvm::BasicBlock* preheader = new_block("loop.before");
    llvm::BasicBlock* body = new_block("loop");
    llvm::BasicBlock* after = new_block("loop.after");
    if (known) {
      builder_.CreateBr(preheader);
    } else {
      builder_.CreateCondBr(enter, preheader, after);
    }
    builder_.SetInsertPoint(preheader);
    builder_.CreateBr(body);

    builder_.SetInsertPoint(body);
    const auto& params = instruction.body->params;
    std::vector<llvm::PHINode*> phis;
    for (size_t i = 0; i < params.size(); ++i) {
      llvm::Value* initial = i == 0 ? in[0] : in[i + 2];
      phis.push_back(builder_.CreatePHI(initial->getType(), 2));
      phis.back()->addIncoming(initial, preheader);
      values_[params[i].id] = phis.back();
    }
    block(*instruction.body);
    Operands yields = uses(instruction.body->yields);
    llvm::Value* next = builder_.CreateNSWAdd(phis[0], in[2]);
    llvm::BasicBlock* latch = builder_.GetInsertBlock();
    phis[0]->addIncoming(next, latch);
    for (size_t i = 0; i < yields.size(); ++i) phis[i + 1]->addIncoming(yields[i], latch);
    llvm::Value* again = builder_.CreateICmpSLT(next, in[1]);
    builder_.CreateCondBr(again, body, after)->setMetadata(llvm::LLVMContext::MD_loop, hints());

    builder_.SetInsertPoint(after);
    for (size_t i = 0; i < yields.size(); ++i) {
      llvm::PHINode* result = builder_.CreatePHI(yields[i]->getType(), 2);
      if (!known) result->addIncoming(in[i + 3], guard);
      result->addIncoming(yields[i], latch);
      values_[instruction.results[i].id] = result;
    }
  }

  // Schedules are the generators' business: no unrolling, no vectorising.
  llvm::MDNode* hints() {
    auto* no_unroll =
        llvm::MDNode::get(context_, llvm::MDString::get(context_, "llvm.loop.unroll.disable"));
    auto* no_vectors =
        llvm::MDNode::get(context_, {llvm::MDString::get(context_, "llvm.loop.vectorize.enable"),
                                     llvm::ConstantAsMetadata::get(builder_.getFalse())});
    auto* node = llvm::MDNode::getDistinct(context_, {nullptr, no_unroll, no_vectors});
    node->replaceOperandWith(0, node);
    return node;
  }

  void branch(const Instruction& instruction) {
    llvm::BasicBlock* before = builder_.GetInsertBlock();
    llvm::BasicBlock* taken = new_block("then");
    llvm::BasicBlock* other = instruction.other ? new_block("else") : nullptr;
    llvm::BasicBlock* after = new_block("after");
    builder_.SetInsertPoint(before);
    builder_.CreateCondBr(use(instruction.operands[0]), taken, other ? other : after);
    Operands taken_yields = arm(*instruction.body, taken, after);
    llvm::BasicBlock* taken_end = builder_.GetInsertBlock();
    if (!other) {
      builder_.SetInsertPoint(after);
      return;
    }
    Operands other_yields = arm(*instruction.other, other, after);
    llvm::BasicBlock* other_end = builder_.GetInsertBlock();
    builder_.SetInsertPoint(after);
    for (size_t i = 0; i < instruction.results.size(); ++i) {
      llvm::PHINode* result = builder_.CreatePHI(taken_yields[i]->getType(), 2);
      result->addIncoming(taken_yields[i], taken_end);
      result->addIncoming(other_yields[i], other_end);
      values_[instruction.results[i].id] = result;
    }
  }

  Operands arm(const kernel::Block& source, llvm::BasicBlock* start, llvm::BasicBlock* after) {
    builder_.SetInsertPoint(start);
    block(source);
    Operands yields = uses(source.yields);
    builder_.CreateBr(after);
    return yields;
  }

  void call(const Instruction& instruction) {
    const std::string& name = callees_.at(instruction.callee)->name;
    builder_.CreateCall(function_.getParent()->getFunction(name), uses(instruction.operands));
  }

  const Function& source_;
  llvm::Function& function_;
  const Callees& callees_;
  llvm::LLVMContext& context_;
  llvm::IRBuilder<> builder_;
  InstructionPrinter instructions_;
  std::vector<llvm::Value*> values_;
};

class ModulePrinter {
 public:
  ModulePrinter(const Callees& callees, const kernel::Target& target, Linkage linkage,
                llvm::LLVMContext& context)
      : callees_(callees),
        target_(target),
        linkage_(linkage),
        module_(std::make_unique<llvm::Module>("kernels", context)) {
    module_->setTargetTriple(triple_of(target.isa));
  }

  std::unique_ptr<llvm::Module> run(const std::vector<const Function*>& functions) {
    for (const Function* function : functions) declare(*function);
    for (const Function* function : functions) {
      const bool calls_others = declare_callees(function->body);
      llvm::Function& printed = *module_->getFunction(function->name);
      // What calls kernels is gone through once a call, and has no loops worth an instruction:
      // LLVM's quick selection of instructions writes it in half the time.
      if (calls_others) printed.addFnAttr(llvm::Attribute::OptimizeNone);
      FunctionPrinter(*function, printed, callees_, target_).run();
      if (linkage_ == Linkage::local && !function->exported) {
        printed.setVisibility(llvm::GlobalValue::DefaultVisibility);
        printed.setLinkage(llvm::GlobalValue::InternalLinkage);
      }
    }
    return std::move(module_);
  }

 private:
  void declare(const Function& source) {
    llvm::LLVMContext& context = module_->getContext();
    std::vector<llvm::Type*> params;
    for (Value param : source.body.params) params.push_back(type_of(context, param.type));
    auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), params, false);
    auto* function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, source.name,
                                            module_.get());
    function->setDSOLocal(true);
    if (!source.exported) function->setVisibility(llvm::GlobalValue::HiddenVisibility);
    function->addFnAttr(llvm::Attribute::NoUnwind);
    function->addFnAttr(llvm::Attribute::NoInline);
    function->addFnAttr("no-builtins");           // no loop becomes a call of memcpy or memset
    function->addFnAttr("warn-stack-size", "0");  // reports every frame to the diagnostic handler
    set_target_attributes(*function, target_.isa);
  }

  // Whether there are any.
  bool declare_callees(const kernel::Block& block) {
    bool any = false;
    for (const Instruction& instruction : block.instructions) {
      if (instruction.body) any |= declare_callees(*instruction.body);
      if (instruction.other) any |= declare_callees(*instruction.other);
      if (instruction.op != Op::call) continue;
      any = true;
      auto callee = callees_.find(instruction.callee);
      internal_check(callee != callees_.end(), "call of unknown kernel " + instruction.callee);
      if (!module_->getFunction(callee->second->name)) declare(*callee->second);
    }
    return any;
  }

  const Callees& callees_;
  const kernel::Target& target_;
  Linkage linkage_;
  std::unique_ptr<llvm::Module> module_;
};

}  // namespace

std::unique_ptr<llvm::Module> print_llvm(const std::vector<const Function*>& functions,
                                         const Callees& callees, const kernel::Target& target,
                                         Linkage linkage, llvm::LLVMContext& context) {
  return ModulePrinter(callees, target, linkage, context).run(functions);
}

}  // namespace nnc::codegen
