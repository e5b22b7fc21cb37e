#include "compiler/codegen/llvm_c_functions.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include "compiler/codegen/emit_c_header.h"
#include "compiler/codegen/emit_text.h"
#include "compiler/support/diagnostics.h"

namespace nnc::codegen {

namespace {

constexpr unsigned workspace_alignment = 64;

// One of the two functions. Its parameters: inputs, outputs, for a batch the rows, the workspace.
class CFunction {
 public:
  CFunction(llvm::Module& module, const EmitRequest& request, size_t function,
            const std::string& name, bool batch)
      : module_(module),
        request_(request),
        called_(request.functions[function]),
        row_kernels_(c_row_symbol(request, function)),
        block_kernels_(c_block_symbol(request, function)),
        builder_(module.getContext()) {
    const size_t pointers = called_.inputs.size() + called_.outputs.size();
    std::vector<llvm::Type*> types(pointers, builder_.getPtrTy());
    if (batch) types.push_back(builder_.getInt64Ty());
    types.push_back(builder_.getPtrTy());
    auto* type = llvm::FunctionType::get(builder_.getVoidTy(), types, false);
    function_ = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, &module_);
    function_->addFnAttr(llvm::Attribute::NoUnwind);
    builder_.SetInsertPoint(block("entry"));
    prepare();
  }

  llvm::Function* one_row() {
    call(row_kernels_, builder_.getInt64(0), builder_.getInt64(1));
    builder_.CreateRetVoid();
    return function_;
  }

  // Blocks of rows; what is left over goes row by row where that is faster.
  llvm::Function* all_rows() {
    llvm::Value* rows = function_->getArg(static_cast<unsigned>(function_->arg_size() - 2));
    llvm::Value* many = builder_.getInt64(static_cast<uint64_t>(called_.block_rows));
    count_up(builder_.getInt64(0), rows, many, [&](llvm::Value* first) {
      llvm::Value* left = builder_.CreateSub(rows, first);
      llvm::Value* count = builder_.CreateSelect(builder_.CreateICmpULT(left, many), left, many);
      if (called_.few_rows == 0) return call(block_kernels_, first, count);
      llvm::Value* few =
          builder_.CreateICmpULT(count, builder_.getInt64(static_cast<uint64_t>(called_.few_rows)));
      llvm::BasicBlock *single = block("single"), *together = block("together"),
                       *after = block("after");
      builder_.CreateCondBr(few, single, together);
      builder_.SetInsertPoint(single);
      count_up(first, rows, builder_.getInt64(1),
               [&](llvm::Value* row) { call(row_kernels_, row, builder_.getInt64(1)); });
      builder_.CreateBr(after);
      builder_.SetInsertPoint(together);
      call(block_kernels_, first, count);
      builder_.CreateBr(after);
      builder_.SetInsertPoint(after);
    });
    builder_.CreateRetVoid();
    return function_;
  }

 private:
  llvm::BasicBlock* block(const char* name) {
    return llvm::BasicBlock::Create(module_.getContext(), name, function_);
  }

  // for (i = begin; i < end; i += step)
  template <class Body>
  void count_up(llvm::Value* begin, llvm::Value* end, llvm::Value* step, const Body& body) {
    llvm::BasicBlock* before = builder_.GetInsertBlock();
    llvm::BasicBlock *test = block("test"), *inside = block("inside"), *behind = block("behind");
    builder_.CreateBr(test);
    builder_.SetInsertPoint(test);
    llvm::PHINode* i = builder_.CreatePHI(builder_.getInt64Ty(), 2);
    i->addIncoming(begin, before);
    builder_.CreateCondBr(builder_.CreateICmpULT(i, end), inside, behind);
    builder_.SetInsertPoint(inside);
    body(i);
    i->addIncoming(builder_.CreateAdd(i, step), builder_.GetInsertBlock());
    builder_.CreateBr(test);
    builder_.SetInsertPoint(behind);
  }

  llvm::Value* pointers(size_t count) {
    return builder_.CreateAlloca(builder_.getPtrTy(),
                                 builder_.getInt64(std::max<size_t>(count, 1)));
  }

  llvm::GlobalVariable* constant(llvm::Constant* value) {
    auto* global = new llvm::GlobalVariable(module_, value->getType(), true,
                                            llvm::GlobalValue::PrivateLinkage, value);
    global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return global;
  }

  // What no call changes.
  void prepare() {
    llvm::LLVMContext& context = module_.getContext();
    std::vector<uint32_t> order;
    for (int64_t i = 0; i < called_.block_rows; ++i) order.push_back(static_cast<uint32_t>(i));
    llvm::Value* row_order = constant(llvm::ConstantDataArray::get(context, order));
    inputs_ = pointers(called_.inputs.size());
    outputs_ = pointers(called_.outputs.size());
    llvm::Value* orders = pointers(called_.inputs.size());
    for (size_t i = 0; i < called_.inputs.size(); ++i) store(row_order, orders, i);
    fields_ = builder_.CreateAlloca(llvm::ArrayType::get(
        builder_.getInt64Ty(), static_cast<uint64_t>(abi::ContextField::barrier_state) + 1));
    set(abi::ContextField::inputs, inputs_);
    set(abi::ContextField::indices, orders);
    set(abi::ContextField::outputs, outputs_);
    set(abi::ContextField::state, weights());
    set(abi::ContextField::arena, arena());
    llvm::Value* none = llvm::ConstantPointerNull::get(builder_.getPtrTy());
    set(abi::ContextField::scalars,
        called_.scalars.empty() ? none
                                : constant(llvm::ConstantDataArray::get(context, called_.scalars)));
    set(abi::ContextField::threads, builder_.getInt64(1));
    set(abi::ContextField::barrier, none);
    set(abi::ContextField::barrier_state, none);
  }

  llvm::Value* weights() {
    return module_.getOrInsertGlobal(names_of(request_).symbol, builder_.getInt8Ty());
  }

  // Scratch begins at the next multiple of a cache line.
  llvm::Value* arena() {
    llvm::Value* workspace = function_->getArg(static_cast<unsigned>(function_->arg_size() - 1));
    llvm::Value* start = builder_.CreatePtrToInt(workspace, builder_.getInt64Ty());
    llvm::Value* missing =
        builder_.CreateAnd(builder_.CreateNeg(start), builder_.getInt64(workspace_alignment - 1));
    return builder_.CreateGEP(builder_.getInt8Ty(), workspace, missing);
  }

  // Every member of the context is 8 bytes wide.
  void set(abi::ContextField field, llvm::Value* value) {
    store(value, fields_, static_cast<size_t>(field));
  }

  void store(llvm::Value* value, llvm::Value* words, size_t index) {
    builder_.CreateStore(value, builder_.CreateConstGEP1_64(builder_.getInt64Ty(), words, index));
  }

  // Calls kernels for `rows` rows from row `first` on.
  void call(const std::string& symbol, llvm::Value* first, llvm::Value* rows) {
    unsigned argument = 0;
    const auto point_to = [&](const std::vector<EmitValue>& values, llvm::Value* list) {
      for (size_t i = 0; i < values.size(); ++i) {
        const auto bytes =
            static_cast<uint64_t>(values[i].elements()) * abi::size_of(values[i].dtype);
        llvm::Value* distance = builder_.CreateMul(first, builder_.getInt64(bytes));
        store(builder_.CreateGEP(builder_.getInt8Ty(), function_->getArg(argument++), distance),
              list, i);
      }
    };
    point_to(called_.inputs, inputs_);
    point_to(called_.outputs, outputs_);
    set(abi::ContextField::rows, rows);
    llvm::Function* kernels = module_.getFunction(symbol);
    internal_check(kernels != nullptr, "an object has no kernels");
    builder_.CreateCall(kernels, {fields_, builder_.getInt64(0)});
  }

  llvm::Module& module_;
  const EmitRequest& request_;
  const EmitFunction& called_;
  const std::string row_kernels_, block_kernels_;
  llvm::IRBuilder<> builder_;
  llvm::Function* function_ = nullptr;
  llvm::Value *inputs_ = nullptr, *outputs_ = nullptr, *fields_ = nullptr;
};

void add_weak_name(llvm::Module& module, llvm::Function* function, const std::string& name) {
  llvm::GlobalAlias::create(function->getFunctionType(), 0, llvm::GlobalValue::WeakAnyLinkage, name,
                            function, &module);
}

}  // namespace

void add_c_functions(llvm::Module& module, const EmitRequest& request) {
  for (size_t f = 0; f < request.functions.size(); ++f) {
    const CNames names = c_names_of(request, f);
    add_weak_name(module, CFunction(module, request, f, names.row, false).one_row(),
                  names.plain_row);
    add_weak_name(module, CFunction(module, request, f, names.batch, true).all_rows(),
                  names.plain_batch);
    for (const std::string& kernels : {c_row_symbol(request, f), c_block_symbol(request, f)})
      module.getFunction(kernels)->setLinkage(llvm::GlobalValue::InternalLinkage);
  }
}

}  // namespace nnc::codegen
