# CUDA, where the toolkit is installed; without it everything else is built and tested all the same.
#
#   PALUKU_HAVE_NVCC          TRUE when nvcc was found and works; every CUDA target stands behind if(PALUKU_HAVE_NVCC)
#   PALUKU_CUDA_INCLUDE       the toolkit's headers, to be included as SYSTEM
#   PALUKU_CUDA_EMULATED      architectures the emulator runs, as numbers: 75 80 90 120
#   paluku_cudart_static      target: the static CUDA runtime, for what is shipped
#   paluku_cuda_objects(NAME n SOURCES a.cu ... [INCLUDES ..] [DEFINITIONS ..] [OPTIONS ..])
#       OBJECT library n for real cards: machine code of every supported architecture and PTX of the newest.
#   paluku_cuda_emulation_objects(NAME n SOURCES a.cu ... [INCLUDES ..] [DEFINITIONS ..] [OPTIONS ..])
#       OBJECT libraries n_75 n_80 n_90 n_120 of the same sources, PTX only, uncompressed, with line information: what
#       tests/support/cuda_emulator runs. Link them with the target `cuda_emulator`, which stands in for cudart.
#
# Both kinds are linked by the C++ compiler like any other object; no target of ours asks CMake for a CUDA runtime.
# -DPALUKU_WITH_CUDA=OFF builds as if there were no nvcc.
option(PALUKU_WITH_CUDA "Build the CUDA parts when nvcc is found" ON)
set(PALUKU_HAVE_NVCC FALSE)
set(PALUKU_CUDA_EMULATED 75 80 90 120)
set(PALUKU_CUDA_REAL 75-real 80-real 86-real 89-real 90-real 100-real 120-real 120-virtual)

if(PALUKU_WITH_CUDA)
  find_program(PALUKU_NVCC nvcc HINTS ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
endif()
if(PALUKU_WITH_CUDA AND PALUKU_NVCC)
  set(CMAKE_CUDA_COMPILER ${PALUKU_NVCC})
  set(CMAKE_CUDA_ARCHITECTURES OFF)
  set(CMAKE_CUDA_RUNTIME_LIBRARY None)
  if(CMAKE_CXX_COMPILER_LAUNCHER AND NOT DEFINED CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 13.0)
      message(STATUS "CUDA: nvcc ${CMAKE_CUDA_COMPILER_VERSION} is too old, 13.0 is needed; CUDA parts are not built")
    else()
      set(PALUKU_HAVE_NVCC TRUE)
    endif()
  endif()
endif()

if(NOT PALUKU_HAVE_NVCC)
  message(STATUS "CUDA: no usable nvcc, CUDA parts are not built")
  return()
endif()
# CMake 3.25 knows no flag for CUDA at 20, which CUDA targets take over from C++.
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
set(PALUKU_CUDA_INCLUDE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
message(STATUS "CUDA: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, emulated architectures ${PALUKU_CUDA_EMULATED}")

get_filename_component(_paluku_cuda_bin ${CMAKE_CUDA_COMPILER} DIRECTORY)
find_library(PALUKU_CUDART_STATIC cudart_static REQUIRED NO_DEFAULT_PATH
  HINTS ${_paluku_cuda_bin}/../lib64 ${_paluku_cuda_bin}/../lib ${_paluku_cuda_bin}/../targets/x86_64-linux/lib)
add_library(paluku_cudart_static INTERFACE)
target_link_libraries(paluku_cudart_static INTERFACE
  ${PALUKU_CUDART_STATIC} Threads::Threads ${CMAKE_DL_LIBS} rt)

set(_paluku_require_cxx20 ${CMAKE_CURRENT_LIST_DIR}/require_cxx20.h)
set(_paluku_keep_ptxas ${CMAKE_CURRENT_LIST_DIR}/keep_ptxas_report.py)
find_program(_paluku_python python3 REQUIRED)

# What both kinds share: one OBJECT library with the flags of the house in nvcc's words.
function(_paluku_cuda_target name sources includes definitions options)
  add_library(${name} OBJECT ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${includes})
  target_compile_definitions(${name} PRIVATE ${definitions})
  target_compile_options(${name} PRIVATE
    -std=c++20 --pre-include=${_paluku_require_cxx20} --Werror=all-warnings --expt-relaxed-constexpr
    -Xcompiler=-Wall,-Werror,-fvisibility=hidden,-ffp-contract=off,-fstack-protector-strong
    ${options})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON CUDA_SEPARABLE_COMPILATION OFF)
endfunction()

function(paluku_cuda_objects)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;INCLUDES;DEFINITIONS;OPTIONS" ${ARGN})
  _paluku_cuda_target(${ARG_NAME} "${ARG_SOURCES}" "${ARG_INCLUDES}" "${ARG_DEFINITIONS}" "${ARG_OPTIONS}")
  set_target_properties(${ARG_NAME} PROPERTIES CUDA_ARCHITECTURES "${PALUKU_CUDA_REAL}")
  # What each kernel needs of the card goes to a file beside its object, for tests/engine/backend/cuda/check_budget.py.
  target_compile_options(${ARG_NAME} PRIVATE "SHELL:-Xptxas -v")
  set_target_properties(${ARG_NAME} PROPERTIES CUDA_COMPILER_LAUNCHER
    "${_paluku_python};${_paluku_keep_ptxas};${CMAKE_CUDA_COMPILER_LAUNCHER}")
endfunction()

function(paluku_cuda_emulation_objects)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;INCLUDES;DEFINITIONS;OPTIONS" ${ARGN})
  foreach(arch ${PALUKU_CUDA_EMULATED})
    _paluku_cuda_target(${ARG_NAME}_${arch} "${ARG_SOURCES}" "${ARG_INCLUDES}" "${ARG_DEFINITIONS}" "${ARG_OPTIONS}")
    set_target_properties(${ARG_NAME}_${arch} PROPERTIES CUDA_ARCHITECTURES ${arch}-virtual)
    target_compile_options(${ARG_NAME}_${arch} PRIVATE --compress-mode=none -lineinfo)
  endforeach()
endfunction()
