// Included before every CUDA source (packaging/cmake/PalukuCuda.cmake): CMake 3.25 cannot set the
// standard of the CUDA language to 20 by itself, so the flag is passed by hand and this line proves
// that it arrived.
#pragma once
static_assert(__cplusplus >= 202002L, "CUDA sources of Paluku are C++20: compile with -std=c++20");
