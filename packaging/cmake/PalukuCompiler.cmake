# Flags that every target of the house shares. Instruction sets are chosen per file
# (engine/backend/cpu), never here: one binary runs on every x86-64 machine.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

include(CheckPIESupported)
check_pie_supported()
find_package(Threads REQUIRED)

add_library(paluku_flags INTERFACE)
target_compile_options(paluku_flags INTERFACE
  -Wall -Wextra -Wshadow $<$<NOT:$<BOOL:${PALUKU_FUZZ}>>:-Werror>
  -fstack-protector-strong -fvisibility=hidden -ffp-contract=off
  $<$<CONFIG:Debug>:-D_GLIBCXX_ASSERTIONS>
  $<$<CONFIG:Release>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
target_include_directories(paluku_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(paluku_flags INTERFACE Threads::Threads)

if(PALUKU_SANITIZER)
  target_compile_options(paluku_flags INTERFACE
    -fsanitize=${PALUKU_SANITIZER} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(paluku_flags INTERFACE -fsanitize=${PALUKU_SANITIZER})
endif()
