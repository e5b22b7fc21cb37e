# How every target of nnc is built: warnings are errors, one include root, no contraction of
# floating-point expressions (the project decides where a fused multiply-add stands).
function(nnc_settings target)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -ffp-contract=off)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -Wno-restrict)  # false alarms of GCC 12 (PR 105651)
  else()  # clang, at std::stable_sort in the library of GCC 12
    target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
  endif()
  if(NNC_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${NNC_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${NNC_SANITIZE})
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # compiled kernels carry no signature to check
      target_compile_options(${target} PRIVATE -fno-sanitize=function)
    endif()
  endif()
endfunction()

# nnc_library(NAME FOLDER [FLAT] [WHOLE] LINK …): all sources below FOLDER (FLAT: directly in it).
# WHOLE: programs link every object of it, so that records which register themselves are there.
function(nnc_library name folder)
  cmake_parse_arguments(ARG "FLAT;WHOLE" "" "LINK" ${ARGN})
  if(ARG_FLAT)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  else()
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  endif()
  set(library nnc_${name})
  if(ARG_WHOLE)
    set(library nnc_${name}_archive)
    add_library(nnc_${name} INTERFACE)
    target_link_libraries(nnc_${name} INTERFACE $<LINK_LIBRARY:WHOLE_ARCHIVE,${library}>)
  endif()
  add_library(${library} STATIC ${sources})
  target_link_libraries(${library} PUBLIC ${ARG_LINK})
  nnc_settings(${library})
endfunction()
