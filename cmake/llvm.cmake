# LLVM 19 as static components. Measured with a program that does nothing but start: 3.6 ms, of
# which 0.5 are any process; with the shared library 11.0 ms (it runs the initialisers of all its
# targets and resolves its symbols). Price: a binary of 41 MB.
find_package(LLVM 19.1 REQUIRED CONFIG HINTS /usr/lib/llvm-19/lib/cmake/llvm)
add_library(nnc_llvm INTERFACE)
target_include_directories(nnc_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
# Only what jit/ uses: no PassBuilder, no other targets.
llvm_map_components_to_libnames(llvm_libs core orcjit jitlink scalaropts support
                                x86codegen x86desc x86info aarch64codegen aarch64desc aarch64info)
target_link_libraries(nnc_llvm INTERFACE ${llvm_libs})
# The object cache knows a binary by its build id.
target_link_options(nnc_llvm INTERFACE -Wl,--build-id -Wl,--gc-sections)
